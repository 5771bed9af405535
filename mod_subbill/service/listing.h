/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_LISTING_H
#define SB_SERVICE_LISTING_H

#include "service/service.h"
#include "stripe/lists.h"

/* Reading Stripe's lists in the background. Called by jobs and commands only. */

/* One page, in the shared pace of all background calls; list->limit is set here. Failures: those of
 * sb_pace_take() and sb_stripe_list(), SB_UNAVAILABLE "stripe_not_configured". */
sb_status_e sb_listing_page(sb_stripe_page_t *page, sb_result_t *result,
                            sb_service_t *service, sb_stripe_list_t list,
                            apr_pool_t *pool);

/* One object as Stripe sees it now, in the same pace. Failures: those of sb_pace_take() and
 * sb_stripe_object_retrieve(). */
sb_status_e sb_listing_object(json_t **object, sb_result_t *result, sb_service_t *service,
                              const char *kind, const char *id, apr_pool_t *pool);

/* When a step has to come to its end, so that it is over well before its job's lease; by the monotonic
 * clock. */
apr_time_t sb_listing_deadline(void);
bool sb_listing_overdue(apr_time_t deadline);

#endif
