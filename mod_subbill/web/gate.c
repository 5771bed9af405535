/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The closed door. SubbillGate is enforced in fixups: httpd skips every authentication and
 * authorization hook for an internal request whose per-directory configuration equals its parent's
 * (DirectoryIndex, [PT], SSI), but it always runs fixups, on every method, before any handler has
 * looked at the body. What comes of a refusal is in refuse.c. */
#include "web/decide.h"

#include "base/log.h"
#include "web/export.h"
#include "web/metrics.h"
#include "web/teaser.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

/* In the answer to the client's own request, whatever internal one has met the door. */
static void answer_with(request_rec *r, const char *name, const char *value)
{
    apr_table_setn(sb_request_top(r)->err_headers_out, name, value);
}

/* For the access log and the application. Adding is cheaper than looking whether it is there. */
static inline void tell(request_rec *r, const char *word)
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

static apr_status_t take_back(void *data)
{
    sb_request_t *outer = data;

    outer->lent_dir = NULL;
    return APR_SUCCESS;
}

/* A folder that becomes its index becomes r, whose pool then lives as long as its own. */
static void lend(request_rec *r)
{
    const sb_request_t *request = sb_request_of(r);
    sb_request_t *outer = sb_request_of(r->main);

    outer->lent_dir = r->per_dir_config;
    memcpy(outer->lent_opened, request->opened, sizeof(outer->lent_opened));
    outer->lent_told = request->told;
    apr_pool_cleanup_register(r->pool, outer, take_back, apr_pool_cleanup_null);
}

/* For those who come later: the application, and who looks after running responses. */
static void note_opened(request_rec *r, const sb_gate_t *gate,
                        const sb_decision_t *decision)
{
    tell(r, sb_reason_word(SB_REASON_OK));
    if (sb_dir_of(r)->revoke_running > 0) {
        int door = !gate->door                     ? SB_DOOR_REQUIRE
                   : gate == sb_dir_of(r)->beneath ? SB_DOOR_BENEATH
                                                   : SB_DOOR_GATE;
        sb_decide_again_about(&sb_request_of(r)->opened[door], r, gate, decision->user);
    }
    if (decision->holding && sb_dir_of(r)->export > SB_EXPORT_OFF) {
        sb_export_granted(r, decision->holding, &decision->verdict);
    }
    if (r->main) {
        lend(r);
    }
}

/* Not what httpd asks before it has asked for a login, or a second time. */
static inline void count(request_rec *r, const sb_gate_t *gate,
                         const sb_verdict_t *verdict, bool rehearsed)
{
    if (gate->door || (!sb_request_of(r)->inverted_n &&
                       (verdict->reason != SB_REASON_NO_IDENTITY || !ap_auth_type(r)))) {
        sb_metrics_decided(verdict->reason, rehearsed, r->connection->id);
    }
}

inline sb_verdict_t sb_gate_decide(request_rec *r, const sb_gate_t *gate)
{
    sb_decision_t decision;

    sb_decide(&decision, r, gate);
    sb_private_mark(r);
    sb_verdict_t verdict = decision.verdict;
    count(r, gate, &verdict, false);
    if (verdict.granted) {
        note_opened(r, gate, &decision);
    }
    if (decision.stale && verdict.granted) {
        sb_log_rarely(SB_LOG_WARNING, 0, "SB112",
                      "the database is away: those who had access keep it for a while "
                      "(SubbillStale)");
        sb_metrics_count(SB_METRIC_STALE, r->connection->id);
        answer_with(r, "X-Subbill-Warning", "stale");
    }
    sb_reason_e ignored;
    if (!verdict.granted && sb_reason_undecided(verdict.reason) &&
        sb_dir_of(r)->allow_on_error > 0 && sb_request_user(r, &ignored)) {
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

bool sb_gate_rehearse(request_rec *r, const sb_gate_t *gate)
{
    sb_decision_t decision;

    sb_request_recognise(r);
    sb_decide(&decision, r, gate);
    const char *word = sb_reason_word(decision.verdict.reason);

    count(r, gate, &decision.verdict, true);
    if (decision.verdict.granted) {
        answer_with(r, "X-Subbill-Would", "pass");
        return true;
    }
    int status = sb_refusal_status(r, &decision.verdict);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "SB127: would be refused (%d): %s",
                  status, word);
    apr_table_setn(r->subprocess_env, "SUBBILL_WOULD", word);
    answer_with(r, "X-Subbill-Would",
                apr_psprintf(sb_request_top(r)->pool, "%d %s", status, word));
    return false;
}

/* --- hooks ---------------------------------------------------------------------------------- */

const sb_gate_t *sb_gate_of(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;

    return gate && !sb_route_of(r, NULL) ? gate : NULL;
}

/* A gate needs a name, whatever `Require all granted` says about needing none. */
static int force_authn(request_rec *r)
{
    return sb_gate_of(r) && sb_dir_of(r)->dry_run <= 0 && ap_auth_type(r) &&
                   !sb_teaser_here(r) && !sb_teaser_looks_up(r)
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

static bool is_ours(const request_rec *r)
{
    return r->handler && *r->handler == 's' &&
           (strcmp(r->handler, "subbill") == 0 ||
            strncmp(r->handler, "subbill-", 8) == 0);
}

/* By now a handler has been chosen, and only ours waives the gate: a file that lies where a route
 * is mounted does not. */
static const sb_gate_t *gate_in_fixups(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;

    if (!gate || !is_ours(r)) {
        return gate;
    }
    sb_request_of(r)->postponed = true; /* others may still take the request */
    return sb_gate_of(r);
}

static inline int ask_gate(request_rec *r, const sb_gate_t *gate)
{
    int status;
    sb_verdict_t verdict = sb_gate_decide(r, gate);

    if (verdict.granted) {
        return DECLINED;
    }
    return sb_teaser_show(&status, r, &verdict) ? status : sb_refuse(r, &verdict);
}

/* The gate, and one of files beneath that of an address. */
static inline int ask(request_rec *r, const sb_gate_t *gate)
{
    const sb_gate_t *beneath = sb_dir_of(r)->beneath;

    if (sb_dir_of(r)->dry_run > 0) {
        if (sb_gate_rehearse(r, gate) && beneath) {
            sb_gate_rehearse(r, beneath);
        }
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
    int status = ask_gate(r, gate);
    /* Who is shown a teaser is refused already. */
    return status == DECLINED && beneath && !sb_request_of(r)->teaser
               ? ask_gate(r, beneath)
               : status;
}

static int enforce(request_rec *r)
{
    const sb_dir_t *dir = sb_dir_of(r);
    const sb_gate_t *gate = gate_in_fixups(r);
    int again = sb_authz_again(r);

    if (again != OK) {
        return again;
    }
    /* Where another requirement has let somebody pass, ours may never have been asked; nor is it for an internal
     * redirect. */
    if (dir->required && dir->dry_run <= 0) {
        sb_private_mark(r);
    }
    sb_teaser_found(r);
    if (gate && sb_teaser_looks_up(r)) {
        sb_request_of(r)->postponed = true;
        return DECLINED;
    }
    int status = gate ? ask(r, gate) : DECLINED;
    if (status == DECLINED && (gate || dir->required)) {
        sb_request_of(r)->passed = true;
    }
    return status;
}

/* What was ours in fixups, or only looked up, has become somebody else's: mod_dav takes a folder it is in charge
 * of from whoever handles it. */
static int enforce_late(request_rec *r)
{
    const sb_gate_t *gate = sb_dir_of(r)->gate;

    if (!gate || !sb_request_of(r)->postponed || is_ours(r)) {
        return DECLINED;
    }
    sb_request_of(r)->postponed = false;
    return ask(r, gate);
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
    /* Before any handler. */
    ap_hook_handler(enforce_late, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
