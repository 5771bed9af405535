/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/membership.h"

#include "base/clock.h"
#include "base/log.h"
#include "domain/identity.h"
#include "store/accounts.h"

#include <string.h>

typedef struct activation_t {
    const sb_service_t *service;
    const char *user;
    const char *email;
    apr_int64_t now;
} activation_t;

static apr_status_t activate(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const activation_t *work = baton;
    const sb_catalog_t *catalog = work->service->catalog;
    apr_status_t rv = sb_account_ensure(conn, work->user, work->email, work->now, pool);

    for (int i = 0; rv == APR_SUCCESS && i < catalog->plans_n; i++) {
        if (catalog->plans[i].is_default) {
            rv = sb_membership_add(conn, work->user, catalog->plans[i].key, work->now,
                                   pool);
        }
    }
    return rv;
}

sb_status_e sb_membership_activate(sb_result_t *result, sb_service_t *service,
                                   const char *user, const char *email, apr_pool_t *pool)
{
    activation_t work = {
        .service = service,
        .user = user,
        .email = email && sb_email_valid(email) ? email : NULL,
        .now = sb_clock_now(),
    };
    sb_status_e status =
        sb_db_transaction(service->db, SB_DEADLINE_PAGE, activate, &work, result, pool);

    if (status == SB_OK) {
        sb_log(SB_LOG_INFO, 0, "SB462", "user %s is seen for the first time", user);
    }
    return status;
}

bool sb_membership_missing(const sb_account_view_t *view, const sb_catalog_t *catalog)
{
    bool missing = !view->known;

    for (int i = 0; !missing && i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        missing = plan->is_default && !sb_account_member_since(view, plan->key);
    }
    return missing;
}
