/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/trials.h"

#include "base/log.h"
#include "domain/identity.h"
#include "service/asserted.h"
#include "store/trials.h"

typedef struct work_t {
    const sb_trial_request_t *request;
    bool livemode;
    bool changed;
} work_t;

static apr_status_t mark(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    work_t *work = baton;
    const sb_asserted_t had = {
        .what = SB_ASSERTED_TRIAL,
        .user = work->request->user,
        .who = work->request->who,
        .livemode = work->livemode,
    };
    sb_trial_t *trial;
    apr_status_t rv = sb_trial_get(&trial, conn, had.user, had.livemode, pool);

    work->changed = rv == APR_SUCCESS && !trial;
    return work->changed && !work->request->dry_run ? sb_asserted_store(conn, &had, pool)
                                                    : rv;
}

sb_status_e sb_trial_use(bool *changed, sb_result_t *result, sb_service_t *service,
                         const sb_trial_request_t *request, apr_pool_t *pool)
{
    const char *wrong = *request->user ? sb_identity_check(request->user) : "it is empty";
    work_t work = {.request = request, .livemode = service->settings->live};

    *changed = false;
    if (wrong) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_identity", NULL,
                              "This user name cannot be used: %s.", wrong);
    }
    sb_status_e status =
        sb_db_transaction(service->db, SB_DEADLINE_PAGE, mark, &work, result, pool);
    *changed = status == SB_OK && work.changed;
    if (*changed && !request->dry_run) {
        sb_log(SB_LOG_NOTICE, 0, "SB412", "user %s has had the trial, said %s",
               request->user, request->who);
    }
    return status;
}
