/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/entitlement.h"

#include <apr_strings.h>
#include <string.h>

/* When nothing opens, several things may be the cause; the user hears the one nearest to a cure. */
static const int telling[SB_REASON_COUNT] = {
    [SB_REASON_DISPUTED] = 9,   [SB_REASON_PAST_DUE] = 8, [SB_REASON_UNMAPPED_PRICE] = 7,
    [SB_REASON_UNPAID] = 6,     [SB_REASON_PAUSED] = 5,   [SB_REASON_UNKNOWN_STATUS] = 4,
    [SB_REASON_INCOMPLETE] = 3, [SB_REASON_ENDED] = 2,    [SB_REASON_NO_SUBSCRIPTION] = 1,
};

static apr_uint64_t bit(int index)
{
    return (apr_uint64_t)1 << index;
}

static const char *plan_names(const sb_catalog_t *catalog, apr_pool_t *pool)
{
    const char *names = "any";

    for (int i = 0; catalog && i < catalog->plans_n; i++) {
        names = apr_pstrcat(pool, names, ", ", catalog->plans[i].key, NULL);
    }
    return names;
}

sb_status_e sb_requirement_parse(sb_requirement_t *requirement, sb_result_t *result,
                                 const sb_catalog_t *catalog, int argc,
                                 const char *const argv[], apr_pool_t *pool)
{
    int *named = apr_pcalloc(pool, sizeof(*named) * (apr_size_t)(argc > 0 ? argc : 1));

    *requirement = (sb_requirement_t){.any = argc == 0, .named = named};
    for (int i = 0; i < argc; i++) {
        if (strcasecmp(argv[i], "any") == 0) {
            requirement->any = true;
            continue;
        }
        const sb_catalog_plan_t *plan =
            catalog ? sb_catalog_plan(catalog, argv[i]) : NULL;
        if (!plan) {
            const char *hint =
                apr_psprintf(pool, "Write one of: %s.", plan_names(catalog, pool));
            return sb_result_setf(result, pool, SB_INVALID, "unknown_plan", hint,
                                  "\"%s\" is not a plan of the catalogue", argv[i]);
        }
        requirement->plans |= sb_catalog_required_mask(catalog, plan);
        named[requirement->named_n++] = plan->index;
    }
    return SB_OK;
}

static sb_reason_e more_telling(sb_reason_e a, sb_reason_e b)
{
    return telling[b] > telling[a] ? b : a;
}

static void remember_boundary(sb_holding_t *holding, apr_int64_t boundary)
{
    if (boundary && (!holding->boundary || boundary < holding->boundary)) {
        holding->boundary = boundary;
    }
}

static apr_uint64_t group_mask(const sb_catalog_t *catalog, const char *group)
{
    apr_uint64_t mask = 0;

    for (int i = 0; i < catalog->plans_n; i++) {
        if (strcmp(catalog->plans[i].group, group) == 0) {
            mask |= bit(i);
        }
    }
    return mask;
}

static void hold_defaults(sb_holding_t *holding, const sb_catalog_t *catalog)
{
    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        if (!plan->is_default || (holding->paid & group_mask(catalog, plan->group))) {
            continue;
        }
        holding->plans |= bit(i);
        if (holding->best < 0) {
            holding->best = i;
        }
    }
}

/* Several subscriptions of one plan: the one that needs least indulgence is told. */
static void remember_status(sb_holding_t *holding, apr_uint64_t plan,
                            const sb_standing_t *standing, const sb_access_t *access)
{
    bool first = !(holding->paid & plan);

    if (access->in_grace) {
        holding->in_grace |= first ? plan : 0;
        return;
    }
    if (standing->status != SB_STATUS_TRIALING) {
        holding->trialing &= ~plan;
    }
    else if (first || (holding->in_grace & plan)) {
        holding->trialing |= plan;
    }
    holding->in_grace &= ~plan;
}

static void hold_grant(sb_holding_t *holding, const sb_catalog_t *catalog,
                       const sb_grant_t *grant, const sb_access_t *access)
{
    const sb_catalog_plan_t *plan = sb_catalog_plan_at(catalog, grant->plan);

    if (!plan) {
        sb_reason_e reason = access->granted ? SB_REASON_UNMAPPED_PRICE : access->reason;
        holding->unmapped |= access->granted;
        holding->why_any = more_telling(holding->why_any, reason);
        return;
    }
    if (!access->granted) {
        unsigned char *why = &holding->why[plan->index];
        *why = (unsigned char)more_telling((sb_reason_e)*why, access->reason);
        holding->why_any = more_telling(holding->why_any, access->reason);
        return;
    }
    remember_status(holding, bit(plan->index), &grant->standing, access);
    holding->paid |= bit(plan->index);
    if (holding->best < 0 || plan->rank > catalog->plans[holding->best].rank) {
        holding->best = plan->index;
    }
    remember_boundary(holding, access->boundary);
}

/* What the plans bring, and, for whoever pays, what Stripe keeps besides. */
static void hold_keys(sb_holding_t *holding, const sb_catalog_t *catalog,
                      const sb_snapshot_t *snapshot)
{
    for (int i = 0; i < catalog->plans_n; i++) {
        if (holding->plans & bit(i)) {
            holding->keys |= catalog->plans[i].entitled;
        }
    }
    holding->keys_cut = snapshot->entitlements_cut;
    for (int i = 0; holding->paid && i < snapshot->entitlements_n; i++) {
        int number = sb_catalog_key(catalog, snapshot->entitlements[i]);
        holding->keys |= number < 0 ? 0 : bit(number);
    }
}

sb_holding_t sb_entitlement_hold(const sb_catalog_t *catalog,
                                 const sb_snapshot_t *snapshot, apr_int64_t now,
                                 int grace_days)
{
    sb_holding_t holding = {.account_known = snapshot->account_known, .best = -1};

    for (int i = 0; i < snapshot->n; i++) {
        sb_access_t access =
            sb_standing_access(&snapshot->grants[i].standing, now, grace_days);
        hold_grant(&holding, catalog, &snapshot->grants[i], &access);
    }
    holding.plans = holding.paid;
    hold_defaults(&holding, catalog);
    hold_keys(&holding, catalog, snapshot);
    return holding;
}

bool sb_entitlement_has(bool *unsure, const sb_catalog_t *catalog,
                        const sb_holding_t *holding, const char *key)
{
    int number = sb_catalog_key(catalog, key);

    *unsure = holding->paid && (number < 0 || holding->keys_cut);
    if (number >= 0) {
        return (holding->keys & bit(number)) != 0;
    }
    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        for (int k = 0; (holding->plans & bit(i)) && k < plan->entitlements_n; k++) {
            if (strcmp(plan->entitlements[k], key) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Of the plans in mask the one with the highest rank. */
static int highest(const sb_catalog_t *catalog, apr_uint64_t mask)
{
    int best = -1;

    for (int i = 0; i < catalog->plans_n; i++) {
        if ((mask & bit(i)) &&
            (best < 0 || catalog->plans[i].rank > catalog->plans[best].rank)) {
            best = i;
        }
    }
    return best;
}

/* Every plan of the groups that the door names. */
static apr_uint64_t groups_asked(const sb_catalog_t *catalog,
                                 const sb_requirement_t *requirement)
{
    apr_uint64_t mask = 0;

    for (int i = 0; i < requirement->named_n; i++) {
        mask |= group_mask(catalog, catalog->plans[requirement->named[i]].group);
    }
    return mask;
}

/* The most telling reason why something bought out of mask does not open. */
static sb_reason_e why_lost(const sb_holding_t *holding, apr_uint64_t mask)
{
    sb_reason_e reason = SB_REASON_OK;

    for (int i = 0; i < SB_CATALOG_PLANS_MAX; i++) {
        if (mask & bit(i)) {
            reason = more_telling(reason, (sb_reason_e)holding->why[i]);
        }
    }
    return reason;
}

/* The plans that open the door by themselves or by what they bring. */
static apr_uint64_t would_open(const sb_catalog_t *catalog,
                               const sb_requirement_t *requirement)
{
    apr_uint64_t mask = requirement->plans;

    for (int i = 0; i < catalog->plans_n; i++) {
        if (catalog->plans[i].entitled & requirement->keys) {
            mask |= bit(i);
        }
    }
    return mask;
}

/* Kept out of the way of those who are let in. */
__attribute__((noinline)) static sb_reason_e refusal(const sb_catalog_t *catalog,
                                                     const sb_holding_t *holding,
                                                     const sb_requirement_t *requirement)
{
    apr_uint64_t groups = groups_asked(catalog, requirement);
    bool whatever = requirement->any || (requirement->by_key && !holding->paid);
    sb_reason_e enough =
        whatever ? holding->why_any : why_lost(holding, would_open(catalog, requirement));
    sb_reason_e other = why_lost(holding, groups);

    if (holding->unmapped) {
        enough = more_telling(enough, SB_REASON_UNMAPPED_PRICE);
    }
    /* What would open if it were in order comes first: "your payment failed", not "buy more". */
    if (enough != SB_REASON_OK && enough != SB_REASON_ENDED) {
        return enough;
    }
    if (holding->paid & groups) {
        return SB_REASON_PLAN_TOO_LOW;
    }
    if (holding->paid && requirement->by_key) {
        return SB_REASON_NO_ENTITLEMENT;
    }
    if (enough != SB_REASON_OK || other != SB_REASON_OK) {
        return more_telling(enough, other);
    }
    return holding->account_known ? SB_REASON_NO_SUBSCRIPTION : SB_REASON_NO_ACCOUNT;
}

inline sb_verdict_t sb_entitlement_check(const sb_catalog_t *catalog,
                                         const sb_holding_t *holding,
                                         const sb_requirement_t *requirement)
{
    apr_uint64_t opens = holding->plans & requirement->plans;
    sb_verdict_t verdict = {.plan = holding->best, .boundary = holding->boundary};

    if (opens) {
        verdict.granted = true;
        verdict.plan = highest(catalog, opens);
    }
    else if ((requirement->any && holding->paid) || (holding->keys & requirement->keys)) {
        verdict.granted = true;
    }
    else {
        verdict.reason = refusal(catalog, holding, requirement);
    }
    return verdict;
}

sb_subscription_status_e sb_holding_status(const sb_holding_t *holding, int plan)
{
    if (plan < 0 || !(holding->paid & bit(plan))) {
        return SB_STATUS_UNKNOWN;
    }
    return holding->trialing & bit(plan)   ? SB_STATUS_TRIALING
           : holding->in_grace & bit(plan) ? SB_STATUS_PAST_DUE
                                           : SB_STATUS_ACTIVE;
}

sb_verdict_t sb_entitlement_decide(const sb_catalog_t *catalog,
                                   const sb_snapshot_t *snapshot,
                                   const sb_requirement_t *requirement, apr_int64_t now,
                                   int grace_days)
{
    sb_holding_t holding = sb_entitlement_hold(catalog, snapshot, now, grace_days);

    return sb_entitlement_check(catalog, &holding, requirement);
}
