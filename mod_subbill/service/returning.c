/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The success page may be faster than the webhook, or run without one, or never run. All three end in
 * the same rows: what is fetched here becomes an event like any other, whose id names what was seen,
 * so that a reload of the page finds a duplicate and a changed session does not. The id in the
 * address proves nothing: only sessions in our own table count, and only their buyer sees details. */
#include "service/returning.h"

#include "base/clock.h"
#include "base/log.h"
#include "service/access.h"
#include "service/ingest.h"
#include "store/checkouts.h"
#include "store/subscriptions.h"
#include "stripe/checkout_sessions.h"

#include <apr_strings.h>
#include <string.h>

enum { SESSION_ID_MAX = 200 };

typedef struct visit_t {
    sb_service_t *service;
    const char *session;
    sb_checkout_t *row;
    sb_subscription_t *sub;
    apr_int64_t
        seen; /* when the newest statement about a subscription of the buyer was made */
} visit_t;

const char *sb_return_state_word(sb_return_state_e state)
{
    static const char *const words[] = {
        [SB_RETURN_OPEN] = "open",
        [SB_RETURN_PROCESSING] = "processing",
        [SB_RETURN_PAID] = "paid",
        [SB_RETURN_FAILED] = "failed",
    };

    return (unsigned)state < sizeof(words) / sizeof(*words) ? words[state] : words[0];
}

static apr_status_t look_at_all(visit_t *visit, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_subscription_t *subs;
    int n = 0;
    apr_status_t rv = sb_subscription_list(&subs, &n, conn, visit->row->user,
                                           visit->row->livemode, pool);

    visit->seen = 0;
    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        visit->seen =
            subs[i].event_created > visit->seen ? subs[i].event_created : visit->seen;
        if (visit->row->subscription &&
            strcmp(subs[i].id, visit->row->subscription) == 0) {
            visit->sub = &subs[i];
        }
    }
    return rv;
}

static apr_status_t load(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    visit_t *visit = baton;
    bool live = visit->service->settings->live;

    visit->sub = NULL;
    apr_status_t rv = sb_checkout_by_session(&visit->row, conn, visit->session, pool);
    if (rv != APR_SUCCESS || !visit->row) {
        return rv;
    }
    if (visit->row->livemode != live) {
        visit->row = NULL;
        return APR_SUCCESS;
    }
    return look_at_all(visit, conn, pool);
}

/* A price that belongs to no plan opens nothing, whoever has paid it. */
static bool opens(const visit_t *visit)
{
    return visit->sub && visit->sub->user &&
           strcmp(visit->sub->user, visit->row->user) == 0 &&
           sb_subscription_access(visit->sub, sb_clock_now(), 0).granted &&
           sb_access_plan(visit->service->catalog, visit->sub) >= 0;
}

static sb_status_e find(visit_t *visit, sb_result_t *result, apr_pool_t *pool)
{
    sb_status_e status =
        sb_db_snapshot(visit->service->db, SB_DEADLINE_PAGE, load, visit, result, pool);

    if (status == SB_OK && !visit->row) {
        return sb_result_set(result, SB_NOT_FOUND, "unknown_session",
                             "This order is not known here.", NULL);
    }
    return status;
}

/* --- asking Stripe -------------------------------------------------------------------------- */

static const char *word(const json_t *session, const char *path)
{
    const char *text = sb_json_text(session, path);

    return text ? text : "-";
}

static const char *event_type(const json_t *session)
{
    return strcmp(word(session, "status"), "expired") == 0 ? "checkout.session.expired"
                                                           : "checkout.session.completed";
}

/* Fetches the session with its subscription and fulfils it when it came to an end. */
static sb_status_e fulfil(json_t **session, visit_t *visit, sb_result_t *result,
                          apr_pool_t *pool)
{
    static const char *const expand[] = {"subscription"};
    sb_stripe_t *stripe = sb_service_stripe(result, visit->service);
    sb_ingest_t outcome;

    *session = NULL;
    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_stripe_checkout_retrieve(session, result, stripe,
                                                     visit->session, expand, 1, pool);
    if (status != SB_OK) {
        *session = NULL;
        return status;
    }
    if (strcmp(word(*session, "status"), "open") == 0) {
        return SB_OK;
    }
    const sb_event_t event = {
        .id = apr_psprintf(pool, "return:%s:%.16s:%.24s:%.24s", visit->session,
                           word(*session, "status"), word(*session, "payment_status"),
                           word(*session, "subscription.status")),
        .type = event_type(*session),
        .created = sb_clock_now(),
        .seen = visit->seen,
        .livemode = visit->service->settings->live,
        .api_version = SB_STRIPE_VERSION,
        .kind = "checkout.session",
        .object_id = visit->session,
        .object = *session,
    };
    status =
        sb_ingest_fact(&outcome, result, visit->service, &event, SB_SOURCE_RETURN, pool);
    return status == SB_OK ? find(visit, result, pool) : status;
}

/* --- the answer ----------------------------------------------------------------------------- */

static sb_return_state_e state_of(const visit_t *visit, const json_t *session)
{
    if (opens(visit)) {
        return SB_RETURN_PAID;
    }
    switch (visit->row->state) {
    case SB_CHECKOUT_EXPIRED:
    case SB_CHECKOUT_FAILED:
        return SB_RETURN_FAILED;
    case SB_CHECKOUT_COMPLETE:
        /* Paid once, and since then canceled, say: nothing is on its way any more. */
        return visit->sub && sb_subscription_status_final(visit->sub->status)
                   ? SB_RETURN_FAILED
                   : SB_RETURN_PROCESSING;
    case SB_CHECKOUT_OPEN:
        break;
    }
    return session && strcmp(word(session, "status"), "complete") == 0
               ? SB_RETURN_PROCESSING
               : SB_RETURN_OPEN;
}

static void describe(sb_return_t *out, const visit_t *visit, const json_t *session,
                     const char *viewer)
{
    const sb_catalog_t *catalog = visit->service->catalog;
    const sb_checkout_t *row = visit->row;
    const sb_catalog_price_t *price =
        row->price ? sb_catalog_price_by_id(catalog, row->price, row->livemode) : NULL;

    *out = (sb_return_t){
        .state = state_of(visit, session),
        .owner = viewer && strcmp(viewer, row->user) == 0,
        .user = row->user,
        .plan = row->plan ? sb_catalog_plan(catalog, row->plan) : NULL,
        .price = price,
        .subscription = row->subscription,
        .success_url = row->success_url,
        .cancel_url = row->cancel_url,
    };
}

static bool session_id_valid(const char *id)
{
    return id && strncmp(id, "cs_", 3) == 0 && strlen(id) <= SESSION_ID_MAX &&
           sb_stripe_id_valid(id);
}

sb_status_e sb_return_complete(sb_return_t *out, sb_result_t *result,
                               sb_service_t *service, const char *session_id,
                               const char *viewer, apr_pool_t *pool)
{
    visit_t visit = {.service = service, .session = session_id};
    json_t *session = NULL;

    *out = (sb_return_t){.state = SB_RETURN_OPEN};
    if (!session_id_valid(session_id)) {
        return sb_result_set(result, SB_NOT_FOUND, "unknown_session",
                             "This order is not known here.", NULL);
    }
    sb_status_e status = find(&visit, result, pool);
    if (status != SB_OK) {
        return status;
    }
    /* When the webhook was faster there is nothing to ask. */
    if (!opens(&visit)) {
        status = fulfil(&session, &visit, result, pool);
        if (status != SB_OK && !session) {
            sb_log(SB_LOG_WARNING, 0, "SB409",
                   "session %s could not be fetched for the success page (%s); the "
                   "webhook will tell",
                   session_id, result->code);
            sb_result_clear(result);
            status = SB_OK;
        }
        if (status != SB_OK) {
            return status;
        }
    }
    describe(out, &visit, session, viewer);
    return SB_OK;
}
