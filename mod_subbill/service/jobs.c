/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A step runs between two short transactions: one that claims its job, one that says what became of it. In
 * between nothing is held but the lease, so that a step may ask Stripe; and whoever is killed there
 * leaves a job that somebody else claims when the lease has run out. A failure that time may heal is
 * tried again for ever, ever less often; any other a few times, then the job is parked, to be seen. The
 * claim counts the attempt, so that a step which kills its process is one of the others. */
#include "service/jobs.h"

#include "base/clock.h"
#include "base/log.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 8,
    BACKOFF_FIRST = 2,
    BACKOFF_DOUBLINGS = 11,
    BACKOFF_MAX = 3600,
    OUTAGE_MAX = 60,    /* seconds between two tries while Stripe or a database is away */
    NEXT_VERSION = 3600 /* … of a job that only a newer version knows */
};

typedef struct kind_t {
    const char *kind;
    sb_step_fn step;
    int attempts; /* that time alone will not heal, before it is parked */
    int patience; /* how many doublings later than the others it is tried again */
} kind_t;

/* An event fails for a price that the catalogue does not know: it is tried for a day. */
static const kind_t kinds[] = {
    {SB_JOB_EVENT, sb_step_event, 24, 5},
    {SB_JOB_FETCH, sb_step_fetch, 6, 0},
    {SB_JOB_DISPUTE, sb_step_dispute, 6, 0},
    {SB_JOB_ENTITLEMENTS, sb_step_entitlements, 6, 0},
    {SB_JOB_CATCH_UP, sb_step_catch_up, 6, 0},
    {SB_JOB_SYNC, sb_step_sync, 6, 0},
};

static const kind_t *kind_of(const char *word)
{
    static const kind_t unknown = {.kind = "?"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kinds[i].kind, word) == 0) {
            return &kinds[i];
        }
    }
    return &unknown;
}

int sb_jobs_backoff(int attempts)
{
    int doublings = attempts < 1                       ? 0
                    : attempts - 1 > BACKOFF_DOUBLINGS ? BACKOFF_DOUBLINGS
                                                       : attempts - 1;
    int delay = BACKOFF_FIRST << doublings;
    unsigned char random;

    if (delay > BACKOFF_MAX) {
        delay = BACKOFF_MAX;
    }
    /* Without entropy everybody waits alike, which is no harm. */
    if (apr_generate_random_bytes(&random, 1) != APR_SUCCESS) {
        return delay;
    }
    return delay + delay * ((int)random - 128) / 512;
}

/* --- claiming ------------------------------------------------------------------------------------ */

typedef struct claim_t {
    bool livemode;
    sb_job_t *jobs;
    int n;
    const sb_job_t *wanted;
    sb_job_t *claimed;
} claim_t;

static apr_status_t look(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    claim_t *claim = baton;

    return sb_job_due(&claim->jobs, &claim->n, conn, claim->livemode, BATCH, pool);
}

static apr_status_t take(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    claim_t *claim = baton;

    return sb_job_claim(&claim->claimed, conn, claim->wanted, SB_JOB_LEASE, pool);
}

/* --- ending -------------------------------------------------------------------------------------- */

typedef struct ending_t {
    const sb_job_t *job;
    sb_step_t step;
    sb_status_e status;
    const char *error;
    bool outage;
    bool park;
    int delay;
    bool held;
} ending_t;

static apr_status_t end(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    ending_t *ending = baton;
    const sb_job_t *job = ending->job;

    if (ending->status == SB_OK && !ending->step.again) {
        return sb_job_finish(&ending->held, conn, job, pool);
    }
    if (ending->status == SB_OK) { /* getting on is no failed attempt */
        return sb_job_retry(&ending->held, conn, job, ending->step.delay, 0,
                            ending->step.payload, NULL, pool);
    }
    if (ending->park) {
        return sb_job_park(&ending->held, conn, job, ending->error, pool);
    }
    /* Whoever tells of an outage has killed nobody: what was counted before may have been others' deaths. */
    return sb_job_retry(&ending->held, conn, job, ending->delay,
                        ending->outage ? 0 : job->attempts, job->payload, ending->error,
                        pool);
}

/* Trouble that meets every job alike and says nothing about this one: an outage, a proxy's page in
 * place of an answer, a key being changed, Stripe busy with the object, a program that is too old. It
 * counts as no attempt, and is tried again at its own pace. */
static bool is_nobodys_fault(sb_status_e status, const sb_result_t *result)
{
    static const char *const codes[] = {"stripe_bad_answer",      "stripe_key_refused",
                                        "stripe_permission",      "lock_timeout",
                                        "idempotency_key_in_use", "unknown_kind"};

    for (size_t i = 0; result->code && i < sizeof(codes) / sizeof(*codes); i++) {
        if (strcmp(result->code, codes[i]) == 0) {
            return true;
        }
    }
    return status == SB_UNAVAILABLE;
}

/* Half as long as it has been waited for already: quick after a hiccup, a minute in the end. */
static int outage_delay(const sb_job_t *job)
{
    apr_int64_t age = sb_clock_now() - job->created_at;

    return age < 2 * BACKOFF_FIRST ? BACKOFF_FIRST
           : age > 2 * OUTAGE_MAX  ? OUTAGE_MAX
                                   : (int)(age / 2);
}

static void judge(ending_t *ending, const sb_result_t *result, apr_pool_t *pool)
{
    const kind_t *kind = kind_of(ending->job->kind);

    ending->outage = is_nobodys_fault(ending->status, result);
    ending->error = apr_psprintf(pool, "%s: %s", result->code ? result->code : "failed",
                                 result->message ? result->message : "no reason given");
    ending->park = !ending->outage && ending->job->attempts >= kind->attempts;
    ending->delay = !ending->outage
                        ? sb_jobs_backoff(ending->job->attempts + kind->patience)
                    : kind->step ? outage_delay(ending->job)
                                 : NEXT_VERSION;
    if (result->retry_after > ending->delay) {
        ending->delay = result->retry_after;
    }
}

static void tell(sb_jobs_run_t *run, const ending_t *ending)
{
    const sb_job_t *job = ending->job;

    if (!ending->held) {
        run->lost++;
        sb_log(SB_LOG_INFO, 0, "SB481", "job %s %s: somebody else took it over",
               job->kind, job->subject);
        return;
    }
    if (ending->status == SB_OK) {
        run->done += !ending->step.again;
        run->again += ending->step.again;
        sb_log(SB_LOG_DEBUG, 0, "SB482", "job %s %s: %s", job->kind, job->subject,
               ending->step.again ? "goes on" : "done");
        return;
    }
    if (ending->park) {
        run->parked++;
        sb_log(SB_LOG_ERROR, 0, "SB483",
               "job %s %s is given up after %d attempts: %s; see `subbillctl jobs list`",
               job->kind, job->subject, job->attempts, ending->error);
        return;
    }
    run->retried++;
    sb_log(SB_LOG_INFO, 0, "SB484", "job %s %s: %s; again in %d s", job->kind,
           job->subject, ending->error, ending->delay);
}

static sb_status_e take_step(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                             apr_pool_t *pool)
{
    const kind_t *kind = kind_of(step->job->kind);

    if (!kind->step) {
        return sb_result_set(result, SB_INTERNAL, "unknown_kind",
                             "This version knows no such job.", NULL);
    }
    if (step->job->attempts > kind->attempts) { /* its last claim came to no end */
        return sb_result_set(result, SB_INTERNAL, "worker_died",
                             "Whoever worked on it died each time, or was too slow.",
                             NULL);
    }
    return kind->step(step, result, service, pool);
}

static sb_status_e run_one(sb_jobs_run_t *run, sb_result_t *result, sb_service_t *service,
                           const sb_job_t *job, apr_pool_t *pool)
{
    ending_t ending = {
        .job = job,
        .step = {.job = job,
                 .until = sb_clock_monotonic() + apr_time_from_sec(SB_JOB_LEASE / 2)}};
    sb_result_t outcome;

    sb_result_clear(&outcome);
    ending.status = take_step(&ending.step, &outcome, service, pool);
    if (ending.status != SB_OK) {
        judge(&ending, &outcome, pool);
        run->paced = outcome.code && strcmp(outcome.code, "rate_limited") == 0;
    }
    sb_status_e status =
        sb_db_transaction(service->db, SB_DEADLINE_INGEST, end, &ending, result, pool);
    if (status == SB_OK) {
        tell(run, &ending);
    }
    return status;
}

static bool enough(const sb_jobs_run_t *run)
{
    int steps = run->done + run->again + run->retried + run->parked + run->lost;

    return run->paced || (run->max && steps >= run->max) ||
           (run->time && steps && sb_clock_monotonic() >= run->until) ||
           (run->stopping && run->stopping(run->baton));
}

static sb_status_e run_batch(sb_jobs_run_t *run, sb_result_t *result,
                             sb_service_t *service, apr_pool_t *pool)
{
    claim_t claim = {.livemode = service->settings->live};
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_PAGE, look, &claim, result, pool);

    run->idle = status == SB_OK && claim.n == 0;
    for (int i = 0; status == SB_OK && i < claim.n && !enough(run); i++) {
        claim.wanted = &claim.jobs[i];
        status =
            sb_db_transaction(service->db, SB_DEADLINE_PAGE, take, &claim, result, pool);
        if (status == SB_OK && claim.claimed) {
            status = run_one(run, result, service, claim.claimed, pool);
        }
    }
    return status;
}

sb_status_e sb_jobs_run(sb_jobs_run_t *run, sb_result_t *result, sb_service_t *service,
                        apr_pool_t *pool)
{
    sb_status_e status = SB_OK;
    apr_pool_t *batch;

    run->done = run->again = run->retried = run->parked = run->lost = 0;
    run->paced = run->idle = false;
    run->until = sb_clock_monotonic() + run->time;
    while (status == SB_OK && !run->idle && !enough(run)) {
        sb_result_t trouble;
        apr_status_t rv = apr_pool_create(&batch, pool);
        if (rv != APR_SUCCESS) {
            return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.",
                                 NULL);
        }
        sb_result_clear(&trouble);
        status = run_batch(run, &trouble, service, batch);
        if (status != SB_OK && result) {
            *result = trouble;
            result->message = apr_pstrdup(pool, trouble.message);
            result->hint = apr_pstrdup(pool, trouble.hint);
        }
        apr_pool_destroy(batch);
    }
    return status;
}

/* --- wishing ------------------------------------------------------------------------------------- */

typedef struct wish_t {
    const char *kind, *subject, *payload;
    bool livemode;
    int delay;
} wish_t;

static apr_status_t put(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const wish_t *wish = baton;

    return sb_job_enqueue(conn, wish->kind, wish->subject, wish->livemode, wish->payload,
                          wish->delay, pool);
}

sb_status_e sb_jobs_enqueue(sb_result_t *result, sb_service_t *service, const char *kind,
                            const char *subject, const char *payload, int delay,
                            apr_pool_t *pool)
{
    wish_t wish = {.kind = kind,
                   .subject = subject,
                   .payload = payload,
                   .livemode = service->settings->live,
                   .delay = delay};

    return sb_db_transaction(service->db, SB_DEADLINE_PAGE, put, &wish, result, pool);
}
