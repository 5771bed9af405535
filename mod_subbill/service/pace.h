/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_PACE_H
#define SB_SERVICE_PACE_H

#include "service/service.h"

/* Background calls to Stripe share one rate between all hosts, well below Stripe's limit, so that buyers
 * always find it willing. */

/* Before every call of a job: waits its turn, a second at most. SB_UNAVAILABLE "rate_limited" when it did not
 * come; or the database's. */
sb_status_e sb_pace_take(sb_result_t *result, sb_service_t *service, apr_pool_t *pool);

/* After a call that failed: when Stripe said 429, everybody slows down. Returns status. */
sb_status_e sb_pace_heed(sb_status_e status, const sb_result_t *result,
                         sb_service_t *service, apr_pool_t *pool);

#endif
