/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The module record and what happens once per process. Everything else is in a file named for it:
 * directives in config.c, their relations in check.c, the gate in gate.c and authz.c, the public
 * handlers in handlers.c and one file each. */
#define SB_MODULE_RECORD
#include "web/module.h"

#include "base/log.h"
#include "base/version.h"
#include "domain/identity.h"
#include "store/epochs.h"
#include "web/export.h"
#include "web/handlers.h"
#include "web/metrics.h"
#include "web/revoke.h"
#include "web/teaser.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <http_protocol.h>
#include <mpm_common.h>
#include <unixd.h>

static void register_hooks(apr_pool_t *pool);

/* First in the file: it declares the index by which LogLevel subbill:… is found. */
AP_DECLARE_MODULE(subbill) = {
    STANDARD20_MODULE_STUFF, sb_dir_create, sb_dir_merge,   sb_server_create,
    sb_server_merge,         sb_directives, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};

/* --- log ------------------------------------------------------------------------------------ */

static void log_sink(void *baton, sb_log_level_e level, apr_status_t rv, const char *line)
{
    static const int levels[] = {[SB_LOG_ERROR] = APLOG_ERR,
                                 [SB_LOG_WARNING] = APLOG_WARNING,
                                 [SB_LOG_NOTICE] = APLOG_NOTICE,
                                 [SB_LOG_INFO] = APLOG_INFO,
                                 [SB_LOG_DEBUG] = APLOG_DEBUG};
    server_rec *s = baton;

    ap_log_error(APLOG_MARK, levels[level], rv, s, "subbill: %s", line);
}

static sb_log_level_e log_level(const server_rec *s)
{
    int level = ap_get_server_module_loglevel(s, APLOG_MODULE_INDEX);

    return level >= APLOG_DEBUG     ? SB_LOG_DEBUG
           : level >= APLOG_INFO    ? SB_LOG_INFO
           : level >= APLOG_NOTICE  ? SB_LOG_NOTICE
           : level >= APLOG_WARNING ? SB_LOG_WARNING
                                    : SB_LOG_ERROR;
}

/* --- life ----------------------------------------------------------------------------------- */

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    sb_gates_open(pconf);
    return OK;
}

static bool any_configured(server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        if (sb_server_configured(sb_server_of(s))) {
            return true;
        }
    }
    return false;
}

/* The parent makes the file of epochs while it may write to the runtime directory; it never
 * opens the database. */
static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        !any_configured(s)) {
        return OK;
    }
    const char *path = ap_runtime_dir_relative(pconf, "subbill.epochs");
    apr_status_t rv =
        sb_epochs_prepare(path, ap_unixd_config.user_id, ap_unixd_config.group_id);
    if (rv != APR_SUCCESS) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, rv, s,
            "subbill: SB106: %s cannot be made: processes hear of purchases from the "
            "database, up to a quarter of a second late; check DefaultRuntimeDir",
            path);
    }
    rv = sb_metrics_open(pconf);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "subbill: SB145: no memory for the counters of subbill-metrics");
    }
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                 "subbill: SB107: mod_subbill/%s is ready", SB_VERSION);
    return OK;
}

/* A quarter of the threads may wait for Stripe, however many virtual hosts sell: the others go on
 * serving when Stripe dribbles (F14). prefork has one thread per process and so no cap. */
static int stripe_calls(void)
{
    int threads = 0;

    return ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) == APR_SUCCESS && threads > 4
               ? threads / 4
               : 1;
}

static sb_http_t *http_of_process(server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        const sb_server_t *server = sb_server_of(s);
        if (server->service && server->service->http) {
            return server->service->http;
        }
    }
    return NULL;
}

static void open_service(sb_server_t *server, server_rec *s, server_rec *main_server,
                         sb_epochs_t *epochs, apr_pool_t *pool)
{
    sb_result_t result;
    const sb_service_options_t options = {
        .settings = server->settings,
        .catalog = server->catalog,
        .templates = server->templates,
        .database_params = server->database_params,
        .stripe_keys = server->stripe_keys,
        .epochs = epochs,
        .stripe_calls = stripe_calls(),
        .http = http_of_process(main_server),
    };

    sb_result_clear(&result);
    if (sb_service_create(&server->service, &result, &options, pool) != SB_OK) {
        server->service = NULL;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "subbill: SB108: %s%s%s",
                     result.message, result.hint ? "; " : "",
                     result.hint ? result.hint : "");
        return;
    }
    enum { OWNED_SHARE = 4 };
    const sb_cache_options_t holdings = {
        .entries = server->settings->cache_entries,
        .ttl = apr_time_from_sec(server->settings->cache_ttl),
        .keep = apr_time_from_sec(sb_dir_longest_stale()),
        .key_max = SB_IDENTITY_MAX,
        .value_size = sizeof(sb_holding_t),
        .epochs = epochs,
    };
    server->epochs = epochs;
    sb_epoch_watch_create(&server->watch, epochs, server->settings->database_driver,
                          server->database_params, pool);
    apr_status_t rv = sb_cache_create(&server->holdings, &holdings, pool);
    if (rv == APR_SUCCESS) {
        const sb_cache_options_t owned = {
            .entries = (holdings.entries + OWNED_SHARE - 1) / OWNED_SHARE,
            .ttl = holdings.ttl,
            .keep = holdings.keep,
            .key_max = SB_OWNED_KEY_MAX,
            .value_size = sizeof(bool),
            .epochs = epochs,
        };
        rv = sb_cache_create(&server->owned, &owned, pool);
    }
    if (rv != APR_SUCCESS) {
        server->service = NULL;
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "subbill: SB109: no memory for the cache");
    }
}

static void child_init(apr_pool_t *pool, server_rec *main_server)
{
    sb_epochs_t *epochs = NULL;

    if (!any_configured(main_server)) {
        return;
    }
    sb_log_sink_set(log_sink, main_server);
    sb_log_level_set(log_level(main_server));
    sb_private_open();
    sb_dav_open();
    if (sb_epochs_open(&epochs, ap_runtime_dir_relative(pool, "subbill.epochs"), pool) !=
        APR_SUCCESS) {
        sb_epochs_open_private(&epochs, pool); /* the parent has said so */
    }
    for (server_rec *s = main_server; s; s = s->next) {
        sb_server_t *server = sb_server_of(s);
        if (!server->service && server->origin == server &&
            sb_server_configured(server)) {
            open_service(server, s, main_server, epochs, pool);
        }
    }
    for (server_rec *s = main_server; s; s = s->next) {
        sb_server_t *server = sb_server_of(s);
        if (server->origin != server) {
            server->service = server->origin->service;
            server->holdings = server->origin->holdings;
            server->owned = server->origin->owned;
            server->epochs = server->origin->epochs;
            server->watch = server->origin->watch;
        }
    }
}

/* A child that is told to stop at once waits for no answer of Stripe's. One that stops gracefully
 * serves what it has begun, which ends within the time of a call. Only sets a flag: prefork calls
 * it from a signal handler. */
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
static void child_stopping(apr_pool_t *pool, int graceful)
{
    sb_http_t *http = graceful ? NULL : http_of_process(ap_server_conf);

    sb_worker_stop();
    if (http) {
        sb_http_stop(http);
    }
}
#endif

/* --- requests ------------------------------------------------------------------------------- */

/* SetHandler subbill: the path says which route; SetHandler subbill-NAME: the handler does, where
 * the path tells nothing (a <LocationMatch>, say). What is for operators is no route: it is mounted by itself,
 * and gated where a gate stands. */
static int handle(request_rec *r)
{
    const char *rest = NULL;
    const char *route;

    if (!r->handler || strncmp(r->handler, "subbill", 7) != 0 ||
        (r->handler[7] && r->handler[7] != '-')) {
        return DECLINED;
    }
    if (strcmp(r->handler, "subbill-metrics") == 0) {
        return sb_metrics_answer(r);
    }
    route = sb_route_of(r, &rest);
    if (!route && r->handler[7] == '-' && !sb_route_name_check(r->handler + 8, r->pool)) {
        route = r->handler + 8;
        rest = "";
    }
    return route ? sb_handler_dispatch(r, route, rest) : HTTP_NOT_FOUND;
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};

    /* Gates are collected from the first directive on. */
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* The only hook that runs for configtest and before a reload. */
    ap_hook_check_config(sb_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* Runs after check_config for -t only. */
    ap_hook_test_config(sb_dump_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* Once, as root, before children exist. */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* Connections, curl and threads are born after the fork; the watchdog's thread, which uses them,
     * after them, so that it ends before them. */
    ap_hook_child_init(child_init, NULL, before_watchdog, APR_HOOK_MIDDLE);
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
    /* Before the threads are waited for. */
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
#endif
    /* Before handlers that take whatever comes, mod_proxy's for one, and after those that close doors. */
    ap_hook_handler(handle, NULL, NULL, (APR_HOOK_REALLY_FIRST + APR_HOOK_FIRST) / 2);
    sb_route_hooks(pool);
    sb_identity_hooks(pool);
    sb_gate_hooks(pool);
    sb_refusal_hooks(pool);
    sb_private_hooks(pool);
    sb_export_hooks(pool);
    sb_revoke_hooks(pool);
    sb_teaser_hooks(pool);
    sb_authz_hooks(pool);
    sb_dav_hooks(pool);
    sb_handler_hooks(pool);
    sb_worker_hooks(pool);
}
