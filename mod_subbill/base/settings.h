/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_SETTINGS_H
#define SB_BASE_SETTINGS_H

#include <apr_tables.h>
#include <jansson.h>
#include <stdbool.h>

/* The settings of one server (virtual host): one plain struct that httpd's directives and the
 * command line both fill. Secrets are sources here (base/secret.h); who needs a value reads it. */

typedef struct sb_route_setting_t {
    const char *name; /* a row of the route table, e.g. "plans" */
    const char *path; /* exactly this path, e.g. "/payments/plans/" */
} sb_route_setting_t;

typedef struct sb_webhook_endpoint_t {
    const char *uuid;            /* the path segment behind the webhook route */
    apr_array_header_t *secrets; /* const char *: sources */
} sb_webhook_endpoint_t;

typedef struct sb_settings_t {
    bool enabled;

    const char *database_driver; /* sqlite3, pgsql, mysql; NULL = not configured */
    const char
        *database_params; /* as written: parameters, or a secret source that holds them */
    int pool_max;         /* connections per process */
    int pool_wait_ms;     /* longest wait for one */

    bool live;                            /* SubbillMode */
    apr_array_header_t *stripe_keys;      /* const char *: sources */
    apr_array_header_t *publishable_keys; /* const char *: pk_… texts, public by nature */
    apr_array_header_t *webhook_secrets; /* const char *: sources */
    apr_array_header_t *endpoints;       /* sb_webhook_endpoint_t */
    int webhook_tolerance;               /* seconds, both directions */
    const char *stripe_api;              /* https://api.stripe.com */
    int catch_up; /* seconds without a delivery until events are read; 0: never */

    const char *catalog_path; /* absolute */
    const char *base_url;     /* own origin and prefix without a final slash */
    apr_array_header_t
        *return_urls;         /* const char *: origins of clients' own front ends */
    apr_array_header_t *cors; /* const char *: serialised origins that may read answers */
    const char *success_url;
    const char *cancel_url;
    const char *portal_return_url;
    const char *mount; /* the prefix below which `SetHandler subbill` answers, or NULL */
    apr_array_header_t *routes; /* sb_route_setting_t; the first of a name is canonical */
    bool worker;                /* background jobs run in httpd */
    int cache_entries;          /* users whose rights each process keeps */
    int cache_ttl;              /* seconds */
    const char *templates;      /* directory or NULL: the built-in ones */
    apr_array_header_t *languages; /* const char *; the first is the default */

    /* Facts about the server that the command line needs; filled by the dump. */
    const char *server_name; /* ServerName of the virtual host, "" for the main server */
    const char *server_root;
    const char *epochs_path; /* the file of epoch counters in the runtime directory */
    int user_id;             /* httpd's User; -1 = not known */
    int group_id;
} sb_settings_t;

/* Every member at its documented default; arrays empty but never NULL. */
sb_settings_t *sb_settings_create(apr_pool_t *pool);

/* The settings as a JSON object (what -D DUMP_SUBBILL prints per server), and back. from_json
 * returns NULL or a sentence; members that are missing keep their defaults, unknown ones are
 * ignored so that an older command reads a newer dump. */
json_t *sb_settings_to_json(const sb_settings_t *settings);
const char *sb_settings_from_json(sb_settings_t **settings, const json_t *json,
                                  apr_pool_t *pool);

/* The database parameters with a secret source read. NULL or a sentence. */
const char *sb_settings_database_params(const char **params,
                                        const sb_settings_t *settings, apr_pool_t *pool);

#endif
