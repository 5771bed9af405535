/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_TURNS_H
#define SB_STORE_TURNS_H

#include "store/db.h"

/* Two events about one new object find no row to lock, and the older one could be written over the newer.
 * So who finds none takes a turn first, looks again, and keeps the turn until the transaction ends.
 * Objects share 256 turns by their id; a deadlock between two of them is repeated like any other. */
apr_status_t sb_turn_take(sb_conn_t *conn, const char *object, apr_pool_t *pool);

#endif
