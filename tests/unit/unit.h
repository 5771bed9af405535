/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TESTS_UNIT_H
#define SB_TESTS_UNIT_H

#include <apr_pools.h>
#include <check.h>
#include <jansson.h>
#include <stdbool.h>

/* What unit tests share. */

/* The pool of the running test: made by sb_unit_setup(), destroyed by sb_unit_teardown(). */
extern apr_pool_t *sb_unit_pool;
void sb_unit_setup(void);
void sb_unit_teardown(void);

/* A case with the fixture above. */
TCase *sb_unit_case(const char *name);

/* tests/unit/data/<name> as JSON; the test fails when it is missing or broken. Free it. */
json_t *sb_unit_data(const char *name);

/* Any file as text in sb_unit_pool, *length may be NULL; NULL when it is not there. */
const char *sb_unit_file(const char *path, apr_size_t *length);

/* The bytes of a hexadecimal text in sb_unit_pool, with a NUL behind. */
char *sb_unit_unhex(const char *hex, apr_size_t *length);

/* JSON from text written with ' instead of "; fails the test when it is none. Free it. */
json_t *sb_unit_json(const char *text);

/* Alphabetical. */
Suite *catalog_suite(void);
Suite *change_suite(void);
Suite *crypto_suite(void);
Suite *entitlement_suite(void);
Suite *escape_suite(void);
Suite *form_suite(void);
Suite *http_suite(void);
Suite *i18n_suite(void);
Suite *identity_suite(void);
Suite *json_suite(void);
Suite *log_suite(void);
Suite *money_suite(void);
Suite *return_url_suite(void);
Suite *service_access_suite(void);
Suite *service_catch_up_suite(void);
Suite *service_checkout_suite(void);
Suite *service_collisions_suite(void);
Suite *service_disputes_suite(void);
Suite *service_entitlements_suite(void);
Suite *service_ingest_suite(void);
Suite *service_jobs_suite(void);
Suite *service_money_suite(void);
Suite *service_races_suite(void);
Suite *service_rebuild_suite(void);
Suite *service_repeats_suite(void);
Suite *service_sync_suite(void);
Suite *settings_suite(void);
Suite *signature_suite(void);
Suite *store_cache_suite(void);
Suite *store_db_suite(void);
Suite *store_ends_suite(void);
Suite *store_jobs_suite(void);
Suite *store_lifecycle_suite(void);
Suite *store_migrate_suite(void);
Suite *store_races_suite(void);
Suite *store_repos_suite(void);
Suite *store_sqlite_suite(void);
Suite *store_values_suite(void);
Suite *story_orders_suite(void);
Suite *story_suite(void);
Suite *stripe_answer_suite(void);
Suite *stripe_client_suite(void);
Suite *stripe_double_suite(void);
Suite *stripe_event_suite(void);
Suite *stripe_lists_suite(void);
Suite *stripe_money_suite(void);
Suite *stripe_resources_suite(void);
Suite *subscription_suite(void);
Suite *template_suite(void);

#endif
