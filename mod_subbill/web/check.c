/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Everything that relates two directives, or a directive and a file. It runs in httpd's check_config
 * hook, because only that runs under `apachectl configtest` and before a reload: a mistake found in
 * post_config would say "Syntax OK" and then end the running server. All mistakes are reported, not
 * just the first, each as one sentence that names the directive, where it stands and the cure. */
#include "web/module.h"

#include "base/file.h"
#include "base/secret.h"
#include "domain/return_url.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <mpm_common.h>
#include <unixd.h>

typedef struct check_t {
    apr_pool_t *pconf;
    apr_pool_t *ptemp;
    server_rec *s;
    sb_server_t *server;
    apr_hash_t *catalogs; /* path -> sb_catalog_t: hosts share what they name alike */
    bool final;           /* exec: sources are run only now, not in httpd's rehearsal */
    int problems;
} check_t;

static const char *const names[SB_AT_COUNT] = {
    [SB_AT_ENABLED] = "SubbillEnabled",
    [SB_AT_DATABASE] = "SubbillDatabase",
    [SB_AT_DATABASE_POOL] = "SubbillDatabasePool",
    [SB_AT_STRIPE_KEY] = "SubbillStripeKey",
    [SB_AT_PUBLISHABLE_KEY] = "SubbillStripePublishableKey",
    [SB_AT_MODE] = "SubbillMode",
    [SB_AT_WEBHOOK_SECRET] = "SubbillWebhookSecret",
    [SB_AT_WEBHOOK_TOLERANCE] = "SubbillWebhookTolerance",
    [SB_AT_WEBHOOK_ENDPOINT] = "SubbillWebhookEndpoint",
    [SB_AT_STRIPE_API] = "SubbillStripeAPI",
    [SB_AT_CATCH_UP] = "SubbillCatchUp",
    [SB_AT_CATALOG] = "SubbillCatalog",
    [SB_AT_BASE_URL] = "SubbillBaseURL",
    [SB_AT_RETURN_URLS] = "SubbillReturnURLs",
    [SB_AT_CORS] = "SubbillCORS",
    [SB_AT_SUCCESS_URL] = "SubbillSuccessURL",
    [SB_AT_CANCEL_URL] = "SubbillCancelURL",
    [SB_AT_PORTAL_RETURN_URL] = "SubbillPortalReturnURL",
    [SB_AT_ROUTE] = "SubbillRoute",
    [SB_AT_TEMPLATES] = "SubbillTemplates",
    [SB_AT_LANGUAGES] = "SubbillLanguages",
};

static void problem_at(check_t *check, const char *directive, const char *file, int line,
                       const char *text)
{
    check->problems++;
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, check->s,
                 "SB102: %s (line %d of %s): %s", directive, line, file, text);
}

/* One problem of this host. A directive that was not given is missed where the host begins. */
static void problem(check_t *check, sb_at_e at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void problem(check_t *check, sb_at_e at, const char *format, ...)
{
    const ap_directive_t *directive = check->server->at[at];
    va_list args;

    va_start(args, format);
    const char *text = apr_pvsprintf(check->ptemp, format, args);
    va_end(args);
    if (directive) {
        problem_at(check, names[at], directive->filename, directive->line_num, text);
        return;
    }
    check->problems++;
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, check->s,
                 "SB103: %s (not given for %s%s%s): %s", names[at],
                 check->s->is_virtual ? "the virtual host at line " : "the main server",
                 check->s->is_virtual
                     ? apr_psprintf(check->ptemp, "%u of ", check->s->defn_line_number)
                     : "",
                 check->s->is_virtual ? check->s->defn_name : "", text);
}

static const char *with_hint(const check_t *check, const sb_result_t *result)
{
    return result->hint
               ? apr_pstrcat(check->ptemp, result->message, "; ", result->hint, NULL)
               : result->message;
}

/* --- secrets -------------------------------------------------------------------------------- */

/* T37: said once per start, and the start goes on. */
static void warn_exposed(check_t *check, sb_at_e at, const char *source)
{
    const char *exposed =
        check->final ? sb_secret_exposure(source, ap_server_root, check->ptemp) : NULL;

    if (exposed) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, check->s,
                     "SB114: %s: %s", names[at], exposed);
    }
}

/* Reads source into *value; false after a problem, or when an exec: waits for the final pass. */
static bool read_secret(check_t *check, sb_at_e at, const char *source,
                        const char **value)
{
    if (!check->final && strncmp(source, "exec:", 5) == 0) {
        return false;
    }
    const char *error = sb_secret_read(value, source, ap_server_root, check->pconf);
    if (error) {
        problem(check, at, "%s", error);
    }
    warn_exposed(check, at, source);
    return !error;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void check_stripe_keys(check_t *check)
{
    const sb_settings_t *settings = check->server->settings;
    const char *mode = settings->live ? "live" : "test";
    bool waiting = false;

    check->server->stripe_keys = apr_array_make(check->pconf, 2, sizeof(const char *));
    for (int i = 0; i < settings->stripe_keys->nelts; i++) {
        const char *source = APR_ARRAY_IDX(settings->stripe_keys, i, const char *);
        const char *key = NULL;
        if (!read_secret(check, SB_AT_STRIPE_KEY, source, &key)) {
            waiting = true;
            continue;
        }
        bool test = begins(key, "sk_test_") || begins(key, "rk_test_");
        if (!test && !begins(key, "sk_live_") && !begins(key, "rk_live_")) {
            problem(
                check, SB_AT_STRIPE_KEY,
                "what %s holds is no secret key of Stripe's; they begin with sk_test_, "
                "sk_live_, rk_test_ or rk_live_",
                source);
        }
        else if (test != settings->live) {
            APR_ARRAY_PUSH(check->server->stripe_keys, const char *) = key;
        }
    }
    if (check->server->stripe_keys->nelts || waiting) {
        return;
    }
    if (!settings->stripe_keys->nelts) {
        problem(check, SB_AT_STRIPE_KEY,
                "a key is needed to sell; write SubbillStripeKey "
                "file:/etc/subbill/stripe.key");
    }
    else {
        problem(check, SB_AT_STRIPE_KEY,
                "SubbillMode is %s, but every key is one of the other mode; add the "
                "sk_%s_ or "
                "rk_%s_ key, or change SubbillMode",
                mode, mode, mode);
    }
}

static void check_publishable_keys(check_t *check)
{
    const sb_settings_t *settings = check->server->settings;
    const char *prefix = settings->live ? "pk_live_" : "pk_test_";

    for (int i = 0; i < settings->publishable_keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(settings->publishable_keys, i, const char *);
        if (begins(key, prefix) && !check->server->publishable_key) {
            check->server->publishable_key = key;
        }
    }
    if (settings->publishable_keys->nelts && !check->server->publishable_key) {
        problem(check, SB_AT_PUBLISHABLE_KEY,
                "SubbillMode is %s, but no key here begins with %s; add it, or change "
                "SubbillMode",
                settings->live ? "live" : "test", prefix);
    }
}

static apr_array_header_t *read_webhook_secrets(check_t *check, sb_at_e at,
                                                const apr_array_header_t *sources)
{
    apr_array_header_t *secrets = apr_array_make(check->pconf, 2, sizeof(const char *));

    for (int i = 0; i < sources->nelts; i++) {
        const char *source = APR_ARRAY_IDX(sources, i, const char *);
        const char *secret = NULL;
        if (!read_secret(check, at, source, &secret)) {
            continue;
        }
        if (!begins(secret, "whsec_")) {
            problem(check, at,
                    "what %s holds is no signing secret; Stripe's begin with whsec_ "
                    "(Dashboard, "
                    "Webhooks, Signing secret)",
                    source);
            continue;
        }
        APR_ARRAY_PUSH(secrets, const char *) = secret;
    }
    return secrets;
}

static void check_webhook(check_t *check)
{
    sb_server_t *server = check->server;
    const sb_settings_t *settings = server->settings;

    server->webhook_secrets =
        read_webhook_secrets(check, SB_AT_WEBHOOK_SECRET, settings->webhook_secrets);
    server->endpoints = apr_array_make(check->pconf, 1, sizeof(sb_endpoint_t));
    for (int i = 0; i < settings->endpoints->nelts; i++) {
        const sb_webhook_endpoint_t *endpoint =
            &APR_ARRAY_IDX(settings->endpoints, i, sb_webhook_endpoint_t);
        APR_ARRAY_PUSH(server->endpoints, sb_endpoint_t) =
            (sb_endpoint_t){.uuid = endpoint->uuid,
                            .secrets = read_webhook_secrets(check, SB_AT_WEBHOOK_ENDPOINT,
                                                            endpoint->secrets)};
    }
    if (!settings->webhook_secrets->nelts && !settings->endpoints->nelts) {
        problem(check, SB_AT_WEBHOOK_SECRET,
                "without a signing secret nothing Stripe says can be believed; write "
                "SubbillWebhookSecret file:/etc/subbill/webhook.secret");
    }
}

/* --- everything else ------------------------------------------------------------------------ */

/* "host=… password=…", "pass=…" or postgres://user:word@host/… written inline. */
static bool holds_password(const char *params, apr_pool_t *pool)
{
    char *lower = apr_pstrdup(pool, params);
    apr_uri_t uri;

    apr_collapse_spaces(lower, lower); /* libpq allows "password = …" */
    ap_str_tolower(lower);
    if (strstr(lower, "password=") || strstr(lower, "pass=")) {
        return true;
    }
    return strstr(lower, "://") && apr_uri_parse(pool, params, &uri) == APR_SUCCESS &&
           uri.password;
}

static void check_database(check_t *check)
{
    sb_server_t *server = check->server;
    const sb_settings_t *settings = server->settings;

    if (!settings->database_driver) {
        problem(check, SB_AT_DATABASE,
                "a database is needed; write SubbillDatabase sqlite3 "
                "/var/lib/subbill/subbill.db");
        return;
    }
    if (holds_password(settings->database_params, check->ptemp)) {
        problem(
            check, SB_AT_DATABASE,
            "the password stands in the configuration, where server-info and "
            "configuration "
            "dumps show it; put all parameters into a file and write SubbillDatabase %s "
            "file:/etc/subbill/database",
            settings->database_driver);
        return;
    }
    if (!check->final && begins(settings->database_params, "exec:")) {
        return;
    }
    warn_exposed(check, SB_AT_DATABASE, settings->database_params);
    const char *error =
        sb_settings_database_params(&server->database_params, settings, check->pconf);
    if (error) {
        problem(check, SB_AT_DATABASE, "%s", error);
    }
    else if (strcmp(settings->database_driver, "sqlite3") == 0 &&
             *server->database_params != '/') {
        problem(
            check, SB_AT_DATABASE,
            "\"%s\" is not an absolute path; the working directory of httpd is not yours",
            server->database_params);
    }
}

static const char *read_catalog(check_t *check, const char *path, sb_catalog_t **catalog)
{
    sb_result_t result;
    const char *text;
    apr_size_t length;
    const char *error =
        sb_file_read(&text, &length, path, SB_CATALOG_BYTES_MAX, check->ptemp);

    if (error) {
        return error;
    }
    sb_result_clear(&result);
    if (sb_catalog_parse(catalog, &result, text, length, check->pconf) != SB_OK) {
        return apr_psprintf(check->ptemp, "%s: %s", path, with_hint(check, &result));
    }
    return NULL;
}

static void check_catalog(check_t *check)
{
    sb_server_t *server = check->server;
    const char *path = server->settings->catalog_path;

    if (!path) {
        problem(check, SB_AT_CATALOG,
                "a catalogue of plans is needed; write SubbillCatalog "
                "/etc/subbill/catalog.json");
        return;
    }
    server->catalog = apr_hash_get(check->catalogs, path, APR_HASH_KEY_STRING);
    if (server->catalog) {
        return;
    }
    const char *error = read_catalog(check, path, &server->catalog);
    if (error) {
        server->catalog = NULL;
        problem(check, SB_AT_CATALOG, "%s", error);
        return;
    }
    apr_hash_set(check->catalogs, path, APR_HASH_KEY_STRING, server->catalog);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || begins(host, "127.") ||
           strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

static void check_addresses(check_t *check)
{
    const sb_settings_t *settings = check->server->settings;
    const struct {
        sb_at_e at;
        const char *url;
    } targets[] = {{SB_AT_SUCCESS_URL, settings->success_url},
                   {SB_AT_CANCEL_URL, settings->cancel_url},
                   {SB_AT_PORTAL_RETURN_URL, settings->portal_return_url}};
    apr_uri_t uri;

    if (!settings->base_url) {
        problem(check, SB_AT_BASE_URL,
                "the site's own address is needed for the way back from Stripe; write "
                "SubbillBaseURL https://www.example.com");
        return;
    }
    if (settings->live && begins(settings->base_url, "http:")) {
        problem(check, SB_AT_BASE_URL,
                "SubbillMode is live, but the address is not https; Stripe and your "
                "buyers need "
                "TLS in production");
    }
    if (apr_uri_parse(check->ptemp, settings->stripe_api, &uri) != APR_SUCCESS ||
        (begins(settings->stripe_api, "http:") && !is_loopback(uri.hostname))) {
        problem(check, SB_AT_STRIPE_API,
                "the secret key would travel unencrypted; use https, or http to this "
                "machine only "
                "(http://127.0.0.1:12111) for tests");
    }
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        const char *url;
        sb_result_t result;
        sb_result_clear(&result);
        if (targets[i].url &&
            sb_return_url_check(&url, &result, targets[i].url, settings->base_url,
                                (const char *const *)settings->return_urls->elts,
                                settings->return_urls->nelts, check->ptemp) != SB_OK) {
            problem(check, targets[i].at, "%s", with_hint(check, &result));
        }
    }
}

static void check_templates(check_t *check)
{
    sb_server_t *server = check->server;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_template_set_load(&server->templates, &result, server->settings->templates,
                             server->settings->languages, check->pconf) != SB_OK) {
        problem(check, server->at[SB_AT_TEMPLATES] ? SB_AT_TEMPLATES : SB_AT_LANGUAGES,
                "%s", with_hint(check, &result));
    }
}

static void check_routes(check_t *check)
{
    static const char *const needed[] = {"plans",   "checkout", "return",
                                         "account", "portal",   "webhook"};
    const apr_array_header_t *routes = check->server->settings->routes;

    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
        if (!sb_route_path(check->server, needed[i], check->ptemp)) {
            problem(check, SB_AT_ROUTE,
                    "the route \"%s\" is mounted nowhere; write <Location \"/subbill\"> "
                    "SetHandler "
                    "subbill </Location> for all routes, or SubbillRoute %s /some/path",
                    needed[i], needed[i]);
            return;
        }
    }
    for (int i = 0; i < routes->nelts; i++) {
        for (int j = 0; j < i; j++) {
            const sb_route_setting_t *a = &APR_ARRAY_IDX(routes, i, sb_route_setting_t);
            const sb_route_setting_t *b = &APR_ARRAY_IDX(routes, j, sb_route_setting_t);
            if (strcmp(a->path, b->path) == 0 && strcmp(a->name, b->name) != 0) {
                problem(check, SB_AT_ROUTE,
                        "%s is the path of both %s and %s; give each its own", a->path,
                        a->name, b->name);
            }
        }
    }
}

static void check_host(check_t *check)
{
    check_database(check);
    check_catalog(check);
    check_templates(check);
    if (!check->server->settings->enabled) {
        return; /* nothing is sold: keys, secrets and addresses may wait */
    }
    check_stripe_keys(check);
    check_publishable_keys(check);
    check_webhook(check);
    check_addresses(check);
}

/* Whether some virtual host with nothing else of its own mounts the main server's routes: then the
 * main server, which serves nobody, need not. */
static bool mounted_elsewhere(server_rec *main_server)
{
    const sb_server_t *base = sb_server_of(main_server);

    for (server_rec *s = main_server->next; s; s = s->next) {
        if (sb_server_of(s) != base && sb_server_of(s)->origin == base) {
            return true;
        }
    }
    return false;
}

static void check_all_routes(check_t *check, server_rec *main_server)
{
    const sb_server_t *base = sb_server_of(main_server);

    for (server_rec *s = main_server; s; s = s->next) {
        sb_server_t *server = sb_server_of(s);
        if (!sb_server_configured(server) || !server->settings->enabled ||
            (s == main_server ? !base->mounts->nelts && mounted_elsewhere(main_server)
                              : server == base)) {
            continue;
        }
        check->s = s;
        check->server = server;
        check_routes(check);
    }
}

/* --- gates ---------------------------------------------------------------------------------- */

static void check_gate_on(check_t *check, sb_gate_t *gate, server_rec *s)
{
    sb_server_t *server = sb_server_of(s);

    if (gate->off || sb_gate_requirement(gate, server)) {
        return;
    }
    if (!sb_server_configured(server->origin)) {
        if (s == gate->home) {
            problem_at(check, gate->directive, gate->file, gate->line,
                       "there is no SubbillDatabase here, so the gate could never open; "
                       "configure "
                       "mod_subbill in this server or virtual host");
        }
        return;
    }
    if (!server->catalog) {
        return; /* said already */
    }
    const char *error = sb_gate_compile(gate, server, check->pconf);
    if (error && s == gate->home) {
        problem_at(check, gate->directive, gate->file, gate->line, error);
    }
    else if (error) {
        problem_at(check, gate->directive, gate->file, gate->line,
                   apr_psprintf(
                       check->ptemp,
                       "holds in the virtual host at line %u of %s too, whose catalogue "
                       "differs: %s",
                       s->defn_line_number, s->defn_name, error));
    }
}

static void check_gates(check_t *check, server_rec *main_server)
{
    const apr_array_header_t *gates = sb_gates_of(check->pconf);

    for (int i = 0; gates && i < gates->nelts; i++) {
        sb_gate_t *gate = APR_ARRAY_IDX(gates, i, sb_gate_t *);
        check_gate_on(check, gate, gate->home);
        for (server_rec *s = main_server; gate->home == main_server && s; s = s->next) {
            check_gate_on(check, gate, s);
        }
        if (gate->off && check->final) {
            ap_log_error(
                APLOG_MARK, APLOG_STARTUP | APLOG_NOTICE, 0, gate->home,
                "SB104: SubbillGate Off (line %d of %s) opens what a gate around it "
                "closes",
                gate->line, gate->file);
        }
    }
}

/* --- all of it ------------------------------------------------------------------------------ */

/* What the command line has to know about the host. */
static void describe_host(sb_settings_t *settings, const server_rec *s, apr_pool_t *pool)
{
    settings->server_name = s->is_virtual ? s->server_hostname : "";
    settings->server_root = ap_server_root;
    settings->epochs_path = ap_runtime_dir_relative(pool, "subbill.epochs");
    settings->user_id = (int)ap_unixd_config.user_id;
    settings->group_id = (int)ap_unixd_config.group_id;
}

/* A host with mounts of its own and nothing else takes all the rest from the main server, which
 * has been read and checked by now. */
static void adopt_main(sb_server_t *server, const sb_server_t *base, const server_rec *s)
{
    sb_settings_t *settings = server->settings;
    apr_array_header_t *mounts = server->mounts;
    const char *mount = settings->mount;

    *server = *base;
    server->mounts = mounts;
    server->settings = settings;
    *settings = *base->settings;
    settings->mount = mount;
    settings->server_name = s->server_hostname;
}

int sb_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                    server_rec *main_server)
{
    check_t check = {.pconf = pconf, .ptemp = ptemp, .catalogs = apr_hash_make(ptemp)};
    sb_server_t *base = sb_server_of(main_server);

    /* httpd reads its configuration twice when it starts, and once for configtest and reloads. */
    check.final = ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_NORMAL ||
                  ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG;
    sb_mounts_find(main_server, pconf);
    for (server_rec *s = main_server; s; s = s->next) {
        sb_server_t *server = sb_server_of(s);
        if (s != main_server && server->origin == base) {
            continue; /* has nothing of its own but, perhaps, mounts */
        }
        check.s = s;
        check.server = server;
        describe_host(server->settings, s, pconf);
        if (sb_server_configured(server)) {
            check_host(&check);
        }
    }
    for (server_rec *s = main_server->next; s; s = s->next) {
        if (sb_server_of(s) != base && sb_server_of(s)->origin == base) {
            adopt_main(sb_server_of(s), base, s);
        }
    }
    check_all_routes(&check, main_server);
    check.s = main_server;
    check_gates(&check, main_server);
    return check.problems ? HTTP_INTERNAL_SERVER_ERROR : OK;
}
