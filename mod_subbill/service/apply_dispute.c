/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A disputed payment closes the subscription it paid for: at once, for as long as the dispute is under way, and
 * for good when it is lost. Dispute, payment, invoice payment, invoice and subscription arrive in any
 * order, so nobody decides by what he brings: each arrival that may complete the chain counts the
 * subscription's disputes anew from the rows. Where the chain has a gap, a job asks Stripe for what is
 * missing; it also catches two ends that arrived in the same moment and did not see each other. */
#include "service/apply.h"

#include "base/log.h"
#include "domain/stripe_money.h"
#include "service/jobs.h"
#include "store/disputes.h"
#include "store/payments.h"
#include "store/subscriptions.h"

#include <string.h>

apr_status_t sb_apply_suspend(sb_apply_t *apply, const sb_subscription_t *sub)
{
    int count = 0;
    apr_status_t rv =
        sb_dispute_count(&count, apply->conn, sub->id, sub->livemode, apply->pool);

    if (rv != APR_SUCCESS || (count > 0) == sub->disputed) {
        return rv;
    }
    sb_log(SB_LOG_WARNING, 0, "SB421",
           "subscription %s of %s is %s; disputes that close it: %d (event %s)", sub->id,
           sub->user ? sub->user : "nobody yet", count ? "suspended" : "open again",
           count, apply->event->id);
    return sb_subscription_set_disputed(apply->conn, sub->id, sub->livemode, count > 0,
                                        sub->user, apply->pool);
}

static apr_status_t suspend_by_id(sb_apply_t *apply, const char *id)
{
    sb_subscription_t *sub = NULL;
    apr_status_t rv =
        sb_subscription_lock(&sub, apply->conn, id, apply->event->livemode, apply->pool);

    return rv == APR_SUCCESS && sub ? sb_apply_suspend(apply, sub) : rv;
}

/* One-time goods have no invoice that anybody could be asked for. */
static apr_status_t is_one_time(bool *one_time, sb_apply_t *apply, const char *payment)
{
    sb_payment_t *row = NULL;
    apr_status_t rv =
        sb_payment_get(&row, apply->conn, payment, apply->event->livemode, apply->pool);

    *one_time = row && row->kind && strcmp(row->kind, SB_PAYMENT_CHECKOUT) == 0;
    return rv;
}

static apr_status_t wish(sb_apply_t *apply, const sb_dispute_t *disputes, int n)
{
    /* One that is won as well: what it paid for may have been closed a moment ago by somebody who saw it
     * open. */
    return n > 0 ? sb_job_enqueue(apply->conn, SB_JOB_DISPUTE, disputes[0].id,
                                  apply->event->livemode, NULL, 0, apply->pool)
                 : APR_SUCCESS;
}

apr_status_t sb_apply_recount(bool *gap, sb_apply_t *apply, const char *payment)
{
    bool one_time = false;
    sb_dispute_chain_t *chain;
    int links = 0;
    apr_status_t rv = sb_dispute_chain(&chain, &links, apply->conn, payment,
                                       apply->event->livemode, apply->pool);

    if (rv == APR_SUCCESS && links == 0) {
        rv = is_one_time(&one_time, apply, payment);
    }
    *gap = links == 0 && !one_time;
    for (int i = 0; rv == APR_SUCCESS && i < links; i++) {
        *gap = *gap || !chain[i].known || (chain[i].subscription && !chain[i].held);
        if (chain[i].subscription) {
            rv = suspend_by_id(apply, chain[i].subscription);
        }
    }
    return rv;
}

apr_status_t sb_apply_disputed(sb_apply_t *apply, const char *payment)
{
    sb_dispute_t *disputes;
    bool gap = false;
    int n;
    apr_status_t rv = sb_dispute_list(&disputes, &n, apply->conn, payment,
                                      apply->event->livemode, apply->pool);

    if (rv != APR_SUCCESS || n == 0) {
        return rv;
    }
    rv = sb_apply_recount(&gap, apply, payment);
    return rv == APR_SUCCESS && gap ? wish(apply, disputes, n) : rv;
}

apr_status_t sb_apply_disputed_invoice(sb_apply_t *apply, const char *invoice)
{
    const char *const *payments;
    int n;
    apr_status_t rv = sb_dispute_payments(&payments, &n, apply->conn, invoice,
                                          apply->event->livemode, apply->pool);

    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        rv = sb_apply_disputed(apply, payments[i]);
    }
    return rv;
}

apr_status_t sb_apply_dispute(sb_apply_t *apply)
{
    sb_dispute_facts_t facts;
    sb_dispute_t *stored = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_dispute(&facts, &result, apply->event->object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    const sb_dispute_t told = {
        .id = facts.id,
        .livemode = apply->event->livemode,
        .payment = facts.payment_intent ? facts.payment_intent : facts.charge,
        .charge = facts.charge,
        .currency = facts.currency,
        .amount = facts.amount,
        .status = facts.status ? facts.status : "unknown",
        .reason = facts.reason,
        .created_at = facts.created,
        .told_at = apply->event->created,
        .source = apply->source,
    };
    apr_status_t rv =
        sb_dispute_lock(&stored, apply->conn, told.id, told.livemode, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!sb_dispute_replaces(stored, &told)) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
    }
    rv = sb_dispute_save(apply->conn, &told, apply->pool);
    return rv == APR_SUCCESS ? sb_apply_disputed(apply, told.payment) : rv;
}
