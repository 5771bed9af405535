/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The directives. Setters check what can be seen from one line alone and answer with a sentence, to
 * which httpd adds file and line; everything that relates two lines, or reads a file, belongs to
 * check.c. A virtual host's value replaces the main server's, lists included. `at` remembers where
 * each directive stood: that is both the mark "given here" for merging and the place for messages. */
#include "web/config.h"

#include "base/secret.h"
#include "domain/return_url.h"

#include <apr_strings.h>
#include <ap_provider.h>
#include <limits.h>

static sb_server_t *server_for(cmd_parms *cmd, sb_at_e at)
{
    sb_server_t *server = sb_server_of(cmd->server);

    server->at[at] = cmd->directive;
    return server;
}

static sb_settings_t *settings_for(cmd_parms *cmd, sb_at_e at)
{
    return server_for(cmd, at)->settings;
}

const char *sb_config_complain(cmd_parms *cmd, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *text = apr_pvsprintf(cmd->temp_pool, format, args);
    va_end(args);
    return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, text);
}

const char *sb_config_number(int *value, cmd_parms *cmd, const char *arg, int least,
                             int most, const char *unit)
{
    char *end;
    apr_int64_t number = apr_strtoi64(arg, &end, 10);

    if (!*arg || *end || number < least || number > most) {
        return sb_config_complain(cmd, "\"%s\" is not a whole number of %s from %d to %d",
                                  arg, unit, least, most);
    }
    *value = (int)number;
    return NULL;
}

/* An http(s) address; the final slash goes, so that paths can be put behind it. */
static const char *parse_url(const char **value, cmd_parms *cmd, const char *arg)
{
    const char *wrong = sb_return_origin_check(arg, cmd->temp_pool);

    if (wrong) {
        return sb_config_complain(
            cmd, "\"%s\" cannot stand here: %s Write it like https://www.example.com",
            arg, wrong);
    }
    apr_size_t length = strlen(arg);
    while (length && arg[length - 1] == '/') {
        length--;
    }
    *value = apr_pstrmemdup(cmd->pool, arg, length);
    return NULL;
}

static void take_text(apr_array_header_t *list, cmd_parms *cmd, const char *arg)
{
    APR_ARRAY_PUSH(list, const char *) = apr_pstrdup(cmd->pool, arg);
}

/* --- per server ---------------------------------------------------------------------------- */

static const char *set_enabled(cmd_parms *cmd, void *dir, int on)
{
    settings_for(cmd, SB_AT_ENABLED)->enabled = on != 0;
    return NULL;
}

static const char *set_database(cmd_parms *cmd, void *dir, const char *driver,
                                const char *params)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_DATABASE);

    if (strcmp(driver, "sqlite3") != 0 && strcmp(driver, "pgsql") != 0 &&
        strcmp(driver, "mysql") != 0) {
        return sb_config_complain(
            cmd, "\"%s\" is not a driver; use sqlite3, pgsql or mysql", driver);
    }
    if (!*params) {
        return sb_config_complain(
            cmd, "needs parameters: the absolute path of the file for sqlite3, "
                 "\"host=… dbname=… user=…\" for pgsql and mysql");
    }
    settings->database_driver = apr_pstrdup(cmd->pool, driver);
    settings->database_params = apr_pstrdup(cmd->pool, params);
    return NULL;
}

static const char *set_database_pool(cmd_parms *cmd, void *dir, const char *max,
                                     const char *wait)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_DATABASE_POOL);
    const char *error =
        sb_config_number(&settings->pool_max, cmd, max, 1, 1000, "connections");

    if (!error && wait) {
        error = sb_config_number(&settings->pool_wait_ms, cmd, wait, 1, 60000,
                                 "milliseconds");
    }
    return error;
}

/* A secret's source into list. The argument of a mistaken inline secret is blanked in the
 * configuration tree, where mod_info and DUMP_CONFIG would print it (M9, T37). */
static const char *take_source(apr_array_header_t *list, cmd_parms *cmd, const char *arg)
{
    const char *error = sb_secret_source_check(arg, cmd->temp_pool);

    if (error) {
        cmd->directive->args = "(withheld)";
        return sb_config_complain(cmd, "%s", error);
    }
    take_text(list, cmd, arg);
    return NULL;
}

static const char *set_stripe_key(cmd_parms *cmd, void *dir, const char *arg)
{
    return take_source(settings_for(cmd, SB_AT_STRIPE_KEY)->stripe_keys, cmd, arg);
}

static const char *set_publishable_key(cmd_parms *cmd, void *dir, const char *arg)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_PUBLISHABLE_KEY);

    if (strncmp(arg, "pk_test_", 8) != 0 && strncmp(arg, "pk_live_", 8) != 0) {
        cmd->directive->args = "(withheld)";
        return sb_config_complain(
            cmd, "a publishable key begins with pk_test_ or pk_live_; what stands here "
                 "does not (secret keys belong to SubbillStripeKey, as file:…)");
    }
    take_text(settings->publishable_keys, cmd, arg);
    return NULL;
}

static const char *set_mode(cmd_parms *cmd, void *dir, const char *arg)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_MODE);

    if (strcasecmp(arg, "test") != 0 && strcasecmp(arg, "live") != 0) {
        return sb_config_complain(cmd, "\"%s\" is neither test nor live", arg);
    }
    settings->live = strcasecmp(arg, "live") == 0;
    return NULL;
}

static const char *set_webhook_secret(cmd_parms *cmd, void *dir, const char *arg)
{
    return take_source(settings_for(cmd, SB_AT_WEBHOOK_SECRET)->webhook_secrets, cmd,
                       arg);
}

static const char *set_webhook_tolerance(cmd_parms *cmd, void *dir, const char *arg)
{
    return sb_config_number(
        &settings_for(cmd, SB_AT_WEBHOOK_TOLERANCE)->webhook_tolerance, cmd, arg, 0,
        86400, "seconds");
}

static const char *set_catch_up(cmd_parms *cmd, void *dir, const char *arg)
{
    return sb_config_number(&settings_for(cmd, SB_AT_CATCH_UP)->catch_up, cmd, arg, 0,
                            30 * 86400, "seconds");
}

/* SubbillWebhookEndpoint UUID SOURCE …: the UUID is one URL segment that nobody guesses. */
static const char *set_webhook_endpoint(cmd_parms *cmd, void *dir, int argc,
                                        char *const argv[])
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_WEBHOOK_ENDPOINT);

    if (argc < 2) {
        return sb_config_complain(
            cmd, "needs a UUID and at least one secret source, as in "
                 "SubbillWebhookEndpoint 2f0c… file:/etc/subbill/webhook.secret");
    }
    if (strlen(argv[0]) < 16 ||
        strspn(argv[0], "0123456789abcdefABCDEF-") != strlen(argv[0])) {
        return sb_config_complain(
            cmd, "\"%s\" is not a UUID (hexadecimal digits and dashes)", argv[0]);
    }
    sb_webhook_endpoint_t endpoint = {
        .uuid = apr_pstrdup(cmd->pool, argv[0]),
        .secrets = apr_array_make(cmd->pool, argc - 1, sizeof(const char *))};
    for (int i = 1; i < argc; i++) {
        const char *error = take_source(endpoint.secrets, cmd, argv[i]);
        if (error) {
            return error;
        }
    }
    APR_ARRAY_PUSH(settings->endpoints, sb_webhook_endpoint_t) = endpoint;
    return NULL;
}

static const char *set_stripe_api(cmd_parms *cmd, void *dir, const char *arg)
{
    return parse_url(&settings_for(cmd, SB_AT_STRIPE_API)->stripe_api, cmd, arg);
}

static const char *set_catalog(cmd_parms *cmd, void *dir, const char *arg)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_CATALOG);

    settings->catalog_path = ap_server_root_relative(cmd->pool, arg);
    return settings->catalog_path
               ? NULL
               : sb_config_complain(cmd, "\"%s\" is not a usable path", arg);
}

static const char *set_base_url(cmd_parms *cmd, void *dir, const char *arg)
{
    return parse_url(&settings_for(cmd, SB_AT_BASE_URL)->base_url, cmd, arg);
}

static const char *set_return_urls(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *origin;
    const char *error = parse_url(&origin, cmd, arg);

    if (!error) {
        take_text(settings_for(cmd, SB_AT_RETURN_URLS)->return_urls, cmd, origin);
    }
    return error;
}

/* What an Origin header says: scheme, host and port, spelled as browsers spell it. */
static const char *set_cors(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *address;
    const char *error = parse_url(&address, cmd, arg);

    if (error) {
        return error;
    }
    if (strchr(strstr(address, "://") + 3, '/')) {
        return sb_config_complain(
            cmd, "\"%s\" has a path; a browser tells its origin only: %s", arg,
            sb_url_origin(address, cmd->temp_pool));
    }
    take_text(settings_for(cmd, SB_AT_CORS)->cors, cmd,
              sb_url_origin(address, cmd->temp_pool));
    return NULL;
}

static const char *set_success_url(cmd_parms *cmd, void *dir, const char *arg)
{
    settings_for(cmd, SB_AT_SUCCESS_URL)->success_url = apr_pstrdup(cmd->pool, arg);
    return NULL;
}

static const char *set_cancel_url(cmd_parms *cmd, void *dir, const char *arg)
{
    settings_for(cmd, SB_AT_CANCEL_URL)->cancel_url = apr_pstrdup(cmd->pool, arg);
    return NULL;
}

static const char *set_portal_return_url(cmd_parms *cmd, void *dir, const char *arg)
{
    settings_for(cmd, SB_AT_PORTAL_RETURN_URL)->portal_return_url =
        apr_pstrdup(cmd->pool, arg);
    return NULL;
}

static const char *set_route(cmd_parms *cmd, void *dir, const char *name,
                             const char *path)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_ROUTE);
    const char *error = sb_route_name_check(name, cmd->temp_pool);

    if (error) {
        return sb_config_complain(cmd, "%s", error);
    }
    if (*path != '/' || strpbrk(path, "?#\\") || strstr(path, "//") ||
        strstr(path, "/../")) {
        return sb_config_complain(
            cmd, "\"%s\" is not a path; it begins with one slash and has no query", path);
    }
    APR_ARRAY_PUSH(settings->routes, sb_route_setting_t) = (sb_route_setting_t){
        .name = apr_pstrdup(cmd->pool, name), .path = apr_pstrdup(cmd->pool, path)};
    return NULL;
}

static const char *set_worker(cmd_parms *cmd, void *dir, int on)
{
    settings_for(cmd, SB_AT_WORKER)->worker = on != 0;
    return NULL;
}

static const char *set_templates(cmd_parms *cmd, void *dir, const char *arg)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_TEMPLATES);

    settings->templates = ap_server_root_relative(cmd->pool, arg);
    return settings->templates
               ? NULL
               : sb_config_complain(cmd, "\"%s\" is not a usable path", arg);
}

static const char *set_languages(cmd_parms *cmd, void *dir, const char *arg)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_LANGUAGES);

    if (strlen(arg) < 2 || strlen(arg) > 12 ||
        strspn(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") !=
            strlen(arg)) {
        return sb_config_complain(
            cmd, "\"%s\" is not a language code; write en, de, pt-BR …", arg);
    }
    take_text(settings->languages, cmd, arg);
    return NULL;
}

static const char *set_cache(cmd_parms *cmd, void *dir, const char *entries,
                             const char *ttl)
{
    sb_settings_t *settings = settings_for(cmd, SB_AT_CACHE);
    const char *error =
        sb_config_number(&settings->cache_entries, cmd, entries, 64, 1 << 22, "entries");

    if (!error && ttl) {
        error = sb_config_number(&settings->cache_ttl, cmd, ttl, 0, 3600, "seconds");
    }
    return error;
}

/* --- create and merge ---------------------------------------------------------------------- */

void *sb_server_create(apr_pool_t *pool, server_rec *s)
{
    sb_server_t *server = apr_pcalloc(pool, sizeof(*server));

    server->settings = sb_settings_create(pool);
    server->mounts = apr_array_make(pool, 2, sizeof(sb_mount_t));
    server->origin = server;
    return server;
}

bool sb_server_configured(const sb_server_t *server)
{
    for (int i = 0; i < SB_AT_COUNT; i++) {
        if (server->at[i]) {
            return true;
        }
    }
    return false;
}

void *sb_server_merge(apr_pool_t *pool, void *base_config, void *add_config)
{
    const sb_server_t *base = base_config;
    const sb_server_t *add = add_config;

    if (!sb_server_configured(add)) {
        return base_config; /* one service, one pool of connections for all of them */
    }
    sb_server_t *merged = sb_server_create(pool, NULL);
    sb_settings_t *settings = apr_pmemdup(pool, base->settings, sizeof(*settings));
    const sb_settings_t *own = add->settings;

    for (int i = 0; i < SB_AT_COUNT; i++) {
        merged->at[i] = add->at[i] ? add->at[i] : base->at[i];
        if (!add->at[i]) {
            continue;
        }
        switch ((sb_at_e)i) {
        case SB_AT_ENABLED:
            settings->enabled = own->enabled;
            break;
        case SB_AT_DATABASE:
            settings->database_driver = own->database_driver;
            settings->database_params = own->database_params;
            break;
        case SB_AT_DATABASE_POOL:
            settings->pool_max = own->pool_max;
            settings->pool_wait_ms = own->pool_wait_ms;
            break;
        case SB_AT_STRIPE_KEY:
            settings->stripe_keys = own->stripe_keys;
            break;
        case SB_AT_PUBLISHABLE_KEY:
            settings->publishable_keys = own->publishable_keys;
            break;
        case SB_AT_MODE:
            settings->live = own->live;
            break;
        case SB_AT_WEBHOOK_SECRET:
            settings->webhook_secrets = own->webhook_secrets;
            break;
        case SB_AT_WEBHOOK_TOLERANCE:
            settings->webhook_tolerance = own->webhook_tolerance;
            break;
        case SB_AT_WEBHOOK_ENDPOINT:
            settings->endpoints = own->endpoints;
            break;
        case SB_AT_STRIPE_API:
            settings->stripe_api = own->stripe_api;
            break;
        case SB_AT_CATCH_UP:
            settings->catch_up = own->catch_up;
            break;
        case SB_AT_CATALOG:
            settings->catalog_path = own->catalog_path;
            break;
        case SB_AT_BASE_URL:
            settings->base_url = own->base_url;
            break;
        case SB_AT_RETURN_URLS:
            settings->return_urls = own->return_urls;
            break;
        case SB_AT_CORS:
            settings->cors = own->cors;
            break;
        case SB_AT_SUCCESS_URL:
            settings->success_url = own->success_url;
            break;
        case SB_AT_CANCEL_URL:
            settings->cancel_url = own->cancel_url;
            break;
        case SB_AT_PORTAL_RETURN_URL:
            settings->portal_return_url = own->portal_return_url;
            break;
        case SB_AT_ROUTE:
            settings->routes = own->routes;
            break;
        case SB_AT_WORKER:
            settings->worker = own->worker;
            break;
        case SB_AT_TEMPLATES:
            settings->templates = own->templates;
            break;
        case SB_AT_LANGUAGES:
            settings->languages = own->languages;
            break;
        case SB_AT_CACHE:
            settings->cache_entries = own->cache_entries;
            settings->cache_ttl = own->cache_ttl;
            break;
        case SB_AT_COUNT:
            break;
        }
    }
    merged->settings = settings;
    return merged;
}

/* --- the table ----------------------------------------------------------------------------- */

#define PER_LOCATION                                                                     \
    (RSRC_CONF | ACCESS_CONF) /* never .htaccess: its author could open the gate */

const command_rec sb_directives[] = {
    AP_INIT_FLAG("SubbillEnabled", set_enabled, NULL, RSRC_CONF,
                 "On or Off: whether plans are sold and subscriptions asked for"),
    AP_INIT_TAKE2("SubbillDatabase", set_database, NULL, RSRC_CONF,
                  "the driver (sqlite3, pgsql, mysql) and its parameters"),
    AP_INIT_TAKE12("SubbillDatabasePool", set_database_pool, NULL, RSRC_CONF,
                   "connections per process, and milliseconds to wait for one"),
    AP_INIT_ITERATE("SubbillStripeKey", set_stripe_key, NULL, RSRC_CONF,
                    "sources of secret or restricted keys: file:, env:, exec:"),
    AP_INIT_ITERATE("SubbillStripePublishableKey", set_publishable_key, NULL, RSRC_CONF,
                    "publishable keys (pk_…)"),
    AP_INIT_TAKE1("SubbillMode", set_mode, NULL, RSRC_CONF, "test or live"),
    AP_INIT_ITERATE("SubbillWebhookSecret", set_webhook_secret, NULL, RSRC_CONF,
                    "sources of signing secrets (whsec_…)"),
    AP_INIT_TAKE1("SubbillWebhookTolerance", set_webhook_tolerance, NULL, RSRC_CONF,
                  "seconds a signature may be old or ahead"),
    AP_INIT_TAKE_ARGV("SubbillWebhookEndpoint", set_webhook_endpoint, NULL, RSRC_CONF,
                      "the UUID of an endpoint and the sources of its secrets"),
    AP_INIT_TAKE1("SubbillStripeAPI", set_stripe_api, NULL, RSRC_CONF,
                  "where the Stripe API answers"),
    AP_INIT_TAKE1(
        "SubbillCatchUp", set_catch_up, NULL, RSRC_CONF,
        "seconds without a webhook after which Stripe's list of events is read"),
    AP_INIT_TAKE1("SubbillCatalog", set_catalog, NULL, RSRC_CONF,
                  "path of the catalogue"),
    AP_INIT_TAKE1("SubbillBaseURL", set_base_url, NULL, RSRC_CONF,
                  "this site's own address"),
    AP_INIT_ITERATE("SubbillReturnURLs", set_return_urls, NULL, RSRC_CONF,
                    "other origins that buyers may be sent back to"),
    AP_INIT_ITERATE("SubbillCORS", set_cors, NULL, RSRC_CONF,
                    "origins of front ends that may call gated paths and our routes"),
    AP_INIT_TAKE1("SubbillSuccessURL", set_success_url, NULL, RSRC_CONF,
                  "where buyers go after paying when the call names nothing"),
    AP_INIT_TAKE1("SubbillCancelURL", set_cancel_url, NULL, RSRC_CONF,
                  "where buyers go who turned back when the call names nothing"),
    AP_INIT_TAKE1("SubbillPortalReturnURL", set_portal_return_url, NULL, RSRC_CONF,
                  "where the portal leads back to when the call names nothing"),
    AP_INIT_TAKE2("SubbillRoute", set_route, NULL, RSRC_CONF,
                  "a route and the path it answers at"),
    AP_INIT_FLAG("SubbillWorker", set_worker, NULL, RSRC_CONF,
                 "On or Off: whether background jobs run in httpd"),
    AP_INIT_TAKE1("SubbillTemplates", set_templates, NULL, RSRC_CONF,
                  "directory with templates and texts of your own"),
    AP_INIT_ITERATE("SubbillLanguages", set_languages, NULL, RSRC_CONF,
                    "languages of the pages; the first is the default"),
    AP_INIT_TAKE12("SubbillCache", set_cache, NULL, RSRC_CONF,
                   "users whose rights a process keeps, and seconds"),
    AP_INIT_RAW_ARGS(
        "SubbillGate", sb_dir_set_gate, NULL, PER_LOCATION,
        "any, plans, entitlement:KEY, purchase:SKU, or Off: who may pass here"),
    AP_INIT_TAKE1("SubbillUser", sb_dir_set_user, NULL, PER_LOCATION,
                  "expression that names the user"),
    AP_INIT_TAKE1("SubbillEmail", sb_dir_set_email, NULL, PER_LOCATION,
                  "expression that names the user's e-mail address"),
    AP_INIT_TAKE12("SubbillOnDeny", sb_dir_set_on_deny, NULL, PER_LOCATION,
                   "auto, 402, 403 or redirect [URL]: what those see who may not pass"),
    AP_INIT_TAKE1("SubbillGrace", sb_dir_set_grace, NULL, PER_LOCATION,
                  "days that an unpaid renewal still opens the gate"),
    AP_INIT_TAKE1("SubbillStale", sb_dir_set_stale, NULL, PER_LOCATION,
                  "seconds that the last known answer may serve without the database"),
    AP_INIT_TAKE1("SubbillOnError", sb_dir_set_on_error, NULL, PER_LOCATION,
                  "deny or allow: what happens when nothing can be decided"),
    AP_INIT_FLAG("SubbillDryRun", sb_dir_set_dry_run, NULL, PER_LOCATION,
                 "On or Off: decide and tell, but let everybody pass"),
    AP_INIT_TAKE1("SubbillExport", sb_dir_set_export, NULL, PER_LOCATION,
                  "off, env or headers: how an application learns who was let in"),
    AP_INIT_TAKE1("SubbillTeaser", sb_dir_set_teaser, NULL, PER_LOCATION,
                  "a path, marker or off: what those see here who have not paid"),
    AP_INIT_TAKE1("SubbillRevokeRunning", sb_dir_set_revoke_running, NULL, PER_LOCATION,
                  "seconds within which a running response of a revoked user ends"),
    {NULL}};
