/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_SERVICE_H
#define SB_SERVICE_SERVICE_H

#include "base/result.h"
#include "base/settings.h"
#include "domain/catalog.h"
#include "net/http.h"
#include "store/db.h"
#include "store/epochs.h"
#include "stripe/client.h"
#include "text/template_set.h"

#include <apr_tables.h>
#include <apr_thread_mutex.h>

/* What the use cases of this room stand on: one per virtual host and process, shared by its threads.
 * Every use case takes it first among its inputs; none calls Stripe while it holds a database
 * connection. All pointers live as long as the pool the service was created in. */

/* How long one piece of work may hold a database connection, in ms (F04). */
#define SB_DEADLINE_GATE   1000
#define SB_DEADLINE_PAGE   2000
#define SB_DEADLINE_INGEST 5000

typedef struct sb_service_options_t {
    const sb_settings_t *settings; /* required */
    const sb_catalog_t *catalog;   /* NULL: none is configured */
    const sb_template_set_t *templates;
    const char *database_params;           /* value, not its source */
    const apr_array_header_t *stripe_keys; /* const char *: values; NULL or empty: none */
    sb_epochs_t *epochs; /* counters of this host, bumped after commits; or NULL */
    int stripe_calls;    /* threads that may wait for Stripe at once; 0: 8 (F14) */
    sb_http_t *http;     /* that of another service, whose threads count too; or NULL */
} sb_service_options_t;

typedef struct sb_service_t {
    const sb_settings_t *settings;
    const sb_catalog_t *catalog;    /* never NULL: an empty one when none is configured */
    const sb_template_set_t *texts; /* or NULL */
    sb_db_t *db;
    sb_http_t *http;     /* NULL: no key */
    sb_stripe_t *stripe; /* NULL: no key, see sb_service_stripe() */

    /* Read once, by sb_service_token_key(). */
    apr_thread_mutex_t *lock;
    bool token_known;
    char token_key[65];
} sb_service_t;

/* Makes the pools for database and Stripe; connects to neither. Call after the fork. SB_INVALID
 * "bad_database" or "bad_stripe_api" with a sentence. */
sb_status_e sb_service_create(sb_service_t **service, sb_result_t *result,
                              const sb_service_options_t *options, apr_pool_t *pool);

/* The key that signs this site's tokens (64 lower-case hex digits), the same on all its servers; read
 * from the database once and kept. SB_UNAVAILABLE as sb_db_read(), "schema_missing" when
 * migrate has not made it. */
sb_status_e sb_service_token_key(const char **key, sb_result_t *result,
                                 sb_service_t *service, apr_pool_t *pool);

/* The client, or NULL and SB_UNAVAILABLE "stripe_not_configured" in result. */
sb_stripe_t *sb_service_stripe(sb_result_t *result, sb_service_t *service);

/* Hands json's reference to pool, which drops it when cleared; returns json. */
json_t *sb_service_own(json_t *json, apr_pool_t *pool);

#endif
