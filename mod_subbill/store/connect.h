/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_CONNECT_H
#define SB_STORE_CONNECT_H

#include <pthread.h>

#include "store/conn.h"

/* Opening a connection within a time that somebody waits. Inside store/ only. */

/* Attempts that nobody waits for any more. Outlives the pool of connections that it belongs to. */
typedef struct sb_strays_t sb_strays_t;

sb_strays_t *sb_strays_create(void);
/* How many are still running. */
int sb_strays_count(const sb_strays_t *strays);
/* The pool is done with it; the last stray frees it. */
void sb_strays_release(sb_strays_t *strays);

/* Connects and looks at the schema. After until (monotonic) the attempt goes on as a stray, and the answer
 * is SB_UNAVAILABLE. Results as in sb_db_read(). */
sb_status_e sb_connect(sb_conn_t **conn, sb_result_t *result, const sb_dsn_t *dsn,
                       const apr_dbd_driver_t *driver, apr_time_t until,
                       sb_strays_t *strays);

/* pthread_create() for a thread that takes no signals: those are the host's business. */
int sb_thread_create(pthread_t *thread, void *(*run)(void *), void *data);

#endif
