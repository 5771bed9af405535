/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_MODULE_H
#define SB_WEB_MODULE_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <ap_expr.h>
#include <apr_hash.h>
#include <stdbool.h>

#include "base/settings.h"
#include "domain/catalog.h"
#include "domain/entitlement.h"
#include "service/access.h"
#include "service/service.h"
#include "store/epoch_watch.h"
#include "text/template_set.h"
#include "store/cache.h"

extern module AP_MODULE_DECLARE_DATA subbill_module
    __attribute__((visibility("default")));

/* AP_DECLARE_MODULE says the same in the file that holds the record. */
#ifndef SB_MODULE_RECORD
APLOG_USE_MODULE(subbill);
#endif

/* The per-server directives, for "was it given here, and where". */
typedef enum {
    SB_AT_ENABLED,
    SB_AT_DATABASE,
    SB_AT_DATABASE_POOL,
    SB_AT_STRIPE_KEY,
    SB_AT_PUBLISHABLE_KEY,
    SB_AT_MODE,
    SB_AT_WEBHOOK_SECRET,
    SB_AT_WEBHOOK_TOLERANCE,
    SB_AT_WEBHOOK_ENDPOINT,
    SB_AT_STRIPE_API,
    SB_AT_CATCH_UP,
    SB_AT_CATALOG,
    SB_AT_BASE_URL,
    SB_AT_RETURN_URLS,
    SB_AT_CORS,
    SB_AT_SUCCESS_URL,
    SB_AT_CANCEL_URL,
    SB_AT_PORTAL_RETURN_URL,
    SB_AT_ROUTE,
    SB_AT_WORKER,
    SB_AT_TEMPLATES,
    SB_AT_LANGUAGES,
    SB_AT_CACHE,
    SB_AT_COUNT
} sb_at_e;

/* What one virtual host knows. The settings come from the directives; what check_config made of
 * them (catalogue, templates, secrets) is read-only from then on; `service` is born in each child.
 * Hosts without a directive of their own share the main server's struct. */
typedef struct sb_server_t {
    sb_settings_t *settings;
    const ap_directive_t *at[SB_AT_COUNT]; /* NULL: not given here */
    apr_array_header_t *mounts;            /* sb_mount_t; the main server's come last */
    struct sb_server_t *origin; /* whose service this host shares: itself, as a rule */

    sb_catalog_t *catalog; /* NULL when no catalogue is configured */
    sb_template_set_t *templates;
    apr_array_header_t
        *stripe_keys; /* const char *: values of this mode, the first in use */
    apr_array_header_t *webhook_secrets; /* const char *: values */
    apr_array_header_t *endpoints;       /* sb_endpoint_t */
    const char *publishable_key;         /* of this mode, or NULL */
    const char *database_params;         /* value */

    sb_service_t
        *service; /* this process's; NULL in the parent and when nothing is configured */
    sb_cache_t *holdings;    /* user and days of grace -> sb_holding_t */
    sb_cache_t *owned;       /* user, thing and key -> bool */
    sb_epochs_t *epochs;     /* this host's */
    sb_epoch_watch_t *watch; /* the other hosts' */

    /* Of web/worker.c, whose thread alone uses them; monotonic. */
    apr_time_t next_upkeep, next_try;
    bool worked; /* it has had its first turn in this process */
} sb_server_t;

/* A place where our handlers answer: by SubbillRoute (exactly this path), or by SetHandler in a
 * <Location> (this path and below). One final
 * slash more or less is the same address: people type both. */
typedef struct sb_mount_t {
    const char *path;  /* as links write it */
    apr_size_t length; /* of what is compared: without a final slash */
    const char *route; /* NULL: every route, its name is the next segment */
    bool exact;
} sb_mount_t;

/* A thing that a door asks for by its key: feature, SKU or meter. */
typedef struct sb_wanted_t {
    sb_thing_e thing;
    const char *key;                      /* as written; NULL: an expression gives it */
    const ap_expr_info_t *key_expression; /* of httpd, evaluated for each request */
    apr_int64_t least; /* units, at least 1; 0: an expression gives it */
    const ap_expr_info_t *least_expression;
} sb_wanted_t;

/* What a section speaks of. httpd merges addresses after files, which is no nesting. */
typedef enum {
    SB_SCOPE_SERVER,  /* no section: where nothing else is said */
    SB_SCOPE_FILES,   /* <Directory>, <Files>, <Proxy>, and <If> inside of these */
    SB_SCOPE_ADDRESS, /* <Location>, and <If> elsewhere */
    SB_SCOPES
} sb_scope_e;

/* A question that SubbillGate or a Require line of ours puts, with its answer's rule compiled for
 * every catalogue it can meet: a <Location> of the main server holds in virtual hosts that have
 * catalogues of their own. */
typedef struct sb_gate_t {
    const char *directive; /* "SubbillGate", "Require subscription", … */
    const char *file;
    int line;
    bool door; /* SubbillGate; else a Require line */
    sb_scope_e scope;
    bool off;
    bool
        replaces; /* Off, where the section's own Require lines replace those around it */
    apr_array_header_t *words;  /* const char *: any, plans */
    apr_array_header_t *wanted; /* sb_wanted_t */
    bool by_address;            /* the key of one is an expression */
    bool by_holding; /* what the user's subscriptions bring matters: words, or features */
    server_rec *home;          /* where it is written */
    apr_hash_t *compiled;      /* const sb_catalog_t * -> const sb_requirement_t * */
    const sb_catalog_t *usual; /* the first of these, which is mostly the only one */
    const sb_requirement_t *usual_rule;
} sb_gate_t;

typedef struct sb_endpoint_t {
    const char *uuid;
    apr_array_header_t *secrets; /* const char *: values */
} sb_endpoint_t;

typedef enum {
    SB_DENY_UNSET,
    SB_DENY_AUTO,
    SB_DENY_402,
    SB_DENY_403,
    SB_DENY_REDIRECT
} sb_on_deny_e;

typedef enum {
    SB_EXPORT_UNSET, /* counts as SB_EXPORT_OFF */
    SB_EXPORT_OFF,
    SB_EXPORT_ENV,
    SB_EXPORT_HEADERS
} sb_export_e;

/* Per location. Every member has an unset value (NULL, -1, SB_…_UNSET) that merging respects. */
typedef struct sb_dir_t {
    bool given;                          /* a directive of ours stood in this section */
    const sb_gate_t *written[SB_SCOPES]; /* SubbillGate, the innermost of each scope */
    const sb_gate_t *gate;      /* what comes of these: the gate that is shut, or NULL; */
    const sb_gate_t *beneath;   /* and one of files that is shut as well */
    bool required;              /* a Require line of ours stands here or around */
    const ap_expr_info_t *user; /* SubbillUser */
    const ap_expr_info_t *email; /* SubbillEmail */
    sb_on_deny_e on_deny;
    const char *deny_url; /* of SubbillOnDeny redirect, or NULL: the plans page */
    int grace_days;       /* SubbillGrace; -1: unset, as those below */
    int stale_seconds;    /* SubbillStale */
    int allow_on_error;   /* SubbillOnError */
    int dry_run;          /* SubbillDryRun */
    sb_export_e export;   /* SubbillExport */
    const char *teaser;   /* SubbillTeaser: a path, "marker", or "" for off */
    int revoke_running;   /* SubbillRevokeRunning, seconds; 0: never */
} sb_dir_t;

static inline sb_server_t *sb_server_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &subbill_module);
}

static inline sb_dir_t *sb_dir_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &subbill_module);
}

/* --- web/config.c, gates.c, check.c, dump.c: directives and their relations ----------------------------- */

extern const command_rec sb_directives[];
void *sb_server_create(apr_pool_t *pool, server_rec *s);
void *sb_server_merge(apr_pool_t *pool, void *base, void *add);
void *sb_dir_create(apr_pool_t *pool, char *path);
void *sb_dir_merge(apr_pool_t *pool, void *base, void *add);

/* Notes that a Require line of ours stands in the section that is being read. */
void sb_dir_require(cmd_parms *cmd);

/* The longest SubbillStale of all locations, seconds. */
int sb_dir_longest_stale(void);

/* Whether this host was given anything to do with us. */
bool sb_server_configured(const sb_server_t *server);

/* Every gate and Require line read since the configuration was opened (sb_gate_t *). */
apr_array_header_t *sb_gates_open(apr_pool_t *pconf);
apr_array_header_t *sb_gates_of(apr_pool_t *pconf);

/* Makes a gate of words, registers it for check_config, or, when the catalogue is already there
 * (.htaccess), compiles it at once. thing: what the words of a Require line are keys of; SubbillGate says it
 * before each word. NULL or a sentence. */
const char *sb_gate_make(sb_gate_t **gate, cmd_parms *cmd, const char *directive,
                         sb_thing_e thing, const char *words);

/* Whether any gate that is not Off, or any Require line of ours, was read by this process. */
bool sb_gates_in_use(void);

/* Compiles gate for this host's catalogue, while the configuration is read. NULL or a sentence. */
const char *sb_gate_compile(sb_gate_t *gate, const sb_server_t *server, apr_pool_t *pool);

/* The rule of gate under this host's catalogue; NULL when it has none. */
const sb_requirement_t *sb_gate_requirement(const sb_gate_t *gate,
                                            const sb_server_t *server);

/* Hook: all relations between directives; every problem is logged, the first pass and the last. */
int sb_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                    server_rec *s);

/* Hook: prints the effective settings for -t -D DUMP_SUBBILL. */
void sb_dump_config(apr_pool_t *pool, server_rec *s);

/* --- web/request.c: what we remember about a request ---------------------------------------- */

typedef struct sb_thing_t {
    sb_thing_e what;
    const char *key;
} sb_thing_t;

/* A request may have come through several doors: what its Require lines say, of which the last that granted counts,
 * and the gates. */
enum { SB_DOOR_REQUIRE, SB_DOOR_GATE, SB_DOOR_BENEATH, SB_DOORS };

/* What opened a door to a request, for SubbillRevokeRunning. */
typedef struct sb_opened_t {
    const char *user; /* whom; NULL: no door that is worth asking again */
    const sb_requirement_t
        *requirement;           /* what he may hold for it; NULL: that is no matter */
    apr_array_header_t *things; /* sb_thing_t: any of these opens it as well */
} sb_opened_t;

/* What SubbillExport tells the application: texts that outlive the request; user NULL: nothing. */
typedef struct sb_told_t {
    const char *user;
    const char *plan;
    const char *status;
    const char *entitlements;
} sb_told_t;

enum { SB_INVERTED_MAX = 8 };

typedef struct sb_request_t {
    const char *routed; /* the r->uri that route and rest were found for */
    const char *route;
    const char *rest;

    bool authorized; /* web/authz.c has run httpd's own check; */
    bool nested;     /* it does so right now, */
    const sb_gate_t *inverted[SB_INVERTED_MAX]; /* as if these had not granted; */
    int inverted_n;
    bool by_address; /* some requirement asked for a key that the address may name */
    const sb_gate_t *let_pass; /* the last that has, in the last run */
    bool gated;                /* a gate or Require subscription looked at this request */
    bool postponed;            /* the gate is asked when a handler is about to run */
    bool passed;   /* all that asks for a login is behind it, and its doors are open */
    bool reasoned; /* the environment holds SUBBILL_REASON */
    bool refused;  /* refusal holds what to tell */
    sb_result_t refusal;
    const sb_gate_t *denied_by; /* set by the provider during the nested run */
    sb_verdict_t denied;
    sb_opened_t opened[SB_DOORS]; /* all of it outlives the request */
    struct sb_teaser_t *teaser;   /* of web/teaser.c: shown in place of a refusal; */
    bool negotiating; /* httpd looks for the file it is about; fixups come later */
    sb_told_t told;   /* set by web/export.c when a door let this request in */

    /* A folder becomes its index without a decision of its own, for httpd copies the configuration of the
     * subrequest that was let in, but not what we know about it. */
    const void *lent_dir; /* that configuration; NULL: no subrequest was let in */
    sb_opened_t lent_opened[SB_DOORS];
    sb_told_t lent_told;

    /* Only in the request the client sent: what its user holds, for all the internal ones. */
    const char *holder;
    int holder_grace;
    bool holding_stale;
    int stale_seconds; /* what allowed it to be */
    sb_holding_t holding;
    bool told_headers; /* some request below it wrote X-Subbill-… headers */
    apr_table_t *sent; /* its headers as they came; NULL: nobody will want to know */
} sb_request_t;

sb_request_t *sb_request_make(request_rec *r);

/* Puts back what stood in a table, in place: others may know it by its address. */
void sb_table_restore(apr_table_t *table, const apr_table_t *from);

/* What is known about the last subrequest is known about r, too, once r has become it. */
void sb_request_settle(request_rec *r);

/* Made on first use; never NULL. */
static inline sb_request_t *sb_request_of(request_rec *r)
{
    sb_request_t *request = ap_get_module_config(r->request_config, &subbill_module);

    return request ? request : sb_request_make(r);
}

/* The request below which r was made: its parent, the one it was redirected from, or NULL. */
static inline request_rec *sb_request_origin(const request_rec *r)
{
    return r->main ? r->main : r->prev;
}

/* The request that the client sent, from any subrequest or internal redirect below it. */
request_rec *sb_request_top(request_rec *r);

/* --- web/gate.c: the decision ------------------------------------------------------------------ */

/* Decides by cache or database; never talks to Stripe. Marks the request, and those it was made
 * from, as gated: their answer may hold what stands behind this door. SubbillStale and SubbillOnError
 * are heeded, and told in X-Subbill-Warning. */
sb_verdict_t sb_gate_decide(request_rec *r, const sb_gate_t *gate);

/* The gate in force: none for our own public handlers, so that `<Location "/">` can be closed and
 * still sell. Early on only the address tells which those are. */
const sb_gate_t *sb_gate_of(request_rec *r);

/* SubbillDryRun: only tells what the decision would be, in X-Subbill-Would, the log and SUBBILL_WOULD, and returns
 * whether it would let pass. */
bool sb_gate_rehearse(request_rec *r, const sb_gate_t *gate);

/* The same without a request, from any thread: what the cache or the database say now. Memory comes
 * from pool. */
sb_verdict_t sb_gate_ask(const sb_server_t *server, const sb_opened_t *opened,
                         int grace_days, apr_pool_t *pool);

/* --- web/refuse.c: what a refusal looks like ----------------------------------------------------- */
/* Prepares the answer to a refusal (headers, what the error page says) and returns the status
 * that the calling hook has to return; the body is made by the refusal filter. */
int sb_refuse(request_rec *r, const sb_verdict_t *verdict);

/* The status that sb_refuse() would answer with. */
int sb_refusal_status(request_rec *r, const sb_verdict_t *verdict);

/* --- web/authz.c: the requirements ----------------------------------------------------------------- */

/* httpd does not ask the requirements of an internal request again whose configuration is that of the request
 * it was made from. Where a key is made of the address it may be another one all the same: they are asked here.
 * OK, or the status to end with. */
int sb_authz_again(request_rec *r);

void sb_refusal_hooks(apr_pool_t *pool);
void sb_gate_hooks(apr_pool_t *pool);
void sb_authz_hooks(apr_pool_t *pool);
void sb_dav_hooks(apr_pool_t *pool);
void sb_route_hooks(apr_pool_t *pool);

/* In each process, before its first request. */
void sb_dav_open(void);
void sb_worker_hooks(apr_pool_t *pool);

/* --- web/private.c: what caches may keep --------------------------------------------------------- */

/* The answer to this request, and to those it was made for, holds what stands behind a door. */
void sb_private_mark(request_rec *r);

/* Once per process, when all modules are there. */
void sb_private_open(void);
void sb_private_hooks(apr_pool_t *pool);

/* --- web/holding.c: what a user holds --------------------------------------------------------- */

/* The rights of this user as of now: from this request's memory, the cache, or one query. *stale: the
 * database is away, and this is what was known last (SubbillStale). NULL: nothing is known. The
 * answer lives as long as the client's own request. name: as sb_request_name() says it. *reason: why
 * there is none. */
const sb_holding_t *sb_holding_of(bool *stale, sb_reason_e *reason, request_rec *r,
                                  const char *name);

/* The same without a request, from any thread; no stale answer. user: one that we take. */
bool sb_holding_ask(sb_holding_t *holding, const sb_server_t *server, const char *user,
                    int grace_days, apr_pool_t *pool);

/* --- web/owned.c: what is asked for by a key --------------------------------------------------- */

/* Whether the user of this request has as much of it as the door wants: SB_REASON_OK; by the cache or one
 * query, credit always by a query. Else why not: _NO_ENTITLEMENT, _NOT_PURCHASED, _NO_CREDIT, or _UNAVAILABLE and
 * what sb_request_name_taken() says. *stale as above. */
#define SB_OWNED_KEY_MAX (SB_IDENTITY_MAX + 2 + SB_THING_KEY_MAX) /* of the cache */
sb_reason_e sb_owned_by(bool *stale, request_rec *r, const char *user, sb_thing_e thing,
                        const char *key, apr_int64_t least);

/* The same without a request, from any thread; no stale answer, and no credit. */
sb_reason_e sb_owned_ask(const sb_server_t *server, const char *user, sb_thing_e thing,
                         const char *key, apr_pool_t *pool);

/* --- web/identity.c: who asks ------------------------------------------------------------- */

/* Some expression of the configuration will name users. */
void sb_identity_expect(void);
void sb_identity_hooks(apr_pool_t *pool);

/* What names the user of this request, by SubbillUser or httpd, taken or not; NULL: nothing does. */
const char *sb_request_name(request_rec *r);

/* Finds out who sent this where nobody need say so: credentials that came along are checked, and wrong ones
 * are as good as none. */
void sb_request_recognise(request_rec *r);

/* Whether a name is one that we take; else *reason says so, and the log why. */
bool sb_request_name_taken(const char *name, sb_reason_e *reason);

/* The user of this request by SubbillUser (default %{REMOTE_USER}): NULL when nobody is known.
 * *reason becomes "bad_identity" word's enum when a name was given that we do not take. Expressions
 * are evaluated each time. */
const char *sb_request_user(request_rec *r, sb_reason_e *reason);

/* Finds out who it is from what was sent, a session say, and never asks: what the authentication module
 * wrote about a failure is taken back. */
void sb_request_greet(request_rec *r);

/* The e-mail address by SubbillEmail, NULL when not configured, empty or not an address. */
const char *sb_request_email(request_rec *r);

/* --- web/routes.c: where things are ------------------------------------------------------- */

/* The canonical path of route name on this server ("/subbill/plans"): its first SubbillRoute, else
 * below the mount; NULL when it is mounted nowhere. */
const char *sb_route_path(const sb_server_t *server, const char *name, apr_pool_t *pool);

/* The same as an absolute address below SubbillBaseURL. */
const char *sb_route_url(const sb_server_t *server, const char *name, apr_pool_t *pool);

/* The route this request is for ("plans", "webhook", …; rest points behind it, e.g. the UUID or
 * "change"), or NULL when it is none of ours. Works in every phase after translate_name. */
const char *sb_route_of(request_rec *r, const char **rest);

/* Fills server->mounts from SubbillRoute and from the <Location> sections of the configuration tree. */
void sb_mounts_find(server_rec *s, apr_pool_t *pconf);

/* A sentence when name is no route. */
const char *sb_route_name_check(const char *name, apr_pool_t *pool);

/* --- web/worker.c: background jobs --------------------------------------------------------------- */

/* This process is about to end: no further step is begun. Only sets a flag. */
void sb_worker_stop(void);

/* --- web/problem.c: refusals and errors --------------------------------------------------- */

/* Answers this request with result: a problem document (RFC 9457) or, for browsers, the error page,
 * in the language of the request. Sets status, headers (no-store, Retry-After) and body; returns
 * what a handler returns. Used by the gate's refusal handler and by every route. */
int sb_problem_send(request_rec *r, const sb_result_t *result);

/* The body alone, for the gate's refusal filter: *type is its Content-Type, with charset. */
const char *sb_problem_render(request_rec *r, const sb_result_t *result,
                              const char **type);

/* The HTTP status for a result status. */
int sb_http_status(sb_status_e status);

/* Whether the client is a browser that wants a page (Accept, Sec-Fetch-*, X-Requested-With). */
int sb_wants_html(request_rec *r);

#endif
