/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* One table names each plain member with its JSON key and type; writing and reading walk the same
 * table, so that a new member is one row. Arrays of structs have their two functions each. */
#include "base/settings.h"
#include "base/secret.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

typedef enum { MEMBER_TEXT, MEMBER_INT, MEMBER_BOOL, MEMBER_TEXTS } member_type_e;

typedef struct member_t {
    const char *key;
    member_type_e type;
    size_t offset;
} member_t;

#define MEMBER(name, kind)                                                               \
    {                                                                                    \
#name, kind, offsetof(sb_settings_t, name)                                       \
    }

static const member_t members[] = {
    MEMBER(enabled, MEMBER_BOOL),
    MEMBER(database_driver, MEMBER_TEXT),
    MEMBER(database_params, MEMBER_TEXT),
    MEMBER(pool_max, MEMBER_INT),
    MEMBER(pool_wait_ms, MEMBER_INT),
    MEMBER(live, MEMBER_BOOL),
    MEMBER(stripe_keys, MEMBER_TEXTS),
    MEMBER(publishable_keys, MEMBER_TEXTS),
    MEMBER(webhook_secrets, MEMBER_TEXTS),
    MEMBER(webhook_tolerance, MEMBER_INT),
    MEMBER(stripe_api, MEMBER_TEXT),
    MEMBER(catalog_path, MEMBER_TEXT),
    MEMBER(base_url, MEMBER_TEXT),
    MEMBER(return_urls, MEMBER_TEXTS),
    MEMBER(success_url, MEMBER_TEXT),
    MEMBER(cancel_url, MEMBER_TEXT),
    MEMBER(portal_return_url, MEMBER_TEXT),
    MEMBER(mount, MEMBER_TEXT),
    MEMBER(templates, MEMBER_TEXT),
    MEMBER(languages, MEMBER_TEXTS),
    MEMBER(server_name, MEMBER_TEXT),
    MEMBER(server_root, MEMBER_TEXT),
    MEMBER(epochs_path, MEMBER_TEXT),
    MEMBER(user_id, MEMBER_INT),
    MEMBER(group_id, MEMBER_INT),
    MEMBER(worker, MEMBER_BOOL),
    MEMBER(catch_up, MEMBER_INT),
    MEMBER(cache_entries, MEMBER_INT),
    MEMBER(cache_ttl, MEMBER_INT),
    MEMBER(catch_up, MEMBER_INT),
    MEMBER(cors, MEMBER_TEXTS),
};

#define MEMBERS (sizeof(members) / sizeof(*members))

static void *member_at(const sb_settings_t *settings, const member_t *member)
{
    return (char *)settings + member->offset;
}

sb_settings_t *sb_settings_create(apr_pool_t *pool)
{
    sb_settings_t *settings = apr_pcalloc(pool, sizeof(*settings));

    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].type == MEMBER_TEXTS) {
            *(apr_array_header_t **)member_at(settings, &members[i]) =
                apr_array_make(pool, 2, sizeof(const char *));
        }
    }
    settings->endpoints = apr_array_make(pool, 1, sizeof(sb_webhook_endpoint_t));
    settings->routes = apr_array_make(pool, 4, sizeof(sb_route_setting_t));
    settings->enabled = true;
    settings->worker = true;
    settings->pool_max = 8;
    settings->pool_wait_ms = 250;
    settings->webhook_tolerance = 300;
    settings->catch_up = 3600;
    settings->cache_entries = 4096;
    settings->cache_ttl = 60;
    settings->stripe_api = "https://api.stripe.com";
    settings->user_id = -1;
    settings->group_id = -1;
    return settings;
}

static json_t *texts_to_json(const apr_array_header_t *texts)
{
    json_t *list = json_array();

    for (int i = 0; i < texts->nelts; i++) {
        json_array_append_new(list, json_string(APR_ARRAY_IDX(texts, i, const char *)));
    }
    return list;
}

static json_t *member_to_json(const sb_settings_t *settings, const member_t *member)
{
    const void *at = member_at(settings, member);

    switch (member->type) {
    case MEMBER_INT:
        return json_integer(*(const int *)at);
    case MEMBER_BOOL:
        return json_boolean(*(const bool *)at);
    case MEMBER_TEXTS:
        return texts_to_json(*(apr_array_header_t *const *)at);
    case MEMBER_TEXT:
        break;
    }
    const char *text = *(const char *const *)at;
    return text ? json_string(text) : json_null();
}

json_t *sb_settings_to_json(const sb_settings_t *settings)
{
    json_t *json = json_object();
    json_t *endpoints = json_array();
    json_t *routes = json_array();

    for (size_t i = 0; i < MEMBERS; i++) {
        json_object_set_new(json, members[i].key, member_to_json(settings, &members[i]));
    }
    for (int i = 0; i < settings->endpoints->nelts; i++) {
        const sb_webhook_endpoint_t *endpoint =
            &APR_ARRAY_IDX(settings->endpoints, i, sb_webhook_endpoint_t);
        json_array_append_new(endpoints,
                              json_pack("{s:s, s:o}", "uuid", endpoint->uuid, "secrets",
                                        texts_to_json(endpoint->secrets)));
    }
    for (int i = 0; i < settings->routes->nelts; i++) {
        const sb_route_setting_t *route =
            &APR_ARRAY_IDX(settings->routes, i, sb_route_setting_t);
        json_array_append_new(
            routes, json_pack("{s:s, s:s}", "name", route->name, "path", route->path));
    }
    json_object_set_new(json, "endpoints", endpoints);
    json_object_set_new(json, "routes", routes);
    return json;
}

static const char *texts_from_json(apr_array_header_t *texts, const json_t *json,
                                   const char *key, apr_pool_t *pool)
{
    size_t i;
    json_t *item;

    if (!json_is_array(json)) {
        return apr_psprintf(pool, "%s: must be a list of texts", key);
    }
    json_array_foreach(json, i, item)
    {
        if (!json_is_string(item)) {
            return apr_psprintf(pool, "%s[%d]: must be a text", key, (int)i);
        }
        APR_ARRAY_PUSH(texts, const char *) = apr_pstrdup(pool, json_string_value(item));
    }
    return NULL;
}

static const char *member_from_json(sb_settings_t *settings, const member_t *member,
                                    const json_t *value, apr_pool_t *pool)
{
    void *at = member_at(settings, member);

    switch (member->type) {
    case MEMBER_INT:
        if (!json_is_integer(value)) {
            return apr_psprintf(pool, "%s: must be a whole number", member->key);
        }
        *(int *)at = (int)json_integer_value(value);
        return NULL;
    case MEMBER_BOOL:
        if (!json_is_boolean(value)) {
            return apr_psprintf(pool, "%s: must be true or false", member->key);
        }
        *(bool *)at = json_is_true(value);
        return NULL;
    case MEMBER_TEXTS:
        return texts_from_json(*(apr_array_header_t **)at, value, member->key, pool);
    case MEMBER_TEXT:
        break;
    }
    if (!json_is_string(value) && !json_is_null(value)) {
        return apr_psprintf(pool, "%s: must be a text", member->key);
    }
    *(const char **)at =
        json_is_null(value) ? NULL : apr_pstrdup(pool, json_string_value(value));
    return NULL;
}

static const char *endpoints_from_json(sb_settings_t *settings, const json_t *list,
                                       apr_pool_t *pool)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const json_t *uuid = json_object_get(item, "uuid");
        if (!json_is_string(uuid)) {
            return "endpoints: each needs a uuid";
        }
        sb_webhook_endpoint_t endpoint = {
            .uuid = apr_pstrdup(pool, json_string_value(uuid)),
            .secrets = apr_array_make(pool, 1, sizeof(const char *))};
        const char *error =
            texts_from_json(endpoint.secrets, json_object_get(item, "secrets"),
                            "endpoints.secrets", pool);
        if (error) {
            return error;
        }
        APR_ARRAY_PUSH(settings->endpoints, sb_webhook_endpoint_t) = endpoint;
    }
    return NULL;
}

static const char *routes_from_json(sb_settings_t *settings, const json_t *list,
                                    apr_pool_t *pool)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const json_t *name = json_object_get(item, "name");
        const json_t *path = json_object_get(item, "path");
        if (!json_is_string(name) || !json_is_string(path)) {
            return "routes: each needs a name and a path";
        }
        APR_ARRAY_PUSH(settings->routes, sb_route_setting_t) =
            (sb_route_setting_t){.name = apr_pstrdup(pool, json_string_value(name)),
                                 .path = apr_pstrdup(pool, json_string_value(path))};
    }
    return NULL;
}

const char *sb_settings_from_json(sb_settings_t **settings, const json_t *json,
                                  apr_pool_t *pool)
{
    sb_settings_t *filled = sb_settings_create(pool);

    if (!json_is_object(json)) {
        return "settings must be a JSON object, as `apachectl -t -D DUMP_SUBBILL` prints "
               "them";
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *value = json_object_get(json, members[i].key);
        const char *error =
            value ? member_from_json(filled, &members[i], value, pool) : NULL;
        if (error) {
            return error;
        }
    }
    const char *error =
        endpoints_from_json(filled, json_object_get(json, "endpoints"), pool);
    if (!error) {
        error = routes_from_json(filled, json_object_get(json, "routes"), pool);
    }
    *settings = filled;
    return error;
}

const char *sb_settings_database_params(const char **params,
                                        const sb_settings_t *settings, apr_pool_t *pool)
{
    static const char *const schemes[] = {"file:", "env:", "exec:"};

    if (!settings->database_driver) {
        return "no database is configured; write SubbillDatabase, for example "
               "SubbillDatabase sqlite3 /var/lib/subbill/subbill.db";
    }
    /* SQLite also knows file: addresses; a bare path is all we offer there. */
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        if (strncmp(settings->database_params, schemes[i], strlen(schemes[i])) == 0) {
            return sb_secret_read(params, settings->database_params,
                                  settings->server_root, pool);
        }
    }
    *params = settings->database_params;
    return NULL;
}
