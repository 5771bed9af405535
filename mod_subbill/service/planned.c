/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/planned.h"

#include "base/clock.h"
#include "store/planned.h"

#include <string.h>

static apr_status_t end(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_act_t *act = baton;

    return sb_planned_end(conn, act->schedule, act->now.livemode, pool);
}

sb_status_e sb_planned_release(json_t **out, sb_act_t *act, sb_result_t *result, int step,
                               apr_pool_t *pool)
{
    *out = NULL;
    if (!act->schedule) {
        return SB_OK;
    }
    sb_status_e status = sb_stripe_schedule_release(
        out, result, act->stripe, act->schedule, sb_act_key(act, step, pool), pool);
    return status == SB_OK ? sb_db_transaction(act->service->db, SB_DEADLINE_PAGE, end,
                                               act, result, pool)
                           : status;
}

/* --- making one ------------------------------------------------------------------------------- */

static apr_status_t remember(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    return sb_planned_save(conn, baton, pool);
}

/* The phases: what is, until then; and the same with one item replaced, from then on. */
static sb_status_e phases_set(json_t **out, sb_act_t *act, sb_result_t *result,
                              const char *schedule, apr_int64_t start,
                              const sb_planned_wish_t *wish, const char *key,
                              apr_pool_t *pool)
{
    const sb_subscription_t *sub = &act->now;
    apr_size_t size = sizeof(sb_stripe_phase_item_t) * (apr_size_t)sub->items_n;
    sb_stripe_phase_item_t *now = apr_pcalloc(pool, size);
    sb_stripe_phase_item_t *then = apr_pcalloc(pool, size);

    for (int i = 0; i < sub->items_n; i++) {
        const sb_subscription_item_t *item = &sub->items[i];
        now[i] =
            (sb_stripe_phase_item_t){.price = item->price, .quantity = item->quantity};
        then[i] = strcmp(item->id, wish->item) == 0
                      ? (sb_stripe_phase_item_t){.price = wish->price,
                                                 .quantity = wish->quantity}
                      : now[i];
    }
    const sb_stripe_phases_t phases = {
        .start = start,
        .until = wish->effective_at,
        .trial = sub->status == SB_STATUS_TRIALING,
        .now = now,
        .now_n = sub->items_n,
        .then = then,
        .then_n = sub->items_n,
        .interval = wish->interval,
        .interval_count = wish->interval_count,
    };
    return sb_stripe_schedule_update(out, result, act->stripe, schedule, &phases, key,
                                     pool);
}

sb_status_e sb_planned_make(json_t **out, sb_act_t *act, sb_result_t *result,
                            const sb_planned_wish_t *wish, int step, apr_pool_t *pool)
{
    sb_status_e status =
        act->schedule
            ? sb_stripe_schedule_retrieve(out, result, act->stripe, act->schedule, pool)
            : sb_stripe_schedule_create(out, result, act->stripe, act->now.id,
                                        sb_act_key(act, step, pool), pool);

    if (status != SB_OK) {
        return status;
    }
    const char *schedule = sb_json_text(*out, "id");
    status = phases_set(
        out, act, result, schedule,
        sb_json_int(*out, "current_phase.start_date", act->now.current_period_start),
        wish, sb_act_key(act, step + 1, pool), pool);
    if (status != SB_OK) {
        return status;
    }
    sb_planned_t planned = {
        .subscription = act->now.id,
        .livemode = act->now.livemode,
        .schedule = schedule,
        .plan = wish->plan,
        .price = wish->price,
        .quantity = wish->quantity,
        .effective_at = wish->effective_at,
        .told_at = sb_clock_now(),
    };
    return sb_db_transaction(act->service->db, SB_DEADLINE_PAGE, remember, &planned,
                             result, pool);
}
