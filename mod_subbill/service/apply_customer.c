/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What Stripe says of a customer: whose it is, where it wants its mail, and that it was deleted. Deletion is
 * final: the row stays as a tombstone that carries the time, and whatever is told later about the customer
 * or its subscriptions, or arrives later, finds it there (binding.c, apply_subscription.c). Only an operator
 * who links the customer again takes the stone away. */
#include "service/apply.h"

#include "base/json.h"
#include "domain/identity.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/subscriptions.h"

#include <string.h>

static bool read_facts(sb_customer_facts_t *facts, sb_apply_t *apply)
{
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_customer(facts, &result, apply->event->object, apply->pool) != SB_OK) {
        sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
        return false;
    }
    return true;
}

static apr_status_t lock(sb_customer_t **row, sb_apply_t *apply, const char *id)
{
    return sb_customer_lock(row, apply->conn, id, apply->event->livemode, apply->source,
                            apply->now, apply->pool);
}

/* Of two tellings of one second the creation is the older one. */
static bool is_news(const sb_apply_t *apply, const sb_customer_t *row)
{
    bool created = strcmp(apply->event->type, "customer.created") == 0;

    return apply->event->created > row->told_at ||
           (apply->event->created == row->told_at && !created);
}

static apr_status_t tell(sb_apply_t *apply, const sb_customer_facts_t *facts,
                         const sb_customer_t *row)
{
    /* What remains of a deleted one when it is asked for has neither mail nor name. */
    if (facts->deleted || !is_news(apply, row)) {
        return APR_SUCCESS;
    }
    return sb_customer_tell(apply->conn, facts->id, row->livemode, facts->email,
                            facts->name, facts->payment_method, apply->event->created,
                            apply->pool);
}

/* A customer stamped with a user belongs to that user; any other is a stranger until a checkout or an
 * operator says whose it is. */
apr_status_t sb_apply_customer(sb_apply_t *apply)
{
    sb_customer_facts_t facts;
    sb_customer_t *row = NULL;
    apr_status_t rv = APR_SUCCESS;
    const char *user;

    if (!read_facts(&facts, apply)) {
        return APR_SUCCESS;
    }
    if (facts.metadata_user) {
        rv = sb_apply_bind(&user, apply, facts.id, facts.metadata_user);
    }
    if (rv != APR_SUCCESS || apply->verdict != SB_APPLY_DONE) {
        return rv;
    }
    rv = lock(&row, apply, facts.id);
    return rv == APR_SUCCESS ? tell(apply, &facts, row) : rv;
}

/* Stripe ends a deleted customer's subscriptions at once; should their own events never come, this
 * one closes the door. */
static apr_status_t end_subscriptions(sb_apply_t *apply, const char *customer)
{
    bool livemode = apply->event->livemode;
    const char *const *ids;
    int n;
    apr_status_t rv = sb_subscription_of_customer(&ids, &n, apply->conn, customer,
                                                  livemode, apply->pool);

    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        sb_subscription_t *sub = NULL;
        rv = sb_subscription_lock(&sub, apply->conn, ids[i], livemode, apply->pool);
        if (rv != APR_SUCCESS || !sub || sb_subscription_status_final(sub->status)) {
            continue;
        }
        sb_subscription_entomb(sub, apply->event->created);
        rv = sb_subscription_save(apply->conn, sub, apply->now, apply->pool);
    }
    return rv;
}

apr_status_t sb_apply_customer_deleted(sb_apply_t *apply)
{
    sb_customer_facts_t facts;
    sb_customer_t *row = NULL;
    apr_status_t rv = APR_SUCCESS;
    const char *user = NULL;

    if (!read_facts(&facts, apply)) {
        return APR_SUCCESS;
    }
    /* Accounts come before customers, everywhere, so that nobody waits for each other. */
    if (facts.metadata_user && !sb_identity_check(facts.metadata_user)) {
        rv = sb_account_ensure(apply->conn, facts.metadata_user, NULL, apply->now,
                               apply->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = lock(&row, apply, facts.id);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!row->gone_at) {
        if (row->user) { /* his features at Stripe go, too */
            sb_epoch_touch(apply->conn, row->user);
        }
        rv = sb_customer_gone(apply->conn, facts.id, row->livemode, apply->event->created,
                              apply->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = tell(apply, &facts, row);
    }
    /* It may have been unknown: its history gets the owner that it was stamped with. */
    if (rv == APR_SUCCESS && facts.metadata_user && !row->user) {
        rv = sb_apply_bind(&user, apply, facts.id, facts.metadata_user);
    }
    if (rv == APR_SUCCESS && apply->verdict == SB_APPLY_DONE) {
        rv = end_subscriptions(apply, facts.id);
    }
    user = row->user ? row->user : user;
    if (rv == APR_SUCCESS && user) {
        sb_epoch_touch(apply->conn, user); /* entitlements end as well */
    }
    return rv;
}
