/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_REFRESH_H
#define SB_SERVICE_REFRESH_H

#include "service/service.h"

/* Fetches a subscription and applies what Stripe says about it now. cause: the id of the event that
 * raised the question; the answer is kept as the event "fetch:SUBSCRIPTION:CAUSE". A failure is
 * logged: what is stored then grants the less of the two, until Stripe speaks again. */
sb_status_e sb_refresh_subscription(sb_result_t *result, sb_service_t *service,
                                    const char *id, const char *cause, apr_pool_t *pool);

#endif
