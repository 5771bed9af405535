/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* One service per virtual host and process. It is made after the fork, since libcurl, the database
 * drivers and the reaper thread must not cross one, and it connects to nothing: a server whose
 * database is down starts, and says so when asked. */
#include "service/service.h"

#include "store/secrets.h"

#include <apr_strings.h>
#include <string.h>

static const sb_catalog_t no_catalog = {.version = 1};

static sb_status_e open_database(sb_service_t *service, sb_result_t *result,
                                 const sb_service_options_t *options, apr_pool_t *pool)
{
    const sb_db_options_t db = {
        .driver = options->settings->database_driver,
        .params = options->database_params,
        .pool_max = options->settings->pool_max,
        .pool_wait_ms = options->settings->pool_wait_ms,
        .committed = options->epochs ? sb_epochs_bump : NULL,
        .baton = options->epochs,
    };

    return sb_db_create(&service->db, result, &db, pool);
}

static sb_status_e open_stripe(sb_service_t *service, sb_result_t *result,
                               const sb_service_options_t *options, apr_pool_t *pool)
{
    const apr_array_header_t *keys = options->stripe_keys;
    const sb_http_options_t http = {.max_concurrent = options->stripe_calls};
    apr_status_t rv = APR_SUCCESS;

    if (!keys || keys->nelts == 0) {
        return SB_OK;
    }
    service->http = options->http;
    if (!service->http) {
        rv = sb_http_create(&service->http, &http, pool);
    }
    if (rv != APR_SUCCESS) {
        return sb_result_set(result, SB_INTERNAL, "no_http",
                             "libcurl cannot be initialised", NULL);
    }
    const sb_stripe_options_t stripe = {
        .http = service->http,
        .api = options->settings->stripe_api,
        .keys = (const char *const *)keys->elts,
        .keys_n = keys->nelts,
    };
    rv = sb_stripe_create(&service->stripe, &stripe, pool);
    if (rv != APR_SUCCESS) {
        return sb_result_setf(
            result, pool, SB_INVALID, "bad_stripe_api",
            "it must start with https:// (http:// only for this machine itself)",
            "SubbillStripeAPI \"%s\" cannot be used", options->settings->stripe_api);
    }
    return SB_OK;
}

sb_status_e sb_service_create(sb_service_t **service, sb_result_t *result,
                              const sb_service_options_t *options, apr_pool_t *pool)
{
    sb_service_t *made = apr_pcalloc(pool, sizeof(*made));

    *service = NULL;
    made->settings = options->settings;
    made->catalog = options->catalog ? options->catalog : &no_catalog;
    made->texts = options->templates;
    if (apr_thread_mutex_create(&made->lock, APR_THREAD_MUTEX_DEFAULT, pool) !=
        APR_SUCCESS) {
        return sb_result_set(result, SB_INTERNAL, "no_mutex", "no mutex can be made",
                             NULL);
    }
    sb_status_e status = open_database(made, result, options, pool);
    if (status == SB_OK) {
        status = open_stripe(made, result, options, pool);
    }
    if (status == SB_OK) {
        *service = made;
    }
    return status;
}

/* --- the token key -------------------------------------------------------------------------- */

static apr_status_t read_token(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const char **value = baton;

    return sb_server_secret(value, conn, "token", pool);
}

sb_status_e sb_service_token_key(const char **key, sb_result_t *result,
                                 sb_service_t *service, apr_pool_t *pool)
{
    const char *value = NULL;

    *key = NULL;
    apr_thread_mutex_lock(service->lock);
    bool known = service->token_known;
    apr_thread_mutex_unlock(service->lock);
    if (!known) {
        sb_status_e status =
            sb_db_read(service->db, SB_DEADLINE_GATE, read_token, &value, result, pool);
        if (status != SB_OK) {
            return status;
        }
        if (!value || strlen(value) != sizeof(service->token_key) - 1) {
            return sb_result_set(result, SB_UNAVAILABLE, "schema_missing",
                                 "The database holds no server secret.",
                                 "run `subbillctl migrate`");
        }
        /* Two threads may both have read it; they write the same bytes. */
        apr_thread_mutex_lock(service->lock);
        memcpy(service->token_key, value, sizeof(service->token_key));
        service->token_known = true;
        apr_thread_mutex_unlock(service->lock);
    }
    *key = service->token_key;
    return SB_OK;
}

sb_stripe_t *sb_service_stripe(sb_result_t *result, sb_service_t *service)
{
    if (!service->stripe) {
        sb_result_set(result, SB_UNAVAILABLE, "stripe_not_configured",
                      "Buying is not possible here yet.",
                      "configure SubbillStripeKey with a key of this mode");
    }
    return service->stripe;
}

static apr_status_t drop_json(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

json_t *sb_service_own(json_t *json, apr_pool_t *pool)
{
    if (json) {
        apr_pool_cleanup_register(pool, json, drop_json, apr_pool_cleanup_null);
    }
    return json;
}
