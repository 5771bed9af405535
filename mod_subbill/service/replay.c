/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/replay.h"

#include "base/clock.h"
#include "base/json.h"
#include "service/jobs.h"
#include "service/refresh.h"

#include <string.h>

enum { STUCK_MAX = 100 };

typedef struct kept_t {
    const char *id;
    sb_event_row_t *row;
    const char *body;
} kept_t;

static apr_status_t read_kept(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    kept_t *kept = baton;
    apr_status_t rv = sb_event_get(&kept->row, conn, kept->id, pool);

    kept->body = NULL;
    if (rv == APR_SUCCESS && kept->row) {
        rv = sb_event_body(&kept->body, conn, kept->id, pool);
    }
    return rv;
}

static bool finished(const sb_event_row_t *row)
{
    return row->state == SB_EVENT_DONE || row->state == SB_EVENT_IGNORED;
}

static apr_status_t mark_done(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const kept_t *kept = baton;

    return sb_event_mark(conn, kept->id, SB_EVENT_DONE, NULL, pool);
}

/* "v1.customer.subscription.updated" is what "customer.subscription.updated" is, without its object. */
static sb_status_e replay_thin(sb_ingest_t *outcome, sb_result_t *result,
                               sb_service_t *service, const sb_event_t *event,
                               kept_t *kept, apr_pool_t *pool)
{
    const sb_cause_t cause = {.id = event->id, .created = event->created};
    sb_status_e status = sb_refresh_object(result, service, event->kind, event->object_id,
                                           event->type + 3, &cause, pool);

    if (status == SB_OK) {
        status = sb_db_transaction(service->db, SB_DEADLINE_INGEST, mark_done, kept,
                                   result, pool);
    }
    *outcome = (sb_ingest_t){.secret = -1,
                             .event = event->id,
                             .type = event->type,
                             .state = status == SB_OK ? "done" : "received"};
    return status;
}

static sb_status_e parse(sb_event_t *event, sb_result_t *result, const char *body,
                         apr_pool_t *pool)
{
    char error[200];
    json_t *json;

    if (!sb_json_parse(&json, error, sizeof(error), body, strlen(body), SB_JSON_DEPTH)) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_json", NULL,
                              "The body is no JSON that can be read: %s.", error);
    }
    return sb_event_parse_kept(event, result, sb_service_own(json, pool), pool);
}

sb_status_e sb_replay_event(sb_ingest_t *outcome, sb_result_t *result,
                            sb_service_t *service, const char *id, apr_pool_t *pool)
{
    kept_t kept = {.id = id};
    sb_event_t event;
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_INGEST, read_kept, &kept, result, pool);

    if (status != SB_OK) {
        return status;
    }
    if (!kept.row) {
        return sb_result_set(result, SB_NOT_FOUND, "unknown_event",
                             "There is no such event.", NULL);
    }
    if (finished(kept.row)) {
        *outcome = (sb_ingest_t){.secret = -1,
                                 .event = kept.row->id,
                                 .type = kept.row->type,
                                 .state = "duplicate"};
        return SB_OK;
    }
    if (!kept.body) {
        return sb_result_set(result, SB_CONFLICT, "no_body",
                             "The body of this event was not kept.", NULL);
    }
    status = parse(&event, result, kept.body, pool);
    if (status != SB_OK) {
        return status;
    }
    event.id = kept.row->id;
    if (event.thin && !sb_refresh_thin(&event)) {
        return replay_thin(outcome, result, service, &event, &kept, pool);
    }
    return sb_ingest_kept(outcome, result, service, &event, kept.row->source, kept.body,
                          pool);
}

sb_status_e sb_step_event(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                          apr_pool_t *pool)
{
    sb_ingest_t outcome;
    sb_status_e status =
        sb_replay_event(&outcome, result, service, step->job->subject, pool);

    if (status == SB_OK && strcmp(outcome.state, "failed") == 0) {
        return sb_result_set(result, SB_CONFLICT, outcome.reason,
                             "The event still cannot be applied.", NULL);
    }
    return status;
}

/* --- stuck ones ------------------------------------------------------------------------------------- */

typedef struct stuck_t {
    bool livemode;
    apr_int64_t now;
} stuck_t;

static apr_status_t wish_for_stuck(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const stuck_t *stuck = baton;
    const char *const *ids;
    int n;
    apr_status_t rv =
        sb_event_stuck(&ids, &n, conn, stuck->livemode, stuck->now, STUCK_MAX, pool);

    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        rv = sb_job_enqueue(conn, SB_JOB_EVENT, ids[i], stuck->livemode, NULL, 0, pool);
    }
    return rv;
}

sb_status_e sb_replay_stuck(sb_result_t *result, sb_service_t *service, apr_pool_t *pool)
{
    stuck_t stuck = {.livemode = service->settings->live, .now = sb_clock_now()};

    return sb_db_transaction(service->db, SB_DEADLINE_INGEST, wish_for_stuck, &stuck,
                             result, pool);
}
