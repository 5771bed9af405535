/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/goods.h"

#include "base/log.h"
#include "domain/identity.h"
#include "service/asserted.h"
#include "store/goods.h"

typedef struct work_t {
    const sb_goods_request_t *request;
    bool livemode;
    bool known; /* what there was before: a repeat may find its own work done */
    apr_int64_t before;
} work_t;

static apr_status_t read_before(work_t *work, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_goods_request_t *request = work->request;
    bool owned;

    if (request->thing == SB_THING_CREDIT) {
        return sb_balance_units(&work->before, conn, request->user, request->key,
                                work->livemode, pool);
    }
    apr_status_t rv = sb_purchase_owned(&owned, conn, request->user, request->key,
                                        work->livemode, pool);
    work->before = owned;
    return rv;
}

static apr_status_t set(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    work_t *work = baton;
    const sb_goods_request_t *request = work->request;
    const sb_asserted_t said = {
        .what =
            request->thing == SB_THING_CREDIT ? SB_ASSERTED_CREDIT : SB_ASSERTED_PURCHASE,
        .user = request->user,
        .who = request->who,
        .key = request->key,
        .units = request->units,
        .livemode = work->livemode,
    };
    apr_status_t rv = work->known ? APR_SUCCESS : read_before(work, conn, pool);

    work->known = rv == APR_SUCCESS;
    return rv == APR_SUCCESS && work->before != request->units && !request->dry_run
               ? sb_asserted_store(conn, &said, pool)
               : rv;
}

sb_status_e sb_goods_set(apr_int64_t *before, sb_result_t *result, sb_service_t *service,
                         const sb_goods_request_t *request, apr_pool_t *pool)
{
    const char *wrong = *request->user ? sb_identity_check(request->user) : "it is empty";
    work_t work = {.request = request, .livemode = service->settings->live};

    *before = 0;
    if (wrong) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_identity", NULL,
                              "This user name cannot be used: %s.", wrong);
    }
    if (!sb_thing_key_fits(request->key)) {
        return sb_result_setf(
            result, pool, SB_INVALID, "bad_key", NULL,
            "This key cannot be used: it has 1 to %d bytes of UTF-8 without control "
            "characters.",
            SB_THING_KEY_MAX);
    }
    sb_status_e status =
        sb_db_transaction(service->db, SB_DEADLINE_PAGE, set, &work, result, pool);
    *before = work.before;
    if (status == SB_OK && work.before != request->units && !request->dry_run) {
        sb_log(SB_LOG_NOTICE, 0, "SB413",
               request->thing == SB_THING_CREDIT
                   ? "user %s has %" APR_INT64_T_FMT " units of %s, said %s"
                   : "user %s has %" APR_INT64_T_FMT " of the purchase %s, said %s",
               request->user, request->units, request->key, request->who);
    }
    return status;
}
