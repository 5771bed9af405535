/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_LIFECYCLE_H
#define SB_SERVICE_LIFECYCLE_H

#include "service/service.h"

/* Cancelling, resuming and pausing one's own subscription. What Stripe answers is applied at once; a second
 * click finds it done and succeeds. */

typedef struct sb_lifecycle_request_t {
    const char *user;         /* required */
    const char *subscription; /* id, unchecked; NULL: the only one that is not over */
    int grace_days;           /* SubbillGrace where it is asked */
    bool immediate;           /* cancel: now, not at the end of the period */
} sb_lifecycle_request_t;

/* SB_NOT_FOUND "no_subscription" for all of them, also for somebody else's; SB_CONFLICT
 * "several_subscriptions" without an id, "subscription_gone" or "subscription_changed" at Stripe; database and Stripe as ever.
 *
 * SB_CONFLICT "unpaid", "paused", "incomplete": there is no period whose end could be waited for; immediate
 * works. */
sb_status_e sb_lifecycle_cancel(sb_result_t *result, sb_service_t *service,
                                const sb_lifecycle_request_t *request, apr_pool_t *pool);

/* Takes back a planned cancellation, also one that was set at Stripe; ends a pause, drops a planned change: the first
 * of these that there is. What a schedule planned is dropped with the end, for the schedule has to let go.
 * SB_CONFLICT "nothing_to_resume". SB_PAYMENT_REQUIRED "resumption_unpaid": the card did not
 * pay, and it stays paused until the invoice is paid. */
sb_status_e sb_lifecycle_resume(sb_result_t *result, sb_service_t *service,
                                const sb_lifecycle_request_t *request, apr_pool_t *pool);

/* Where the catalogue allows it. SB_CONFLICT "pause_not_offered", "cancellation_planned", "past_due" and
 * the other words of a status. */
sb_status_e sb_lifecycle_pause(sb_result_t *result, sb_service_t *service,
                               const sb_lifecycle_request_t *request, apr_pool_t *pool);

#endif
