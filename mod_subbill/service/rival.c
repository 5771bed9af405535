/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The session is looked at before it is ended: one that was paid a moment ago, in the other tab, is
 * fulfilled by the code of the return page, so that the new purchase can be refused. */
#include "service/rival.h"

#include "base/log.h"
#include "service/returning.h"
#include "stripe/checkout_sessions.h"

typedef struct ending_t {
    const sb_checkout_t *rival;
} ending_t;

static apr_status_t close_row(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const ending_t *ending = baton;

    return sb_checkout_close(conn, ending->rival->id, SB_CHECKOUT_EXPIRED, pool);
}

sb_status_e sb_rival_end(bool *complete, sb_result_t *result, sb_service_t *service,
                         const sb_checkout_t *rival, apr_pool_t *pool)
{
    ending_t ending = {.rival = rival};
    sb_return_t seen;
    json_t *session;
    sb_stripe_t *stripe = sb_service_stripe(result, service);

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status =
        sb_return_complete(&seen, result, service, rival->session, NULL, pool);
    if (status == SB_OK && seen.state != SB_RETURN_OPEN) {
        *complete = true;
        return SB_OK;
    }
    if (status == SB_OK) {
        status =
            sb_stripe_checkout_expire(&session, result, stripe, rival->session, pool);
    }
    if (status != SB_OK && status != SB_NOT_FOUND) {
        return status;
    }
    sb_result_clear(result);
    sb_log(SB_LOG_INFO, 0, "SB411",
           "session %s of user %s was ended: another purchase takes its place",
           rival->session, rival->user);
    return sb_db_transaction(service->db, SB_DEADLINE_PAGE, close_row, &ending, result,
                             pool);
}
