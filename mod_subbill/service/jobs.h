/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_JOBS_H
#define SB_SERVICE_JOBS_H

#include "service/service.h"
#include "store/jobs.h"

/* The worker: claims jobs that are due and runs one step of each. httpd's watchdog and `subbillctl work`
 * drain the same queue, on any number of hosts. */

/* Kinds of jobs. */
#define SB_JOB_EVENT        "event" /* go on with a stored event; subject: its id */
#define SB_JOB_FETCH        "fetch" /* read a subscription from Stripe; subject: its id */
#define SB_JOB_ENTITLEMENTS "entitlements" /* list a customer's; subject: its id */
#define SB_JOB_DISPUTE                                                                   \
    "dispute" /* what a disputed payment paid for; subject: the dispute */
#define SB_JOB_CATCH_UP "catch_up" /* read the events that were missed */
#define SB_JOB_SYNC     "sync"     /* read a whole list; subject: the type */

#define SB_JOB_LEASE 60 /* seconds; a step must be shorter */

/* One step of a claimed job. It may be cut off anywhere and then runs again from the beginning, so it must
 * be idempotent and short. */
typedef struct sb_step_t {
    const sb_job_t *job;
    apr_time_t until; /* monotonic: a step of several calls begins none after that */
    bool again;       /* set by the step: more is to be done, after delay seconds */
    int delay;
    const char *payload; /* with again: what the next step starts from */
} sb_step_t;

/* SB_OK: done, or again. SB_UNAVAILABLE: tried again for as long as it takes. Anything else: tried again a
 * few times, then the job is parked with the result's code and message. result comes in clear. */
typedef sb_status_e (*sb_step_fn)(sb_step_t *step, sb_result_t *result,
                                  sb_service_t *service, apr_pool_t *pool);

typedef struct sb_jobs_run_t {
    int max; /* steps at most; 0: until nothing is due */
    apr_interval_time_t
        time; /* no step but the first is begun when so much has passed; 0: any */
    bool (*stopping)(void *baton); /* asked between steps; NULL: never */
    void *baton;

    int done, again, retried, parked, lost; /* what became of the steps */
    bool paced;       /* ended because background calls to Stripe have to wait */
    bool idle;        /* ended because nothing was due any more */
    apr_time_t until; /* monotonic; when time is up */
} sb_jobs_run_t;

/* Runs what is due. SB_OK also when steps failed: that is told by the counters, the log and the rows.
 * SB_UNAVAILABLE: the database. */
sb_status_e sb_jobs_run(sb_jobs_run_t *run, sb_result_t *result, sb_service_t *service,
                        apr_pool_t *pool);

/* Wishes for a job outside of any other transaction. */
sb_status_e sb_jobs_enqueue(sb_result_t *result, sb_service_t *service, const char *kind,
                            const char *subject, const char *payload, int delay,
                            apr_pool_t *pool);

/* Seconds to wait after so many attempts: doubling from 2 s to an hour, a quarter more or less. */
int sb_jobs_backoff(int attempts);

/* --- the steps, one file each ------------------------------------------------------------------- */

sb_status_e sb_step_event(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                          apr_pool_t *pool);
sb_status_e sb_step_fetch(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                          apr_pool_t *pool);
sb_status_e sb_step_dispute(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                            apr_pool_t *pool);
sb_status_e sb_step_entitlements(sb_step_t *step, sb_result_t *result,
                                 sb_service_t *service, apr_pool_t *pool);
sb_status_e sb_step_catch_up(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                             apr_pool_t *pool);
sb_status_e sb_step_sync(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                         apr_pool_t *pool);

#endif
