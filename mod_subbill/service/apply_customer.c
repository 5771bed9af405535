/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/apply.h"

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

/* A customer stamped with a user belongs to that user; any other is a stranger until a checkout or an
 * operator says whose it is. */
apr_status_t sb_apply_customer(sb_apply_t *apply)
{
    sb_customer_facts_t facts;
    const char *user;

    if (!read_facts(&facts, apply)) {
        return APR_SUCCESS;
    }
    if (!facts.metadata_user) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "not_bound", NULL);
    }
    return sb_apply_bind(&user, apply, facts.id, facts.metadata_user);
}

/* Stripe ends a deleted customer's subscriptions at once; should their own events never come, this
 * one closes the door. */
static apr_status_t end_subscriptions(sb_apply_t *apply, const sb_customer_t *customer)
{
    sb_subscription_t *subs;
    int n;
    apr_status_t rv = sb_subscription_list(&subs, &n, apply->conn, customer->user,
                                           customer->livemode, apply->pool);

    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        sb_subscription_t *sub = NULL;
        rv = sb_subscription_lock(&sub, apply->conn, subs[i].id, subs[i].livemode,
                                  apply->pool);
        if (rv != APR_SUCCESS || !sub) {
            continue;
        }
        if (!sub->customer || strcmp(sub->customer, customer->id) != 0 ||
            sb_subscription_status_final(sub->status)) {
            continue;
        }
        sub->status = SB_STATUS_CANCELED;
        sub->status_text = sb_subscription_status_word(SB_STATUS_CANCELED);
        sub->canceled_at = sub->canceled_at ? sub->canceled_at : apply->event->created;
        sub->ended_at = apply->event->created;
        sub->past_due_since = 0;
        sub->event_created = apply->event->created;
        sub->event_id = apply->event->id;
        sub->source = apply->source;
        rv = sb_subscription_save(apply->conn, sub, apply->now, apply->pool);
    }
    return rv;
}

apr_status_t sb_apply_customer_deleted(sb_apply_t *apply)
{
    sb_customer_facts_t facts;
    sb_customer_t *customer = NULL;

    if (!read_facts(&facts, apply)) {
        return APR_SUCCESS;
    }
    apr_status_t rv = sb_customer_by_id(&customer, apply->conn, facts.id,
                                        apply->service->settings->live, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!customer) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "not_bound", NULL);
    }
    if (customer->user) {
        rv = end_subscriptions(apply, customer);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_customer_mark_deleted(apply->conn, customer->id, customer->livemode,
                                      apply->now, apply->pool);
    }
    return rv;
}
