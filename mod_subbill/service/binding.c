/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A customer is tied to a user by values that only this server can have made, and stays tied (T07-T09).
 * An e-mail address, a name, a client_reference_id come from strangers and tie nobody. Three things can
 * disagree: the customer's row, the user's row, and the claim. The customer's row wins over a
 * claim; that is a conflict to be looked at, unless an operator has moved the customer, whose old
 * subscriptions keep the old name in their metadata for ever. A user who has one customer and is
 * claimed for a second keeps the first for buying, and gets what the second one pays for. */
#include "service/apply.h"

#include "base/log.h"
#include "domain/identity.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/subscriptions.h"
#include "store/trials.h"

#include <apr_strings.h>
#include <string.h>

apr_status_t sb_apply_trial(sb_apply_t *apply, const sb_subscription_t *sub)
{
    const sb_trial_t trial = {
        .user = sub->user,
        .livemode = sub->livemode,
        .used_at = sub->trial_start ? sub->trial_start : apply->now,
        .plan = sub->plan,
        .subscription = sub->id,
        .source = apply->source,
    };

    if (!sub->user || !sub->trial_end) {
        return APR_SUCCESS;
    }
    return sb_trial_mark(NULL, apply->conn, &trial, apply->pool);
}

/* Subscriptions that came before their customer was bound have a user now, and perhaps had a trial. */
static apr_status_t note_trials(sb_apply_t *apply, const char *customer, const char *user)
{
    sb_subscription_t *subs;
    int n;
    apr_status_t rv = sb_subscription_list(&subs, &n, apply->conn, user,
                                           apply->service->settings->live, apply->pool);

    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        if (subs[i].customer && strcmp(subs[i].customer, customer) == 0) {
            rv = sb_apply_trial(apply, &subs[i]);
        }
    }
    return rv;
}

/* Asks the store although the answer is known: it keeps an audit row of the refused attempt. */
static apr_status_t refuse(sb_apply_t *apply, const char *customer, const char *owner,
                           const char *claimed)
{
    sb_bind_e outcome;
    apr_status_t rv =
        sb_customer_bind(&outcome, apply->conn, customer, apply->service->settings->live,
                         claimed, apply->source, "stripe", apply->now, apply->pool);

    sb_apply_end(
        apply, SB_APPLY_REFUSED, "customer_bound_elsewhere",
        apr_psprintf(apply->pool,
                     "customer %s belongs to %s, not to %s; if that is wrong, run "
                     "`subbillctl links set USER %s --force`",
                     customer, owner ? owner : "somebody else", claimed, customer));
    return rv;
}

static apr_status_t bind_free(const char **user, sb_apply_t *apply, const char *customer,
                              const char *claimed)
{
    sb_bind_e outcome;
    apr_status_t rv =
        sb_customer_bind(&outcome, apply->conn, customer, apply->service->settings->live,
                         claimed, apply->source, "stripe", apply->now, apply->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    switch (outcome) {
    case SB_BIND_OTHER_USER: /* bound a moment ago by another transaction */
        return refuse(apply, customer, NULL, claimed);
    case SB_BIND_OTHER_CUSTOMER:
        sb_log(SB_LOG_WARNING, 0, "SB403",
               "event %s: user %s pays as customer %s but is bound to another one; what "
               "was bought counts, the portal shows the other customer",
               apply->event->id, claimed, customer);
        *user = claimed;
        return APR_SUCCESS;
    case SB_BIND_OK:
        break;
    }
    *user = claimed;
    return note_trials(apply, customer, claimed);
}

apr_status_t sb_apply_owner(const char **user, sb_apply_t *apply, const char *customer)
{
    bool livemode = apply->event->livemode;
    sb_customer_t *row = NULL;
    apr_status_t rv = APR_SUCCESS;

    *user = NULL;
    if (!customer) {
        return APR_SUCCESS;
    }
    /* Locked: a binding, or an operator's move, comes before or after this one. */
    rv = sb_customer_lock(&row, apply->conn, customer, livemode, apply->source,
                          apply->now, apply->pool);
    if (rv == APR_SUCCESS) {
        *user = row->user;
    }
    return rv;
}

apr_status_t sb_apply_bind(const char **user, sb_apply_t *apply, const char *customer,
                           const char *claimed)
{
    sb_customer_t *row = NULL;

    *user = NULL;
    apply->gone_at = 0;
    if (claimed && (!*claimed || sb_identity_check(claimed))) {
        return sb_apply_end(apply, SB_APPLY_FAILED, "bad_identity",
                            "the metadata names a user that cannot be one");
    }
    if (!customer) { /* null where Stripe keeps accounts instead of customers */
        *user = claimed;
        return claimed ? sb_account_ensure(apply->conn, claimed, NULL, apply->now,
                                           apply->pool)
                       : APR_SUCCESS;
    }
    apr_status_t rv = sb_customer_by_id(&row, apply->conn, customer,
                                        apply->service->settings->live, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!claimed && !(row && row->user)) {
        /* A binding under way right now must not miss what is about to be stored. */
        rv = sb_customer_lock(&row, apply->conn, customer, apply->service->settings->live,
                              apply->source, apply->now, apply->pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    apply->gone_at = row ? row->gone_at : 0;
    if (row && row->user) {
        bool operators = row->source && strcmp(row->source, SB_SOURCE_OPERATOR) == 0;
        if (claimed && strcmp(claimed, row->user) != 0 && !operators) {
            return refuse(apply, customer, row->user, claimed);
        }
        *user = row->user;
        return APR_SUCCESS;
    }
    return claimed ? bind_free(user, apply, customer, claimed) : APR_SUCCESS;
}
