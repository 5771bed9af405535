/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_EPOCH_WATCH_H
#define SB_STORE_EPOCH_WATCH_H

#include "store/db.h"
#include "store/epochs.h"

#include <stdbool.h>

/* News from other hosts. Every transaction that changes somebody's access counts his slot up in the
 * table epoch before it commits. A host looks there when it is asked for a decision and the last look is
 * a quarter of a second old, and passes what has moved on to its own counters: what was decided before is
 * void then. A host that could not look for SB_EPOCH_STALE does not know any more what holds. */

#define SB_EPOCH_STALE (apr_time_from_sec(5))

typedef struct sb_epoch_watch_t sb_epoch_watch_t;

/* Watches the database of so many hosts that name it by the same driver and params. epochs outlives
 * pool. */
void sb_epoch_watch_create(sb_epoch_watch_t **watch, sb_epochs_t *epochs,
                           const char *driver, const char *params, apr_pool_t *pool);

/* When the last successful look began; monotonic, 0: never. */
apr_time_t sb_epoch_watch_polled_at(const sb_epoch_watch_t *watch);

/* Whether a look is due, and the caller's to take: then sb_epoch_watch_poll() is to follow. now: monotonic. */
bool sb_epoch_watch_claim(sb_epoch_watch_t *watch, apr_time_t now);

/* One query when nothing has moved, else two. As sb_db_read(). */
sb_status_e sb_epoch_watch_poll(sb_epoch_watch_t *watch, sb_db_t *db, int deadline_ms,
                                sb_result_t *result, apr_pool_t *pool);

#endif
