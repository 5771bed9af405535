/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/links.h"

#include "base/log.h"
#include "domain/identity.h"
#include "service/asserted.h"
#include "store/customers.h"
#include "store/subscriptions.h"
#include "stripe/customers.h"

#include <apr_strings.h>
#include <string.h>

typedef struct work_t {
    const sb_service_t *service;
    const sb_link_request_t *request;
    sb_link_t *link;
    bool present; /* the customer is the user's already */
    bool refused; /* force is needed */
} work_t;

static apr_status_t look(work_t *work, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_link_request_t *request = work->request;
    bool live = work->service->settings->live;
    sb_customer_t *row = NULL, *other = NULL;
    apr_status_t rv = sb_customer_by_id(&row, conn, request->customer, live, pool);

    if (rv == APR_SUCCESS) {
        rv = sb_customer_by_user(&other, conn, request->user, live, pool);
    }
    bool owned = row && row->user;
    work->present = owned && !row->deleted_at && strcmp(row->user, request->user) == 0;
    work->link->from_user =
        owned && strcmp(row->user, request->user) != 0 ? row->user : NULL;
    work->link->from_customer =
        other && strcmp(other->id, request->customer) != 0 ? other->id : NULL;
    work->refused =
        !request->force && (work->link->from_user || work->link->from_customer);
    return rv;
}

static apr_status_t set(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    work_t *work = baton;
    const sb_link_request_t *request = work->request;
    bool live = work->service->settings->live;
    sb_subscription_t *subs;
    apr_status_t rv = look(work, conn, pool);

    work->link->changed = rv == APR_SUCCESS && !work->present && !work->refused;
    if (work->link->changed && !request->dry_run) {
        const sb_asserted_t moved = {
            .what = SB_ASSERTED_MOVED,
            .customer = request->customer,
            .user = request->user,
            .who = request->who,
            .livemode = live,
        };
        rv = sb_asserted_store(conn, &moved, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_subscription_list(&subs, &work->link->subscriptions, conn, request->user,
                                  live, pool);
    }
    return rv;
}

static sb_status_e check(sb_result_t *result, sb_service_t *service,
                         const sb_link_request_t *request, apr_pool_t *pool)
{
    const char *wrong = *request->user ? sb_identity_check(request->user) : "it is empty";
    json_t *customer;

    if (wrong) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_identity", NULL,
                              "This user name cannot be used: %s.", wrong);
    }
    if (strncmp(request->customer, "cus_", 4) != 0 || !request->customer[4] ||
        !sb_stripe_id_valid(request->customer)) {
        return sb_result_set(result, SB_INVALID, "bad_id",
                             "A customer's id looks like cus_NffrFeUfNV2Hib.",
                             "copy it from the Dashboard");
    }
    if (request->offline) {
        return SB_OK;
    }
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    return stripe ? sb_stripe_customer_retrieve(&customer, result, stripe,
                                                request->customer, pool)
                  : SB_UNAVAILABLE;
}

sb_status_e sb_link_set(sb_link_t *link, sb_result_t *result, sb_service_t *service,
                        const sb_link_request_t *request, apr_pool_t *pool)
{
    work_t work = {.service = service, .request = request, .link = link};

    *link = (sb_link_t){.changed = false};
    sb_status_e status = check(result, service, request, pool);
    if (status == SB_OK) {
        status =
            sb_db_transaction(service->db, SB_DEADLINE_PAGE, set, &work, result, pool);
    }
    if (status != SB_OK) {
        return status;
    }
    if (work.refused && link->from_user) {
        return sb_result_setf(result, pool, SB_CONFLICT, "customer_bound_elsewhere",
                              "add --force to move it with its subscriptions",
                              "Customer %s belongs to user %s.", request->customer,
                              link->from_user);
    }
    if (work.refused) {
        return sb_result_setf(result, pool, SB_CONFLICT, "user_has_customer",
                              "add --force to let that one go",
                              "User %s has customer %s.", request->user,
                              link->from_customer);
    }
    if (link->changed && !request->dry_run) {
        sb_log(SB_LOG_NOTICE, 0, "SB410", "customer %s now belongs to user %s, said %s",
               request->customer, request->user, request->who);
    }
    return SB_OK;
}
