/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/planned.h"

#include "store/planned.h"

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
