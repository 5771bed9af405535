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

/* The phase that runs, NULL when the schedule tells of none. */
static const json_t *running_phase(const json_t *schedule)
{
    apr_int64_t start = sb_json_int(schedule, "current_phase.start_date", -1);
    const json_t *phase;
    size_t i;

    json_array_foreach(json_object_get(schedule, "phases"), i, phase)
    {
        if (sb_json_int(phase, "start_date", -2) == start) {
            return phase;
        }
    }
    return NULL;
}

static sb_status_e phases_set(json_t **out, sb_act_t *act, sb_result_t *result,
                              const json_t *schedule, const sb_planned_wish_t *wish,
                              const char *key, apr_pool_t *pool)
{
    const sb_stripe_phases_t phases = {
        .running = running_phase(schedule),
        .until = wish->effective_at,
        .trial = act->now.status == SB_STATUS_TRIALING,
        .old_price = wish->old_price,
        .price = wish->price,
        .quantity = wish->quantity,
        .interval = wish->interval,
        .interval_count = wish->interval_count,
    };

    return phases.running ? sb_stripe_schedule_update(out, result, act->stripe,
                                                      sb_json_text(schedule, "id"),
                                                      &phases, key, pool)
                          : sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                                          "The payment service gave an answer we do not "
                                          "understand.",
                                          NULL);
}

/* A schedule that got no phases plans nothing and would only stand in the way. Where it cannot be let go of, the next
 * act does that, or goes on with it. */
static void let_go(sb_act_t *act, const char *schedule, const char *key, apr_pool_t *pool)
{
    sb_result_t ignored;
    json_t *out;

    sb_result_clear(&ignored);
    sb_stripe_schedule_release(&out, &ignored, act->stripe, schedule, key, pool);
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
    status =
        phases_set(out, act, result, *out, wish, sb_act_key(act, step + 1, pool), pool);
    if (status != SB_OK) {
        if (!act->schedule && sb_stripe_refused(status, *out)) {
            let_go(act, schedule, sb_act_key(act, step + 2, pool), pool);
        }
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
        /* A webhook of this very second may tell of what this answer has replaced. */
        .told_at = sb_clock_now() + 1,
    };
    return sb_db_transaction(act->service->db, SB_DEADLINE_PAGE, remember, &planned,
                             result, pool);
}
