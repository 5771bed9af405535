/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The job of a dispute whose subscription is not known: asks Stripe, link by link, what the payment paid for. Each
 * answer is applied like an event. At the end the subscription's disputes are counted once more, for ends of
 * the chain that arrived in one moment and did not see each other. */
#include "base/json.h"
#include "base/clock.h"
#include "service/apply.h"
#include "service/ingest.h"
#include "service/jobs.h"
#include "service/pace.h"
#include "service/refresh.h"
#include "store/disputes.h"
#include "stripe/money.h"

#include <apr_strings.h>
#include <string.h>

typedef struct look_t {
    sb_service_t *service;
    const char *id;
    bool livemode;
    sb_dispute_t *dispute;
    sb_dispute_chain_t *chain;
    int n;
} look_t;

static apr_status_t look(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    look_t *seen = baton;
    apr_status_t rv =
        sb_dispute_get(&seen->dispute, conn, seen->id, seen->livemode, pool);

    seen->n = 0;
    return rv == APR_SUCCESS && seen->dispute
               ? sb_dispute_chain(&seen->chain, &seen->n, conn, seen->dispute->payment,
                                  seen->livemode, pool)
               : rv;
}

static sb_status_e look_again(look_t *seen, sb_result_t *result, sb_service_t *service,
                              apr_pool_t *pool)
{
    return sb_db_read(service->db, SB_DEADLINE_PAGE, look, seen, result, pool);
}

static sb_status_e keep_link(sb_result_t *result, sb_service_t *service,
                             const look_t *seen, const json_t *link, apr_pool_t *pool)
{
    const char *id = sb_json_text(link, "id");
    sb_ingest_t outcome;

    if (!id || !sb_stripe_id_valid(id)) {
        return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                             "The payment service lists something without an id.", NULL);
    }
    const sb_event_t event = {
        .id = apr_psprintf(pool, "fetch:%.120s:%.120s", id, seen->id),
        .type = "invoice_payment.paid",
        .created = seen->dispute->told_at,
        .livemode = seen->livemode,
        .api_version = SB_STRIPE_VERSION,
        .kind = "invoice_payment",
        .object_id = id,
        .object = link,
    };
    return sb_ingest_fact(&outcome, result, service, &event, SB_SOURCE_FETCH, pool);
}

static sb_status_e ask_links(sb_result_t *result, sb_service_t *service,
                             const look_t *seen, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    json_t *list = NULL;

    /* A charge without an intent is of the days when it named its invoice itself. */
    if (strncmp(seen->dispute->payment, "pi_", 3) != 0) {
        return SB_OK;
    }
    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_pace_take(result, service, pool);
    if (status == SB_OK) {
        status = sb_stripe_invoice_payments(&list, result, stripe, seen->dispute->payment,
                                            pool);
        sb_pace_heed(status, result, service, pool);
    }
    const json_t *data = sb_json_get(list, "data");
    for (size_t i = 0; status == SB_OK && i < json_array_size(data); i++) {
        status = keep_link(result, service, seen, json_array_get(data, i), pool);
    }
    return status;
}

/* Reads the invoices that have no row; subscriptions: those instead. */
static sb_status_e ask_rows(sb_result_t *result, sb_service_t *service,
                            const look_t *seen, bool subscriptions, apr_pool_t *pool)
{
    const sb_cause_t cause = {.id = seen->id, .created = seen->dispute->told_at};
    sb_status_e status = SB_OK;

    for (int i = 0; status == SB_OK && i < seen->n; i++) {
        const sb_dispute_chain_t *link = &seen->chain[i];
        if (!subscriptions && !link->known) {
            status = sb_refresh_object(result, service, "invoice", link->invoice, NULL,
                                       &cause, pool);
        }
        if (subscriptions && link->subscription && !link->held) {
            status = sb_refresh_object(result, service, "subscription",
                                       link->subscription, NULL, &cause, pool);
        }
    }
    return status;
}

static apr_status_t recount(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const look_t *seen = baton;
    const sb_event_t event = {
        .id = seen->id, .livemode = seen->livemode, .created = seen->dispute->told_at};
    sb_apply_t apply = {.service = seen->service,
                        .conn = conn,
                        .pool = pool,
                        .event = &event,
                        .source = SB_SOURCE_FETCH,
                        .now = sb_clock_now()};
    bool gap;

    return sb_apply_recount(&gap, &apply, seen->dispute->payment);
}

sb_status_e sb_step_dispute(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                            apr_pool_t *pool)
{
    look_t seen = {.service = service,
                   .id = step->job->subject,
                   .livemode = service->settings->live};
    sb_status_e status = look_again(&seen, result, service, pool);

    if (status != SB_OK || !seen.dispute) {
        return status;
    }
    bool closes = sb_dispute_closes(seen.dispute); /* else there is nothing to ask for */
    if (closes && seen.n == 0) {
        status = ask_links(result, service, &seen, pool);
    }
    for (int subscriptions = 0; status == SB_OK && closes && subscriptions <= 1;
         subscriptions++) {
        status = look_again(&seen, result, service, pool);
        if (status == SB_OK && seen.dispute) {
            status = ask_rows(result, service, &seen, subscriptions == 1, pool);
        }
    }
    if (status == SB_OK && seen.dispute) {
        status = sb_db_transaction(service->db, SB_DEADLINE_INGEST, recount, &seen,
                                   result, pool);
    }
    return status;
}
