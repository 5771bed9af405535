/* Licensed under the Apache License, Version 2.0; see LICENSE. */

/* Runs every unit suite, or those whose names are given as arguments. The working directory is the
 * root of the project (SB_UNIT_DATA names the data folder otherwise). CK_FORK=no for valgrind. */

#include "unit.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

/* Alphabetical. */
static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
    {"catalog", catalog_suite},
    {"change", change_suite},
    {"crypto", crypto_suite},
    {"entitlement", entitlement_suite},
    {"escape", escape_suite},
    {"form", form_suite},
    {"http", http_suite},
    {"i18n", i18n_suite},
    {"identity", identity_suite},
    {"json", json_suite},
    {"log", log_suite},
    {"money", money_suite},
    {"return_url", return_url_suite},
    {"service_access", service_access_suite},
    {"service_catch_up", service_catch_up_suite},
    {"service_checkout", service_checkout_suite},
    {"service_collisions", service_collisions_suite},
    {"service_disputes", service_disputes_suite},
    {"service_entitlements", service_entitlements_suite},
    {"service_ingest", service_ingest_suite},
    {"service_jobs", service_jobs_suite},
    {"service_money", service_money_suite},
    {"service_races", service_races_suite},
    {"service_rebuild", service_rebuild_suite},
    {"service_repeats", service_repeats_suite},
    {"service_sync", service_sync_suite},
    {"settings", settings_suite},
    {"signature", signature_suite},
    {"store_cache", store_cache_suite},
    {"store_db", store_db_suite},
    {"store_ends", store_ends_suite},
    {"store_jobs", store_jobs_suite},
    {"store_lifecycle", store_lifecycle_suite},
    {"store_migrate", store_migrate_suite},
    {"store_races", store_races_suite},
    {"store_repos", store_repos_suite},
    {"store_sqlite", store_sqlite_suite},
    {"store_values", store_values_suite},
    {"story", story_suite},
    {"story_orders", story_orders_suite},
    {"stripe_answer", stripe_answer_suite},
    {"stripe_client", stripe_client_suite},
    {"stripe_double", stripe_double_suite},
    {"stripe_event", stripe_event_suite},
    {"stripe_lists", stripe_lists_suite},
    {"stripe_money", stripe_money_suite},
    {"stripe_resources", stripe_resources_suite},
    {"subscription", subscription_suite},
    {"template", template_suite},
};

static bool wanted(const char *name, int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc < 2;
}

int main(int argc, char *argv[])
{
    SRunner *runner = srunner_create(NULL);
    int run = 0, failed = 0;

    apr_initialize();
    atexit(apr_terminate);
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (wanted(suites[i].name, argc, argv)) {
            srunner_add_suite(runner, suites[i].make());
        }
    }
    srunner_run_all(runner, CK_ENV);
    run = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
