/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/schedules.h"

#include <apr_strings.h>

#define KIND "subscription_schedule"

sb_status_e sb_stripe_schedule_create(json_t **schedule, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *subscription,
                                      const char *key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "from_subscription", subscription);
    return sb_stripe_call_for(schedule, result, stripe, KIND, "POST",
                              "/v1/subscription_schedules", params, key, pool);
}

sb_status_e sb_stripe_schedule_retrieve(json_t **schedule, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscription_schedules/", id, pool);

    *schedule = NULL;
    return path ? sb_stripe_call_for(schedule, result, stripe, KIND, "GET", path, NULL,
                                     NULL, pool)
                : SB_INVALID;
}

static void items_add(sb_form_t *params, int phase, const sb_stripe_phase_item_t *items,
                      int n, apr_pool_t *pool)
{
    for (int i = 0; i < n; i++) {
        sb_form_add(params, apr_psprintf(pool, "phases[%d][items][%d][price]", phase, i),
                    items[i].price);
        sb_form_add_int(params,
                        apr_psprintf(pool, "phases[%d][items][%d][quantity]", phase, i),
                        items[i].quantity);
    }
}

sb_status_e sb_stripe_schedule_update(json_t **schedule, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *id,
                                      const sb_stripe_phases_t *phases, const char *key,
                                      apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscription_schedules/", id, pool);
    sb_form_t *params = sb_form_create(pool);

    *schedule = NULL;
    if (!path) {
        return SB_INVALID;
    }
    sb_form_add(params, "end_behavior", "release");
    sb_form_add(params, "proration_behavior", "none");
    sb_form_add_int(params, "phases[0][start_date]", phases->start);
    sb_form_add_int(params, "phases[0][end_date]", phases->until);
    if (phases->trial) {
        sb_form_add_bool(params, "phases[0][trial]", true);
    }
    items_add(params, 0, phases->now, phases->now_n, pool);
    sb_form_add(params, "phases[1][proration_behavior]", "none");
    sb_form_add(params, "phases[1][duration][interval]", phases->interval);
    sb_form_add_int(params, "phases[1][duration][interval_count]",
                    phases->interval_count);
    items_add(params, 1, phases->then, phases->then_n, pool);
    return sb_stripe_call_for(schedule, result, stripe, KIND, "POST", path, params, key,
                              pool);
}

sb_status_e sb_stripe_schedule_release(json_t **schedule, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *id,
                                       const char *key, apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscription_schedules/", id, pool);

    *schedule = NULL;
    return path ? sb_stripe_call_for(schedule, result, stripe, KIND, "POST",
                                     apr_pstrcat(pool, path, "/release", NULL), NULL, key,
                                     pool)
                : SB_INVALID;
}
