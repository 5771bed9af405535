/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/jobs.h"

#include "base/crypto.h"
#include "base/utf8.h"
#include "sb_statements.h"

#include <apr_strings.h>
#include <string.h>

enum { ID_BYTES = 16, ERROR_MAX = 1000 };

static const char *const words[] = {
    [SB_JOB_WAITING] = "waiting",
    [SB_JOB_PARKED] = "parked",
};

const char *sb_job_state_word(sb_job_state_e state)
{
    return words[state];
}

static sb_job_t from_row(const sb_row_job_t *row)
{
    return (sb_job_t){
        .id = row->id,
        .kind = row->kind,
        .subject = row->subject,
        .livemode = row->livemode != 0,
        .state = row->state && !strcmp(row->state, words[SB_JOB_PARKED]) ? SB_JOB_PARKED
                                                                         : SB_JOB_WAITING,
        .run_at = row->run_at,
        .lease_until = row->lease_until,
        .attempts = (int)row->attempts,
        .version = row->version,
        .payload = row->payload,
        .error = row->error,
        .created_at = row->created_at,
    };
}

static void from_rows(sb_job_t **jobs, const sb_row_job_t *rows, int n, apr_pool_t *pool)
{
    *jobs = apr_palloc(pool, sizeof(**jobs) * (apr_size_t)(n + 1));
    for (int i = 0; i < n; i++) {
        (*jobs)[i] = from_row(&rows[i]);
    }
}

apr_status_t sb_job_enqueue(sb_conn_t *conn, const char *kind, const char *subject,
                            bool livemode, const char *payload, int delay,
                            apr_pool_t *pool)
{
    const char *id = sb_random_hex(ID_BYTES, pool);

    if (!id || strlen(subject) > SB_JOB_SUBJECT_MAX ||
        (payload && strlen(payload) > SB_JOB_PAYLOAD_MAX)) {
        return APR_EGENERAL;
    }
    return sb_sql_job_enqueue(NULL, conn, id, kind, subject, livemode, delay, payload,
                              pool);
}

apr_status_t sb_job_due(sb_job_t **jobs, int *n, sb_conn_t *conn, bool livemode,
                        int limit, apr_pool_t *pool)
{
    const sb_row_job_t *rows;
    apr_status_t rv = sb_sql_job_due(&rows, n, conn, livemode, limit, pool);

    if (!rv) {
        from_rows(jobs, rows, *n, pool);
    }
    return rv;
}

apr_status_t sb_job_claim(sb_job_t **claimed, sb_conn_t *conn, const sb_job_t *job,
                          int lease, apr_pool_t *pool)
{
    const char *holder = sb_random_hex(ID_BYTES, pool);
    const sb_row_job_t *rows;
    int affected = 0, n = 0;

    *claimed = NULL;
    if (!holder) {
        return APR_EGENERAL;
    }
    apr_status_t rv = sb_sql_job_claim(&affected, conn, job->id, holder, lease, pool);
    if (rv || affected != 1) {
        return rv;
    }
    rv = sb_sql_job_by_id(&rows, &n, conn, job->id, pool);
    if (!rv && n) {
        from_rows(claimed, rows, 1, pool);
        (*claimed)->holder = holder;
    }
    return rv;
}

apr_status_t sb_job_retry(bool *held, sb_conn_t *conn, const sb_job_t *job, int delay,
                          int attempts, const char *payload, const char *error,
                          apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv =
        sb_sql_job_retry(&affected, conn, job->id, job->holder, delay, attempts, payload,
                         sb_utf8_cut(error, ERROR_MAX, pool), job->version, pool);

    if (held) {
        *held = affected == 1;
    }
    return rv;
}

apr_status_t sb_job_finish(bool *held, sb_conn_t *conn, const sb_job_t *job,
                           apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv =
        sb_sql_job_finish(&affected, conn, job->id, job->holder, job->version, pool);

    if (held) {
        *held = affected == 1;
    }
    /* Wished for again, or lost: the first goes on waiting, of the second nothing matches. */
    return rv || affected == 1 ? rv
                               : sb_job_retry(held, conn, job, 0, 0, NULL, NULL, pool);
}

apr_status_t sb_job_park(bool *held, sb_conn_t *conn, const sb_job_t *job,
                         const char *error, apr_pool_t *pool)
{
    int affected = 0;
    apr_status_t rv =
        sb_sql_job_park(&affected, conn, job->id, job->holder,
                        sb_utf8_cut(error, ERROR_MAX, pool), job->version, pool);

    if (held) {
        *held = affected == 1;
    }
    return rv;
}

apr_status_t sb_job_get(sb_job_t **job, sb_conn_t *conn, const char *kind,
                        const char *subject, bool livemode, apr_pool_t *pool)
{
    const sb_row_job_t *rows;
    int n = 0;
    apr_status_t rv =
        sb_sql_job_by_subject(&rows, &n, conn, kind, subject, livemode, pool);

    *job = NULL;
    if (!rv && n) {
        from_rows(job, rows, 1, pool);
    }
    return rv;
}

apr_status_t sb_job_list(sb_job_t **jobs, int *n, sb_conn_t *conn, bool livemode,
                         int limit, apr_pool_t *pool)
{
    const sb_row_job_t *rows;
    apr_status_t rv = sb_sql_job_list(&rows, n, conn, livemode, limit, pool);

    if (!rv) {
        from_rows(jobs, rows, *n, pool);
    }
    return rv;
}
