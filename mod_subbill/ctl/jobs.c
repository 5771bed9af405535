/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/jobs.h"

#include "ctl/output.h"
#include "ctl/session.h"
#include "service/catch_up.h"
#include "service/replay.h"

#include <apr_strings.h>
#include <string.h>

typedef struct list_t {
    bool livemode;
    bool due;
    int limit;
    sb_job_t *jobs;
    int n;
} list_t;

static apr_status_t read_jobs(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    list_t *list = baton;

    return list->due ? sb_job_due(&list->jobs, &list->n, conn, list->livemode,
                                  list->limit, pool)
                     : sb_job_list(&list->jobs, &list->n, conn, list->livemode,
                                   list->limit, pool);
}

static json_t *job_json(const sb_job_t *job, apr_pool_t *pool)
{
    json_t *json = json_object();

    json_object_set_new(json, "kind", sb_json_of(job->kind, pool));
    json_object_set_new(json, "subject", sb_json_of(job->subject, pool));
    json_object_set_new(json, "state", json_string(sb_job_state_word(job->state)));
    json_object_set_new(json, "run_at", sb_json_time(job->run_at));
    json_object_set_new(json, "lease_until", sb_json_time(job->lease_until));
    json_object_set_new(json, "attempts", json_integer(job->attempts));
    json_object_set_new(json, "error", sb_json_of(job->error, pool));
    json_object_set_new(json, "created", sb_json_time(job->created_at));
    return json;
}

static void print_jobs(const sb_ctl_t *ctl, const list_t *list)
{
    static const char *const heads[] = {"NEXT RUN", "STATE", "KIND",
                                        "SUBJECT",  "TRIES", "ERROR"};
    sb_table_t *table = sb_table_create(ctl, heads, 6);

    for (int i = 0; i < list->n; i++) {
        const sb_job_t *job = &list->jobs[i];
        const char *const cells[] = {
            job->state == SB_JOB_PARKED ? "never" : sb_time_text(job->run_at, ctl->pool),
            sb_job_state_word(job->state),
            job->kind,
            job->subject,
            apr_itoa(ctl->pool, job->attempts),
            job->error,
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

/* Shows the jobs, those that are due or all. */
static sb_exit_e show(sb_ctl_t *ctl, sb_service_t *service, bool due, const char *none)
{
    list_t list = {
        .livemode = service->settings->live, .due = due, .limit = ctl->options.limit};
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_db_read(service->db, SB_DEADLINE_INGEST, read_jobs, &list, &result,
                   ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        json_t *jobs = json_array();
        for (int i = 0; i < list.n; i++) {
            json_array_append_new(jobs, job_json(&list.jobs[i], ctl->pool));
        }
        sb_print_json(json_pack("{s:o}", "jobs", jobs));
    }
    else if (list.n) {
        print_jobs(ctl, &list);
    }
    else {
        sb_print(ctl, "%s", none);
    }
    return SB_EXIT_OK;
}

sb_exit_e sb_command_jobs_list(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_exit_e status = sb_ctl_service(&service, ctl, false);

    return status == SB_EXIT_OK ? show(ctl, service, false, "No jobs.") : status;
}

/* --- work ----------------------------------------------------------------------------------- */

static sb_exit_e told(sb_ctl_t *ctl, const sb_jobs_run_t *run)
{
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:i, s:i, s:i, s:i, s:i}", "done", run->done, "again",
                                run->again, "retried", run->retried, "parked",
                                run->parked, "lost", run->lost));
    }
    else {
        sb_print(ctl,
                 "Done: %d. To be continued: %d. To be tried again: %d. Given up: %d.",
                 run->done, run->again, run->retried, run->parked);
    }
    return run->parked
               ? sb_fail(ctl, SB_EXIT_FAILED, "parked", "subbillctl jobs list says why.",
                         "%d of the jobs were given up.", run->parked)
               : SB_EXIT_OK;
}

sb_exit_e sb_command_work(sb_ctl_t *ctl)
{
    sb_jobs_run_t run = {.max =
                             sb_ctl_given(ctl, SB_OPTION_LIMIT) ? ctl->options.limit : 0};
    sb_service_t *service;
    sb_result_t result;

    if (!sb_ctl_given(ctl, SB_OPTION_ONCE)) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage",
                       "Write subbillctl work --once; httpd works all the time by itself "
                       "(SubbillWorker).",
                       "work needs --once.");
    }
    sb_exit_e status = sb_ctl_service(&service, ctl, true);
    if (status != SB_EXIT_OK) {
        return status;
    }
    if (sb_ctl_given(ctl, SB_OPTION_DRY_RUN)) {
        return show(ctl, service, true, "Nothing is due.");
    }
    sb_result_clear(&result);
    sb_status_e done = sb_replay_stuck(&result, service, ctl->pool);
    if (done == SB_OK && service->stripe) {
        done = sb_catch_up_tend(&result, service, false, ctl->pool);
    }
    if (done == SB_OK) {
        done = sb_jobs_run(&run, &result, service, ctl->pool);
    }
    return done == SB_OK ? told(ctl, &run) : sb_fail_result(ctl, &result);
}
