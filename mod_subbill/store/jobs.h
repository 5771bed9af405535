/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_JOBS_H
#define SB_STORE_JOBS_H

#include <stdbool.h>

#include "store/db.h"

/* Work to be done later. A job is a row that says what (kind) about which object (subject); there is at most
 * one per kind, subject and mode, so wishing twice is wishing once. It is claimed for the length of a
 * lease; who loses its lease (killed, stopped, too slow) can neither end nor change it any more. All
 * times are the database's. */

#define SB_JOB_SUBJECT_MAX 255  /* bytes */
#define SB_JOB_PAYLOAD_MAX 4000 /* bytes */

typedef enum {
    SB_JOB_WAITING, /* for its time, or for the end of somebody's lease */
    SB_JOB_PARKED   /* given up; error says why. Wishing for it again wakes it */
} sb_job_state_e;

typedef struct sb_job_t {
    const char *id; /* random; an idempotency key that is known before the call */
    const char *kind;
    const char *subject; /* an id of Stripe's, or whatever the kind is about */
    bool livemode;
    sb_job_state_e state;
    apr_int64_t run_at; /* Unix seconds */
    apr_int64_t lease_until;
    int attempts;        /* this one included while claimed */
    apr_int64_t version; /* raised by every further wish for the same thing */
    const char *payload; /* of the kind, or NULL */
    const char *error;   /* of the last attempt, or NULL */
    const char *holder;  /* of a claimed one */
    apr_int64_t created_at;
} sb_job_t;

/* "waiting", "parked". */
const char *sb_job_state_word(sb_job_state_e state);

/* Wishes for a job, to run in delay seconds or, when it waits already, at the earlier of the two times; the
 * payload is replaced. In the transaction that is the reason for it: both or none. */
apr_status_t sb_job_enqueue(sb_conn_t *conn, const char *kind, const char *subject,
                            bool livemode, const char *payload, int delay,
                            apr_pool_t *pool);

/* At most limit jobs that could be claimed now, the longest due first. */
apr_status_t sb_job_due(sb_job_t **jobs, int *n, sb_conn_t *conn, bool livemode,
                        int limit, apr_pool_t *pool);

/* Claims job for lease seconds: fills *claimed, or NULL when somebody else was faster. */
apr_status_t sb_job_claim(sb_job_t **claimed, sb_conn_t *conn, const sb_job_t *job,
                          int lease, apr_pool_t *pool);

/* The three ends of a claimed job. *held is false when the lease was lost, and nothing was changed; it may be
 * NULL. One that was wished for again meanwhile goes on waiting in each of them. */
apr_status_t sb_job_finish(bool *held, sb_conn_t *conn, const sb_job_t *job,
                           apr_pool_t *pool);
/* Again in delay seconds; attempts and payload are what is kept. */
apr_status_t sb_job_retry(bool *held, sb_conn_t *conn, const sb_job_t *job, int delay,
                          int attempts, const char *payload, const char *error,
                          apr_pool_t *pool);
apr_status_t sb_job_park(bool *held, sb_conn_t *conn, const sb_job_t *job,
                         const char *error, apr_pool_t *pool);

/* The job about this subject, or NULL. */
apr_status_t sb_job_get(sb_job_t **job, sb_conn_t *conn, const char *kind,
                        const char *subject, bool livemode, apr_pool_t *pool);

/* At most limit jobs of this mode, the next ones first. */
apr_status_t sb_job_list(sb_job_t **jobs, int *n, sb_conn_t *conn, bool livemode,
                         int limit, apr_pool_t *pool);

#endif
