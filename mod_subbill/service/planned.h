/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_PLANNED_H
#define SB_SERVICE_PLANNED_H

#include "service/act.h"
#include "stripe/schedules.h"

/* Changes that wait for the end of the period: subscription schedules. Inside service/ only. */

/* Lets the subscription of act go from its schedule, if it has one: nothing is planned any more. step: of
 * sb_act_key(). */
sb_status_e sb_planned_release(json_t **out, sb_act_t *act, sb_result_t *result, int step,
                               apr_pool_t *pool);

typedef struct sb_planned_wish_t {
    const char *old_price; /* of the item that is replaced */
    const char *price;
    const char *plan; /* key */
    apr_int64_t quantity;
    const char *interval; /* of the price */
    int interval_count;
    apr_int64_t effective_at;
} sb_planned_wish_t;

/* Plans the change: takes the schedule there is, or makes one, which is let go of when it is refused its phases for
 * good; remembers what is planned. Uses the keys step to step + 2. */
sb_status_e sb_planned_make(json_t **out, sb_act_t *act, sb_result_t *result,
                            const sb_planned_wish_t *wish, int step, apr_pool_t *pool);

#endif
