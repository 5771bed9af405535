/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_ANSWER_H
#define SB_STRIPE_ANSWER_H

#include "base/json.h"
#include "base/result.h"
#include "net/http.h"

/* What an answer of Stripe's, or its absence, means. Pure: no call is made here. The
 * results are those that stripe/client.h promises. */

/* An answer that arrived. SB_OK: *out is the object; else *out is the `error` object or
 * NULL. The reference belongs to pool. */
sb_status_e sb_stripe_answer_read(json_t **out, sb_result_t *result,
                                  const sb_http_response_t *response, apr_pool_t *pool);

/* No answer arrived, for this reason. */
sb_status_e sb_stripe_answer_missing(sb_result_t *result, sb_http_failure_e failure);

/* May the same request be sent again (with the same Idempotency-Key)? */
bool sb_stripe_answer_may_retry(sb_http_failure_e failure,
                                const sb_http_response_t *response);

/* Retry-After in seconds; 0 when absent or not a plain number, at most 3600. */
int sb_stripe_answer_retry_after(const sb_http_response_t *response);

/* Stripe's explanation for the log: type, code, parameter, message, with everything
 * that looks like a key or secret blackened (T37). In pool. */
const char *sb_stripe_answer_words(const json_t *error, apr_pool_t *pool);

#endif
