/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The closed door. SubbillGate is enforced in fixups: httpd skips every authentication and
 * authorization hook for an internal request whose per-directory configuration equals its parent's
 * (DirectoryIndex, [PT], SSI), but it always runs fixups, on every method, before any handler has
 * looked at the body. What comes of a refusal is in refuse.c. */
#include "web/module.h"

#include "base/log.h"
#include "web/export.h"
#include "web/metrics.h"
#include "web/teaser.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

/* --- deciding ------------------------------------------------------------------------------- */

static sb_verdict_t refused_for(sb_reason_e reason)
{
    return (sb_verdict_t){.granted = false, .plan = -1, .reason = reason};
}

/* What was decided, and by what. */
typedef struct decision_t {
    sb_verdict_t verdict;
    const sb_holding_t *holding; /* NULL: nobody had to know */
    bool stale;                  /* by what was known before the database went away */
    sb_opened_t opened;
} decision_t;

/* The text of an expression, or the word as it is written. NULL: no text comes of it. */
static const char *text_of(request_rec *r, const char *word,
                           const ap_expr_info_t *expression)
{
    const char *error = NULL;
    const char *text = word ? word : ap_expr_str_exec(r, expression, &error);

    if (error) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "SB128: %s (line %u of %s) says: %s",
                      "an expression of a gate", expression->line_number,
                      expression->filename, error);
    }
    return error ? NULL : text;
}

/* Whether the user has this one. */
static sb_reason_e has(decision_t *decision, request_rec *r, const char *user,
                       const sb_wanted_t *wanted, const char *key)
{
    const sb_catalog_t *catalog = sb_server_of(r->server)->catalog;
    apr_int64_t least = wanted->least;
    bool unsure;

    if (wanted->thing == SB_THING_ENTITLEMENT) {
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
    return sb_owned_by(&decision->stale, r, user, wanted->thing, key, least);
}

/* What the door asks for by a key: any of these opens it. Of the reasons why none does, what the
 * subscriptions say comes first. */
static void decide_by_key(decision_t *decision, request_rec *r, const sb_gate_t *gate,
                          const char *user)
{
    sb_reason_e why = SB_REASON_OK;

    for (int i = 0; i < gate->wanted->nelts; i++) {
        const sb_wanted_t *wanted = &APR_ARRAY_IDX(gate->wanted, i, sb_wanted_t);
        const char *key = text_of(r, wanted->key, wanted->key_expression);
        sb_reason_e reason = key && sb_thing_key_fits(key)
                                 ? has(decision, r, user, wanted, key)
                                 : sb_thing_lacking(wanted->thing);
        if (reason == SB_REASON_OK) {
            decision->verdict.granted = true;
            decision->verdict.reason = SB_REASON_OK;
            decision->opened = (sb_opened_t){.thing = wanted->thing, .key = key};
            return;
        }
        if (!why || reason == SB_REASON_UNAVAILABLE) {
            why = reason;
        }
    }
    if (!gate->by_holding || why == SB_REASON_UNAVAILABLE) {
        decision->verdict.reason = why;
    }
}

static void decide_by_holding(decision_t *decision, request_rec *r, const char *user,
                              const sb_requirement_t *requirement)
{
    sb_reason_e reason;

    decision->holding = sb_holding_of(&decision->stale, &reason, r, user);
    if (!decision->holding) {
        decision->verdict = refused_for(reason);
        return;
    }
    decision->verdict = sb_entitlement_check(sb_server_of(r->server)->catalog,
                                             decision->holding, requirement);
    decision->opened.requirement = requirement;
}

/* Asks about whoever sent this. */
static void decide(decision_t *decision, request_rec *r, const sb_gate_t *gate)
{
    const sb_server_t *server = sb_server_of(r->server);
    const sb_requirement_t *requirement = sb_gate_requirement(gate, server);
    const char *name;

    *decision = (decision_t){.verdict = refused_for(SB_REASON_NO_IDENTITY)};
    if (!server->settings->enabled || !requirement) {
        decision->verdict.reason =
            requirement ? SB_REASON_DISABLED : SB_REASON_UNAVAILABLE;
        return;
    }
    name = sb_request_name(r);
    if (!name) {
        return;
    }
    if (gate->by_holding || sb_dir_of(r)->export > SB_EXPORT_OFF) {
        decide_by_holding(decision, r, name, requirement);
        if (!decision->holding || decision->verdict.granted) {
            decision->opened.user = name;
            return;
        }
    }
    decide_by_key(decision, r, gate, name);
    decision->opened.user = name;
    /* What is not known for certain opens a door, but turns nobody away as if he had not paid. */
    if (decision->stale && !decision->verdict.granted) {
        decision->verdict = refused_for(SB_REASON_UNAVAILABLE);
    }
}

static bool is_undecided(const sb_verdict_t *verdict)
{
    return verdict->reason == SB_REASON_UNAVAILABLE ||
           verdict->reason == SB_REASON_DISABLED;
}

/* In the answer to the client's own request, whatever internal one has met the door. */
static void answer_with(request_rec *r, const char *name, const char *value)
{
    apr_table_setn(sb_request_top(r)->err_headers_out, name, value);
}

/* For the access log and the application. Adding is cheaper than looking whether it is there. */
static void tell(request_rec *r, const char *word)
{
    sb_request_t *request = sb_request_of(r);

    if (request->reasoned || sb_request_origin(r)) { /* whose environment it has */
        apr_table_setn(r->subprocess_env, "SUBBILL_REASON", word);
    }
    else {
        apr_table_addn(r->subprocess_env, "SUBBILL_REASON", word);
    }
    request->reasoned = true;
}

/* For those who come later: the application, and who looks after running responses. Credit is counted, and
 * no reason to end what has begun. */
static void note_opened(request_rec *r, const decision_t *decision)
{
    sb_request_t *request = sb_request_of(r);
    request_rec *top = sb_request_top(r);

    tell(r, sb_reason_word(SB_REASON_OK));
    if (decision->opened.requirement || decision->opened.thing != SB_THING_CREDIT) {
        request->opened = decision->opened;
        if (r != top) {
            request->opened.user = apr_pstrdup(top->pool, request->opened.user);
        }
        if (r != top && request->opened.key) {
            request->opened.key = apr_pstrdup(top->pool, request->opened.key);
        }
    }
    if (decision->holding) {
        sb_export_granted(r, decision->holding, &decision->verdict);
    }
    if (r->main) {
        sb_request_t *outer = sb_request_of(r->main);
        outer->lent_dir = r->per_dir_config;
        outer->lent_opened = request->opened;
        outer->lent_told = request->told;
    }
}

sb_verdict_t sb_gate_decide(request_rec *r, const sb_gate_t *gate)
{
    decision_t decision;

    decide(&decision, r, gate);
    sb_private_mark(r);
    sb_metrics_decided(decision.verdict.reason, false, r->connection->id);
    sb_verdict_t verdict = decision.verdict;
    if (verdict.granted) {
        note_opened(r, &decision);
    }
    if (decision.stale && verdict.granted) {
        sb_log_rarely(SB_LOG_WARNING, 0, "SB112",
                      "the database is away: those who had access keep it for a while "
                      "(SubbillStale)");
        sb_metrics_count(SB_METRIC_STALE, r->connection->id);
        answer_with(r, "X-Subbill-Warning", "stale");
    }
    sb_reason_e ignored;
    if (!verdict.granted && is_undecided(&verdict) && sb_dir_of(r)->allow_on_error > 0 &&
        sb_request_user(r, &ignored)) {
        sb_log_rarely(SB_LOG_WARNING, 0, "SB113",
                      "nobody can be asked who may pass, so whoever is logged in does "
                      "(SubbillOnError allow): %s",
                      sb_reason_word(verdict.reason));
        sb_metrics_count(SB_METRIC_ON_ERROR, r->connection->id);
        answer_with(r, "X-Subbill-Warning", sb_reason_word(verdict.reason));
        verdict.granted = true;
        tell(r, sb_reason_word(verdict.reason));
    }
    return verdict;
}

sb_verdict_t sb_gate_ask(const sb_server_t *server, const sb_opened_t *opened,
                         int grace_days, apr_pool_t *pool)
{
    sb_holding_t holding = {.best = -1};
    bool by_holding = opened->requirement || opened->thing == SB_THING_ENTITLEMENT;
    bool unsure;
    sb_reason_e reason;

    if (by_holding && !sb_holding_ask(&holding, server, opened->user, grace_days, pool)) {
        return refused_for(SB_REASON_UNAVAILABLE);
    }
    if (opened->requirement) {
        return sb_entitlement_check(server->catalog, &holding, opened->requirement);
    }
    if (by_holding &&
        sb_entitlement_has(&unsure, server->catalog, &holding, opened->key)) {
        reason = SB_REASON_OK;
    }
    else if (by_holding && !unsure) {
        reason = SB_REASON_NO_ENTITLEMENT;
    }
    else {
        reason = sb_owned_ask(server, opened->user, opened->thing, opened->key, pool);
    }
    return (sb_verdict_t){
        .granted = reason == SB_REASON_OK, .plan = holding.best, .reason = reason};
}

void sb_gate_rehearse(request_rec *r, const sb_gate_t *gate)
{
    decision_t decision;

    sb_request_recognise(r);
    decide(&decision, r, gate);
    const char *word = sb_reason_word(decision.verdict.reason);

    sb_metrics_decided(decision.verdict.reason, true, r->connection->id);
    if (decision.verdict.granted) {
        answer_with(r, "X-Subbill-Would", "pass");
        return;
    }
    int status = sb_refusal_status(r, &decision.verdict);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "SB127: would be refused (%d): %s",
                  status, word);
    apr_table_setn(r->subprocess_env, "SUBBILL_WOULD", word);
    answer_with(r, "X-Subbill-Would",
                apr_psprintf(sb_request_top(r)->pool, "%d %s", status, word));
}

/* --- hooks ---------------------------------------------------------------------------------- */

const sb_gate_t *sb_gate_of(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;

    if (!gate || gate->off) {
        return NULL;
    }
    return sb_route_of(r, NULL) ? NULL : gate;
}

/* A gate needs a name, whatever `Require all granted` says about needing none. */
static int force_authn(request_rec *r)
{
    return sb_gate_of(r) && sb_dir_of(r)->dry_run <= 0 && ap_auth_type(r) &&
                   !sb_teaser_here(r)
               ? OK
               : DECLINED;
}

/* The login that an index, an included page or a destination asks for becomes the answer of the
 * request above, which stands behind no door itself. */
static int mark_before_login(request_rec *r)
{
    if (r->main && sb_gate_of(r)) {
        sb_private_mark(r);
    }
    return DECLINED;
}

/* By now a handler has been chosen, and only ours waives the gate: a file that lies where a route
 * is mounted does not. */
static const sb_gate_t *gate_in_fixups(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;
    bool ours = r->handler && (strcmp(r->handler, "subbill") == 0 ||
                               strncmp(r->handler, "subbill-", 8) == 0);

    return ours ? sb_gate_of(r) : gate && !gate->off ? gate : NULL;
}

static int enforce(request_rec *r)
{
    const sb_gate_t *gate = gate_in_fixups(r);

    if (!gate) {
        return DECLINED;
    }
    if (sb_dir_of(r)->dry_run > 0) {
        sb_gate_rehearse(r, gate);
        return DECLINED;
    }
    /* `Satisfy Any` skips authentication even when it is forced. */
    if (!r->user && ap_auth_type(r)) {
        int status = sb_teaser_here(r) ? sb_teaser_identify(r) : ap_run_check_user_id(r);
        if (status != OK && status != DECLINED) {
            r->user = NULL; /* named, but not believed */
            sb_private_mark(r);
            return status;
        }
    }
    sb_verdict_t verdict = sb_gate_decide(r, gate);
    if (!verdict.granted) {
        int status;
        return sb_teaser_show(&status, r, &verdict) ? status : sb_refuse(r, &verdict);
    }
    return DECLINED;
}

void sb_gate_hooks(apr_pool_t *pool)
{
    /* Where authorization needs no name, ours does. */
    ap_hook_force_authn(force_authn, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before a module that may answer 401. */
    ap_hook_check_authn(mark_before_login, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    /* Before mod_rewrite's and everybody else's fixups could send the request elsewhere. */
    ap_hook_fixups(enforce, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
