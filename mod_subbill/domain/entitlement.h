/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_ENTITLEMENT_H
#define SB_DOMAIN_ENTITLEMENT_H

#include "domain/catalog.h"
#include "domain/subscription.h"

/* From what an account holds and what a door asks to a verdict with a reason. Pure: same
 * arguments, same answer. The work is cut in two so that a cache can keep the first half:
 * sb_entitlement_hold() depends on user, time and grace; sb_entitlement_check() on the door. */

typedef struct sb_grant_t {
    int plan; /* index in the catalogue; -1: a price that maps to no plan */
    sb_standing_t standing;
} sb_grant_t;

typedef struct sb_snapshot_t {
    bool account_known;  /* there is a row for this user */
    apr_int64_t read_at; /* Unix seconds by the database's clock; 0: not known */
    const sb_grant_t *grants;
    int n;
    const char *const *entitlements; /* lookup keys that Stripe keeps for the user */
    int entitlements_n;
    bool entitlements_cut; /* he has more of them */
} sb_snapshot_t;

/* What a door asks: any of the words. */
typedef struct sb_requirement_t {
    bool any; /* some subscription or operator's grant, whatever the plan */
    apr_uint64_t
        plans; /* bitmap of accepted plans: the named ones and those ranked above */
    const int *named; /* indexes of the plans as written, for messages */
    int named_n;
    apr_uint64_t keys; /* accepted entitlements, by their bits in the catalogue */
    bool by_key;       /* some entitlement is asked for, with a bit or without one */
} sb_requirement_t;

/* What a user holds at a moment. */
typedef struct sb_holding_t {
    apr_uint64_t
        plans; /* bitmap of what is held: paid and granted ones, and default plans */
    apr_uint64_t paid;     /* of these, without the default plans */
    apr_uint64_t keys;     /* entitlements, of those that have a bit in the catalogue */
    apr_uint64_t trialing; /* of the paid ones: by a trial only */
    apr_uint64_t in_grace; /* of the paid ones: past_due, and open by SubbillGrace only */
    bool account_known;
    bool keys_cut; /* Stripe keeps more keys than could be read at once */
    bool unmapped; /* pays for something that belongs to no plan */
    int best; /* index of the best plan held: highest rank, paid before default; -1 */
    apr_int64_t boundary; /* when time alone may change this; 0: never */
    unsigned char
        why[SB_CATALOG_PLANS_MAX]; /* sb_reason_e of a plan bought that does not open
                                              * (SB_REASON_OK: none); for refusals */
    sb_reason_e why_any; /* the most telling of all of these, unmapped ones too */
} sb_holding_t;

typedef struct sb_verdict_t {
    bool granted;
    sb_reason_e reason; /* SB_REASON_OK when granted */
    int plan; /* the plan that opens; when refused, the best one held; -1: none */
    apr_int64_t boundary; /* as in sb_holding_t */
} sb_verdict_t;

/* Reads the words of SubbillGate or Require subscription: "any", plan keys, or both; no word is
 * "any". ("Off" is the directive's own word and does not come here.) catalog NULL: only "any".
 * Fails with SB_INVALID, code "unknown_plan", a message that names the word and a hint that
 * names the plans there are. named lives in pool. */
sb_status_e sb_requirement_parse(sb_requirement_t *requirement, sb_result_t *result,
                                 const sb_catalog_t *catalog, int argc,
                                 const char *const argv[], apr_pool_t *pool);

/* The default plan of a group is held by every identified user, account or not, who has nothing
 * else that opens in that group. It satisfies a requirement that accepts it by name, never
 * "any": a free plan is no subscription. */
sb_holding_t sb_entitlement_hold(const sb_catalog_t *catalog,
                                 const sb_snapshot_t *snapshot, apr_int64_t now,
                                 int grace_days);

/* Whether this entitlement is held, with a bit or without one, as far as the holding tells: a key without a bit,
 * or one of very many, may be one that Stripe keeps (which counts for whoever pays), and then *unsure is set. */
bool sb_entitlement_has(bool *unsure, const sb_catalog_t *catalog,
                        const sb_holding_t *holding, const char *key);

sb_verdict_t sb_entitlement_check(const sb_catalog_t *catalog,
                                  const sb_holding_t *holding,
                                  const sb_requirement_t *requirement);

/* The status by which plan is held, the best one where there are several subscriptions:
 * SB_STATUS_ACTIVE, _TRIALING or _PAST_DUE; SB_STATUS_UNKNOWN when nothing paid or granted holds
 * it, as with a default plan. */
sb_subscription_status_e sb_holding_status(const sb_holding_t *holding, int plan);

/* Both in one. */
sb_verdict_t sb_entitlement_decide(const sb_catalog_t *catalog,
                                   const sb_snapshot_t *snapshot,
                                   const sb_requirement_t *requirement, apr_int64_t now,
                                   int grace_days);

#endif
