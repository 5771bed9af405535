/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/portal.h"

#include "base/log.h"
#include "service/offer.h"
#include "service/patron.h"
#include "store/customers.h"
#include "store/subscriptions.h"
#include "stripe/portal_sessions.h"

#include <string.h>

typedef struct portal_t {
    const sb_service_t *service;
    const sb_portal_request_t *request;
    const char *customer;
    const char *subscription; /* the one that a flow is about */
} portal_t;

static apr_status_t find(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    portal_t *portal = baton;
    bool live = portal->service->settings->live;
    sb_customer_t *customer = NULL;
    sb_subscription_t *subs;
    int n = 0;
    apr_status_t rv =
        sb_customer_by_user(&customer, conn, portal->request->user, live, pool);

    portal->customer = customer ? customer->id : NULL;
    portal->subscription = NULL;
    if (rv != APR_SUCCESS || !customer || !portal->request->flow) {
        return rv;
    }
    rv = sb_subscription_list(&subs, &n, conn, portal->request->user, live, pool);
    for (int i = 0; rv == APR_SUCCESS && !portal->subscription && i < n; i++) {
        if (!sb_subscription_status_final(subs[i].status) && subs[i].customer &&
            strcmp(subs[i].customer, customer->id) == 0) {
            portal->subscription = subs[i].id;
        }
    }
    return rv;
}

static bool flow_known(const char *flow)
{
    static const char *const flows[] = {"payment_method_update", "subscription_cancel",
                                        "subscription_update"};

    for (size_t i = 0; i < sizeof(flows) / sizeof(*flows); i++) {
        if (strcmp(flow, flows[i]) == 0) {
            return true;
        }
    }
    return false;
}

static sb_status_e prepare(portal_t *portal, const char **back, sb_result_t *result,
                           sb_service_t *service, apr_pool_t *pool)
{
    const sb_portal_request_t *request = portal->request;

    if (request->flow && !flow_known(request->flow)) {
        return sb_result_set(result, SB_INVALID, "bad_flow",
                             "flow must be payment_method_update, subscription_cancel or "
                             "subscription_update.",
                             NULL);
    }
    sb_status_e status =
        sb_offer_url(back, result, service, request->return_url,
                     service->settings->portal_return_url, request->return_page, pool);
    if (status == SB_OK) {
        status = sb_db_read(service->db, SB_DEADLINE_PAGE, find, portal, result, pool);
    }
    if (status != SB_OK) {
        return status;
    }
    if (!portal->customer) {
        return sb_result_set(result, SB_NOT_FOUND, "no_customer",
                             "You have not bought anything here yet.", "choose a plan");
    }
    if (request->flow && strncmp(request->flow, "subscription_", 13) == 0 &&
        !portal->subscription) {
        return sb_result_set(result, SB_CONFLICT, "no_subscription",
                             "You have no subscription here.", "choose a plan");
    }
    return SB_OK;
}

sb_status_e sb_portal_open(const char **url, sb_result_t *result, sb_service_t *service,
                           const sb_portal_request_t *request, apr_pool_t *pool)
{
    portal_t portal = {.service = service, .request = request};
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    const char *back = NULL;
    json_t *session;

    *url = NULL;
    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = prepare(&portal, &back, result, service, pool);
    if (status != SB_OK) {
        return status;
    }
    const sb_stripe_portal_t create = {
        .customer = portal.customer,
        .return_url = back,
        .locale = request->locale,
        .flow = request->flow,
        .subscription = portal.subscription,
    };
    status = sb_stripe_portal_create(&session, result, stripe, &create, pool);
    if (sb_patron_missing(status, session)) {
        sb_log(
            SB_LOG_WARNING, 0, "SB408",
            "customer %s of user %s is missing at Stripe; the next checkout replaces it",
            portal.customer, request->user);
        return sb_result_set(result, SB_NOT_FOUND, "no_customer",
                             "You have not bought anything here yet.", "choose a plan");
    }
    if (status != SB_OK) {
        return status;
    }
    *url = sb_json_text(session, "url");
    return *url ? SB_OK
                : sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                                "The payment service answered without a page.", NULL);
}
