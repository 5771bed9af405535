/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_REFRESH_H
#define SB_SERVICE_REFRESH_H

#include "domain/stripe_event.h"
#include "service/service.h"

/* Fetches a subscription and applies what Stripe says about it now, unless something newer than cause,
 * the event that raised the question, has been told meanwhile. The answer is kept as the event
 * "fetch:SUBSCRIPTION:CAUSE". It takes a few seconds at most, because the sender of the cause is waiting.
 * A failure is logged: what is stored then grants the less of the two, until Stripe speaks
 * again. Failures: those of sb_stripe_subscription_retrieve() and of sb_ingest_fact(). */
sb_status_e sb_refresh_subscription(sb_result_t *result, sb_service_t *service,
                                    const char *id, const sb_event_t *cause,
                                    apr_pool_t *pool);

#endif
