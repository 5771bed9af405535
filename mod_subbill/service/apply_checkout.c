/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A Checkout session that came to an end. It ties customer and user together; the subscription itself
 * comes by its own event, or inside the session when the return page has fetched it. A session that
 * this server did not make and did not stamp ties nobody, whatever its client_reference_id says. */
#include "service/apply.h"

#include "store/checkouts.h"
#include "store/subscriptions.h"

#include <string.h>

/* Our row for this session. When Stripe's answer to its creation was lost, the row is found by the id
 * that we put into the metadata, and learns its session now (F17). */
static apr_status_t find_row(sb_checkout_t **row, sb_apply_t *apply,
                             const sb_checkout_facts_t *facts)
{
    apr_status_t rv = sb_checkout_by_session(row, apply->conn, facts->id, apply->pool);

    if (rv != APR_SUCCESS || *row || !facts->metadata_checkout) {
        return rv;
    }
    rv = sb_checkout_by_id(row, apply->conn, facts->metadata_checkout, apply->pool);
    if (rv != APR_SUCCESS || !*row) {
        return rv;
    }
    if ((*row)->session || (*row)->livemode != facts->livemode) {
        *row = NULL;
        return APR_SUCCESS;
    }
    return sb_checkout_set_session(apply->conn, (*row)->id, facts->id, facts->url,
                                   facts->customer, facts->expires_at, apply->pool);
}

/* The subscription may have arrived before anybody knew whose it is. Binding the customer has given it
 * its user, unless the user keeps another customer. */
static apr_status_t adopt(sb_apply_t *apply, const char *id, const char *user)
{
    sb_subscription_t *stored = NULL;
    apr_status_t rv = sb_subscription_lock(&stored, apply->conn, id,
                                           apply->service->settings->live, apply->pool);

    if (rv != APR_SUCCESS || !stored || !user) {
        return rv;
    }
    if (!stored->user) {
        stored->user = user;
        rv = sb_subscription_save(apply->conn, stored, apply->now, apply->pool);
    }
    return rv == APR_SUCCESS ? sb_apply_trial(apply, stored) : rv;
}

static bool is_type(const sb_apply_t *apply, const char *type)
{
    return strcmp(apply->event->type, type) == 0;
}

static apr_status_t settle_row(sb_apply_t *apply, const sb_checkout_t *row,
                               const sb_checkout_facts_t *facts)
{
    bool changed;

    if (is_type(apply, "checkout.session.async_payment_failed")) {
        return sb_checkout_close(apply->conn, row->id, SB_CHECKOUT_FAILED, apply->pool);
    }
    /* Complete but unpaid: a slow payment method; the row stays open until the money says. */
    if (facts->payment_status && strcmp(facts->payment_status, "unpaid") == 0) {
        return APR_SUCCESS;
    }
    return sb_checkout_complete(&changed, apply->conn, row->id, facts->customer,
                                facts->subscription, apply->now, apply->pool);
}

static apr_status_t complete(sb_apply_t *apply, const sb_checkout_facts_t *facts,
                             const sb_checkout_t *row)
{
    const char *claimed = row ? row->user : facts->metadata_user;
    const json_t *subscription = json_object_get(apply->event->object, "subscription");
    const char *user;

    if (!claimed) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "unknown_session", NULL);
    }
    apr_status_t rv = sb_apply_bind(&user, apply, facts->customer, claimed);
    if (rv != APR_SUCCESS || apply->verdict != SB_APPLY_DONE) {
        return rv;
    }
    if (row) {
        rv = settle_row(apply, row, facts);
    }
    if (rv == APR_SUCCESS && json_is_object(subscription)) {
        rv = sb_apply_subscription_object(apply, subscription);
        /* That it says nothing new about the subscription does not undo the rest. */
        if (apply->verdict == SB_APPLY_IGNORED) {
            sb_apply_end(apply, SB_APPLY_DONE, NULL, NULL);
        }
    }
    if (rv == APR_SUCCESS && facts->subscription && apply->verdict == SB_APPLY_DONE) {
        rv = adopt(apply, facts->subscription, user);
    }
    return rv;
}

/* One-time goods: what was paid for them is recorded, nothing is opened. */
static apr_status_t complete_payment(sb_apply_t *apply, const sb_checkout_facts_t *facts,
                                     const sb_checkout_t *row)
{
    const char *claimed = row ? row->user : facts->metadata_user;
    const char *user;

    if (!claimed) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "unknown_session", NULL);
    }
    apr_status_t rv = sb_apply_bind(&user, apply, facts->customer, claimed);
    if (rv != APR_SUCCESS || apply->verdict != SB_APPLY_DONE) {
        return rv;
    }
    if (row && is_type(apply, "checkout.session.expired")) {
        rv = sb_checkout_close(apply->conn, row->id, SB_CHECKOUT_EXPIRED, apply->pool);
    }
    else if (row) {
        rv = settle_row(apply, row, facts);
    }
    return rv == APR_SUCCESS ? sb_apply_checkout_payment(apply, facts, user) : rv;
}

apr_status_t sb_apply_checkout(sb_apply_t *apply)
{
    sb_checkout_facts_t facts;
    sb_checkout_t *row = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_checkout_session(&facts, &result, apply->event->object, apply->pool) !=
        SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    if (facts.livemode != apply->service->settings->live) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "livemode_mismatch", NULL);
    }
    bool payment = facts.mode && strcmp(facts.mode, "payment") == 0;
    if (!payment && (!facts.mode || strcmp(facts.mode, "subscription") != 0)) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "not_a_subscription", NULL);
    }
    apr_status_t rv = find_row(&row, apply, &facts);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (is_type(apply, "checkout.session.expired") &&
        !(payment && facts.payment_intent)) {
        return row ? sb_checkout_close(apply->conn, row->id, SB_CHECKOUT_EXPIRED,
                                       apply->pool)
                   : sb_apply_end(apply, SB_APPLY_IGNORED, "unknown_session", NULL);
    }
    return payment ? complete_payment(apply, &facts, row) : complete(apply, &facts, row);
}
