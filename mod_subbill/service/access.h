/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_ACCESS_H
#define SB_SERVICE_ACCESS_H

#include "domain/entitlement.h"
#include "domain/thing.h"
#include "service/service.h"
#include "store/snapshots.h"

/* Plans are found by what the catalogue says today, else by what was stored: a corrected catalogue heals
 * without an event. */

/* What a user has, for the gate: one query. SB_UNAVAILABLE as sb_db_read(). */
sb_status_e sb_access_load(sb_snapshot_t **snapshot, sb_result_t *result,
                           sb_service_t *service, const char *user, int deadline_ms,
                           apr_pool_t *pool);

/* How much of it the user has: units of a meter, else 0 or 1. Status as above. */
sb_status_e sb_access_owned(apr_int64_t *units, sb_result_t *result,
                            sb_service_t *service, const char *user, sb_thing_e thing,
                            const char *key, int deadline_ms, apr_pool_t *pool);

/* The same from rows that were read already. */
void sb_access_snapshot(sb_snapshot_t *snapshot, const sb_catalog_t *catalog,
                        bool livemode, const sb_snapshot_rows_t *rows, apr_pool_t *pool);

/* Holds the standing when the subscription's collection is paused and the plan (index; -1: none) closes its
 * door then; a dispute goes before. */
void sb_access_pause(sb_standing_t *standing, const sb_catalog_t *catalog, int plan,
                     const char *pause_collection);

/* Index of the plan that a stored subscription stands for, or an item of one of its other prices does;
 * -1: none. Items of the subscription's own price answer as the subscription does. */
int sb_access_plan(const sb_catalog_t *catalog, const sb_subscription_t *sub);
int sb_access_item_plan(const sb_catalog_t *catalog, const sb_subscription_t *sub,
                        const sb_subscription_item_t *item);

/* Does the subscription, or one of its items, stand for a plan of this group? */
bool sb_access_in_group(const sb_catalog_t *catalog, const sb_subscription_t *sub,
                        const char *group);

#endif
