/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A summary tells the whole set of features that a customer may use, or its beginning: the rest is listed by a
 * job, whose answer comes back through here as a complete set. An older summary never replaces a newer one;
 * two different ones of one second are settled by the same job. */
#include "service/apply.h"

#include "domain/stripe_money.h"
#include "service/jobs.h"
#include "service/refresh.h"
#include "store/customers.h"
#include "store/entitlements.h"

#include <string.h>

static apr_status_t wish_list(sb_apply_t *apply, const char *customer)
{
    return sb_job_enqueue(apply->conn, SB_JOB_ENTITLEMENTS, customer,
                          apply->event->livemode,
                          sb_refresh_cause(apply->event, apply->pool), 0, apply->pool);
}

static bool holds(const char *const *keys, int n, const char *key)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static apr_status_t same_set(bool *same, sb_apply_t *apply,
                             const sb_entitlement_summary_t *summary)
{
    const char *const *keys;
    int n;
    apr_status_t rv = sb_entitlement_of_customer(
        &keys, &n, apply->conn, summary->customer, apply->event->livemode, apply->pool);

    *same = rv == APR_SUCCESS && n == summary->n;
    for (int i = 0; *same && i < n; i++) {
        *same = holds(keys, n, summary->entitlements[i].lookup_key);
    }
    return rv;
}

static apr_status_t store(sb_apply_t *apply, const sb_entitlement_summary_t *summary,
                          const sb_customer_t *customer)
{
    sb_entitlement_t *set =
        apr_palloc(apply->pool, sizeof(*set) * ((apr_size_t)summary->n + 1));

    for (int i = 0; i < summary->n; i++) {
        set[i] = (sb_entitlement_t){
            .lookup_key = summary->entitlements[i].lookup_key,
            .feature = summary->entitlements[i].feature,
        };
    }
    if (customer->user) {
        sb_epoch_touch(apply->conn, customer->user);
    }
    return sb_entitlement_replace(apply->conn, summary->customer, apply->event->livemode,
                                  set, summary->n, apply->event->created, apply->pool);
}

apr_status_t sb_apply_entitlements(sb_apply_t *apply)
{
    sb_entitlement_summary_t summary;
    sb_customer_t *customer = NULL;
    sb_result_t result;
    bool same = false;

    sb_result_clear(&result);
    if (sb_event_entitlement_summary(&summary, &result, apply->event->object,
                                     apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    apr_status_t rv =
        sb_customer_lock(&customer, apply->conn, summary.customer, apply->event->livemode,
                         apply->source, apply->now, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (apply->event->created < customer->entitlements_at) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
    }
    if (!summary.complete) {
        return wish_list(apply, summary.customer);
    }
    if (apply->event->created == customer->entitlements_at && !sb_apply_fetched(apply)) {
        rv = same_set(&same, apply, &summary);
        if (rv != APR_SUCCESS || same) {
            return rv;
        }
        return wish_list(apply, summary.customer);
    }
    return store(apply, &summary, customer);
}
