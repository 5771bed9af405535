/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A door is opened by what a user holds, which is one cached value, or by any of the things that it asks for by a
 * key. The holding goes first where the door names plans or features; where it names nothing but purchases or
 * credit nobody need know it. */
#include "web/decide.h"

#include "web/export.h"

#include <apr_strings.h>

static sb_verdict_t refused_for(sb_reason_e reason)
{
    return (sb_verdict_t){.granted = false, .plan = -1, .reason = reason};
}

/* The text of an expression, or the word as it is written. NULL: no text comes of it. */
static const char *text_of(request_rec *r, const char *word,
                           const ap_expr_info_t *expression)
{
    const char *error = NULL;
    const char *text = word ? word : ap_expr_str_exec(r, expression, &error);

    if (error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "SB128: an expression of a gate (line %u of %s) says: %s",
                      expression->line_number, expression->filename, error);
    }
    return error ? NULL : text;
}

/* The key, when the user could have something of this name. */
static const char *key_of(request_rec *r, const sb_wanted_t *wanted)
{
    const char *key = text_of(r, wanted->key, wanted->key_expression);

    return key && sb_thing_key_fits(key) ? key : NULL;
}

/* Whether the user has this one. *stale: that is known from before. */
static sb_reason_e has(bool *stale, const sb_decision_t *decision, request_rec *r,
                       const sb_wanted_t *wanted, const char *key)
{
    const sb_catalog_t *catalog = sb_server_of(r->server)->catalog;
    apr_int64_t least = wanted->least;
    bool unsure, from_before = false;

    if (wanted->thing == SB_THING_ENTITLEMENT) {
        from_before = decision->stale;
        *stale = from_before;
        if (sb_entitlement_has(&unsure, catalog, decision->holding, key)) {
            return SB_REASON_OK;
        }
        if (!unsure) {
            return SB_REASON_NO_ENTITLEMENT;
        }
    }
    if (!least) {
        const char *units = text_of(r, NULL, wanted->least_expression);
        least = units ? sb_thing_units(units) : -1;
    }
    if (least < 1) {
        return SB_REASON_NO_CREDIT;
    }
    sb_reason_e reason = sb_owned_by(stale, r, decision->user, wanted->thing, key, least);
    *stale = *stale || from_before;
    return reason;
}

/* Any of what the door asks for by a key opens it. Of the reasons why none does, what the subscriptions say comes
 * first, unless something could not be found out. */
static void decide_by_key(sb_decision_t *decision, request_rec *r, const sb_gate_t *gate)
{
    sb_reason_e why = SB_REASON_OK;
    bool any_stale = decision->stale;

    for (int i = 0; i < gate->wanted->nelts; i++) {
        const sb_wanted_t *wanted = &APR_ARRAY_IDX(gate->wanted, i, sb_wanted_t);
        const char *key = key_of(r, wanted);
        bool stale = false;
        sb_reason_e reason =
            key ? has(&stale, decision, r, wanted, key) : sb_thing_lacking(wanted->thing);
        if (reason == SB_REASON_OK) {
            decision->verdict.granted = true;
            decision->verdict.reason = SB_REASON_OK;
            decision->stale = stale;
            return;
        }
        any_stale = any_stale || stale;
        if (!why || reason == SB_REASON_UNAVAILABLE) {
            why = reason;
        }
    }
    decision->stale = any_stale;
    if (!gate->by_holding || why == SB_REASON_UNAVAILABLE) {
        decision->verdict.reason = why;
    }
}

/* False: nothing is known of him. */
static bool decide_by_holding(sb_decision_t *decision, request_rec *r,
                              const sb_requirement_t *requirement)
{
    sb_reason_e reason;

    decision->holding = sb_holding_of(&decision->stale, &reason, r, decision->user);
    if (!decision->holding) {
        decision->verdict = refused_for(reason);
        return false;
    }
    decision->verdict = sb_entitlement_check(sb_server_of(r->server)->catalog,
                                             decision->holding, requirement);
    return true;
}

/* What the application is told beside a purchase, if it can be had. */
static void look_up_for_export(sb_decision_t *decision, request_rec *r)
{
    sb_reason_e ignored;
    bool stale;

    decision->holding = sb_holding_of(&stale, &ignored, r, decision->user);
    if (decision->holding) {
        decision->verdict.plan = decision->holding->best;
    }
}

inline void sb_decide(sb_decision_t *decision, request_rec *r, const sb_gate_t *gate)
{
    const sb_server_t *server = sb_server_of(r->server);
    const sb_requirement_t *requirement = sb_gate_requirement(gate, server);

    *decision = (sb_decision_t){.verdict = refused_for(SB_REASON_NO_IDENTITY)};
    if (!server->settings->enabled || !requirement) {
        decision->verdict.reason =
            requirement ? SB_REASON_DISABLED : SB_REASON_UNAVAILABLE;
        return;
    }
    decision->user = sb_request_name(r);
    if (!decision->user) {
        return;
    }
    if (gate->by_holding &&
        (!decide_by_holding(decision, r, requirement) || decision->verdict.granted)) {
        return;
    }
    decide_by_key(decision, r, gate);
    /* What is not known for certain opens a door, but turns nobody away as if he had not paid. */
    if (decision->stale && !decision->verdict.granted) {
        decision->verdict = refused_for(SB_REASON_UNAVAILABLE);
    }
    if (decision->verdict.granted && !decision->holding &&
        sb_dir_of(r)->export > SB_EXPORT_OFF) {
        look_up_for_export(decision, r);
    }
}

/* --- again, while it runs --------------------------------------------------------------------- */

void sb_decide_again_about(sb_opened_t *opened, request_rec *r, const sb_gate_t *gate,
                           const char *user)
{
    apr_pool_t *pool = sb_request_top(r)->pool;
    const sb_requirement_t *requirement =
        sb_gate_requirement(gate, sb_server_of(r->server));

    *opened = (sb_opened_t){.user = apr_pstrdup(pool, user)};
    if (gate->by_holding) {
        sb_requirement_t *copy = apr_pmemdup(pool, requirement, sizeof(*copy));
        copy->named = apr_pmemdup(pool, requirement->named,
                                  sizeof(int) * (apr_size_t)requirement->named_n);
        opened->requirement = copy;
    }
    opened->things = apr_array_make(pool, gate->wanted->nelts, sizeof(sb_thing_t));
    for (int i = 0; i < gate->wanted->nelts; i++) {
        const sb_wanted_t *wanted = &APR_ARRAY_IDX(gate->wanted, i, sb_wanted_t);
        const char *key = wanted->thing == SB_THING_CREDIT ? NULL : key_of(r, wanted);
        if (key) {
            APR_ARRAY_PUSH(opened->things, sb_thing_t) =
                (sb_thing_t){.what = wanted->thing, .key = apr_pstrdup(pool, key)};
        }
    }
    if (!opened->requirement && !opened->things->nelts) {
        opened->user = NULL;
    }
}

static sb_reason_e still_has(const sb_server_t *server, const sb_opened_t *opened,
                             const sb_holding_t *holding, const sb_thing_t *thing,
                             apr_pool_t *pool)
{
    bool unsure = true;

    if (thing->what == SB_THING_ENTITLEMENT &&
        sb_entitlement_has(&unsure, server->catalog, holding, thing->key)) {
        return SB_REASON_OK;
    }
    return unsure ? sb_owned_ask(server, opened->user, thing->what, thing->key, pool)
                  : sb_thing_lacking(thing->what);
}

sb_verdict_t sb_gate_ask(const sb_server_t *server, const sb_opened_t *opened,
                         int grace_days, apr_pool_t *pool)
{
    sb_holding_t holding = {.best = -1};
    sb_verdict_t verdict = refused_for(SB_REASON_OK);

    if (opened->requirement) {
        if (!sb_holding_ask(&holding, server, opened->user, grace_days, pool)) {
            return refused_for(SB_REASON_UNAVAILABLE);
        }
        verdict = sb_entitlement_check(server->catalog, &holding, opened->requirement);
    }
    for (int i = 0; !verdict.granted && i < opened->things->nelts; i++) {
        const sb_thing_t *thing = &APR_ARRAY_IDX(opened->things, i, sb_thing_t);
        sb_reason_e reason = still_has(server, opened, &holding, thing, pool);
        verdict.granted = reason == SB_REASON_OK;
        if (!verdict.reason || verdict.granted || reason == SB_REASON_UNAVAILABLE) {
            verdict.reason = reason;
        }
    }
    return verdict;
}
