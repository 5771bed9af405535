/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_ACCESS_H
#define SB_SERVICE_ACCESS_H

#include "domain/entitlement.h"
#include "service/service.h"
#include "store/snapshots.h"

/* What a user has, for the gate: one query, at most a second. SB_UNAVAILABLE as sb_db_read(). */
sb_status_e sb_access_load(sb_snapshot_t **snapshot, sb_result_t *result,
                           sb_service_t *service, const char *user, apr_pool_t *pool);

/* The same from rows that were read already. A price's plan is what the catalogue says today, else what
 * was stored: a corrected catalogue heals without an event. */
void sb_access_snapshot(sb_snapshot_t *snapshot, const sb_catalog_t *catalog,
                        bool livemode, const sb_snapshot_rows_t *rows, apr_pool_t *pool);

#endif
