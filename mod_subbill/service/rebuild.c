/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Live, an event was applied at the moment it arrived, to what was there then; so the order of arrival and
 * the time of arrival are all that has to be repeated. One thing comes later: an event that failed
 * first and was applied when its cause had been mended. Such events are tried again at the end. */
#include "service/rebuild.h"

#include "base/json.h"
#include "base/log.h"
#include "service/asserted.h"
#include "service/ingest.h"
#include "service/jobs.h"
#include "service/refresh.h"
#include "store/events.h"

#include <apr_strings.h>
#include <string.h>

enum { PAGE = 200 };

typedef struct run_t {
    sb_service_t *service;
    sb_rebuild_t *rebuild;
    sb_result_t *result;
    apr_array_header_t *late; /* ids of what failed and had not failed before */
    apr_pool_t *pool;

    /* the page */
    const sb_event_row_t *after;
    sb_event_row_t *rows;
    int n;
} run_t;

typedef struct one_t {
    const run_t *run;
    const char *id;
    const sb_event_row_t *row;
    const char *body;
    sb_event_t event;
    sb_apply_fn apply;
    sb_apply_t done;
} one_t;

static bool live(const run_t *run)
{
    return run->service->settings->live;
}

/* --- reading ------------------------------------------------------------------------------------ */

static apr_status_t count_rows(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_rebuild_t *rebuild = ((run_t *)baton)->rebuild;
    apr_status_t rv =
        sb_event_projected(&rebuild->tables, &rebuild->tables_n, conn, live(baton), pool);

    rebuild->rows = 0;
    for (int i = 0; rv == APR_SUCCESS && i < rebuild->tables_n; i++) {
        rebuild->rows += rebuild->tables[i].rows;
    }
    return rv;
}

static apr_status_t read_page(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    run_t *run = baton;

    return sb_event_page(&run->rows, &run->n, conn, live(run), run->after, PAGE, pool);
}

static apr_status_t read_one(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    one_t *one = baton;
    sb_event_row_t *row = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (!one->row) {
        rv = sb_event_get(&row, conn, one->id, pool);
        one->row = row;
    }
    return rv == APR_SUCCESS ? sb_event_body(&one->body, conn, one->id, pool) : rv;
}

static bool parse(one_t *one, apr_pool_t *pool)
{
    char error[200];
    sb_result_t ignored;
    json_t *json;

    sb_result_clear(&ignored);
    if (!one->body || !sb_json_parse(&json, error, sizeof(error), one->body,
                                     strlen(one->body), SB_JSON_DEPTH)) {
        return false;
    }
    return sb_event_parse_kept(&one->event, &ignored, sb_service_own(json, pool), pool) ==
           SB_OK;
}

/* --- applying ----------------------------------------------------------------------------------- */

/* A tie that Stripe has settled needs no asking again: the answer is an event of its own. */
static apr_status_t wish_fetch(const one_t *one, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_event_row_t *answer;
    apr_status_t rv = sb_event_get(
        &answer, conn, sb_refresh_answer(one->done.fetch, one->event.id, pool), pool);

    if (rv != APR_SUCCESS || answer) {
        return rv;
    }
    return sb_job_enqueue(conn, SB_JOB_FETCH, one->done.fetch, one->event.livemode,
                          sb_refresh_cause(&one->event, pool), 0, pool);
}

static apr_status_t apply_one(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    one_t *one = baton;

    one->done = (sb_apply_t){
        .service = one->run->service,
        .conn = conn,
        .pool = pool,
        .event = &one->event,
        .source = one->row->source,
        .now = one->row->received_at,
        .verdict = SB_APPLY_DONE,
    };
    apr_status_t rv = one->apply(&one->done);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (one->done.verdict == SB_APPLY_FAILED) {
        return SB_DB_ROLLBACK;
    }
    return one->done.fetch ? wish_fetch(one, conn, pool) : APR_SUCCESS;
}

static sb_event_state_e state_now(const one_t *one)
{
    switch (one->done.verdict) {
    case SB_APPLY_DONE:
        return SB_EVENT_DONE;
    case SB_APPLY_IGNORED:
        return SB_EVENT_IGNORED;
    case SB_APPLY_REFUSED:
    case SB_APPLY_FAILED:
        break;
    }
    return SB_EVENT_FAILED;
}

/* The row says what is true now, and what can still be done about it has a job. */
static apr_status_t settle_one(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const one_t *one = baton;
    sb_event_state_e now =
        one->row->state == SB_EVENT_RECEIVED ? SB_EVENT_RECEIVED : state_now(one);
    apr_status_t rv = APR_SUCCESS;

    if (now != one->row->state) {
        rv = sb_event_mark(conn, one->id, now, one->done.reason, pool);
    }
    if (rv == APR_SUCCESS && (now == SB_EVENT_FAILED || now == SB_EVENT_RECEIVED)) {
        rv = sb_job_enqueue(conn, SB_JOB_EVENT, one->id, one->row->livemode, NULL, 0,
                            pool);
    }
    return rv;
}

static sb_status_e settle(run_t *run, one_t *one, bool last, apr_pool_t *pool)
{
    sb_event_state_e now = state_now(one);

    if (now == one->row->state && now != SB_EVENT_FAILED) {
        return SB_OK;
    }
    if (now == SB_EVENT_FAILED && one->row->state != SB_EVENT_FAILED && !last) {
        APR_ARRAY_PUSH(run->late, const char *) = apr_pstrdup(run->pool, one->id);
        return SB_OK;
    }
    if (now != one->row->state) {
        run->rebuild->changed++;
        sb_log(SB_LOG_NOTICE, 0, "SB495", "event %s %s was %s and is %s now%s%s", one->id,
               one->row->type, sb_event_state_word(one->row->state),
               sb_event_state_word(now), one->done.reason ? ": " : "",
               one->done.reason ? one->done.reason : "");
    }
    return sb_db_transaction(run->service->db, SB_DEADLINE_INGEST, settle_one, one,
                             run->result, pool);
}

/* Thin events hold nothing: what was read for them is an event of its own. What was not gone on with yet
 * gets its job again. */
static sb_status_e settle_waiting(run_t *run, one_t *one, apr_pool_t *pool)
{
    if (one->row->state != SB_EVENT_RECEIVED) {
        return SB_OK;
    }
    run->rebuild->waiting++;
    return run->rebuild->dry_run ? SB_OK
                                 : sb_db_transaction(run->service->db, SB_DEADLINE_INGEST,
                                                     settle_one, one, run->result, pool);
}

static sb_status_e run_one(run_t *run, one_t *one, bool last, apr_pool_t *pool)
{
    sb_db_t *db = run->service->db;
    sb_status_e status =
        sb_db_read(db, SB_DEADLINE_INGEST, read_one, one, run->result, pool);

    if (status != SB_OK || !one->row) {
        return status;
    }
    if (!parse(one, pool)) {
        run->rebuild->bodies += !one->body;
        return SB_OK;
    }
    one->event.id = one->row->id;
    one->apply = sb_asserted_find(one->event.type, one->row->source);
    if (!one->apply && sb_ingest_foreign(run->service, &one->event)) {
        return SB_OK;
    }
    if (one->event.thin || one->row->state == SB_EVENT_RECEIVED) {
        return settle_waiting(run, one, pool);
    }
    one->apply = one->apply ? one->apply : sb_apply_find(one->event.type);
    run->rebuild->applied += !last;
    if (run->rebuild->dry_run) {
        return SB_OK;
    }
    status = sb_db_transaction(db, SB_DEADLINE_INGEST, apply_one, one, run->result, pool);
    if (status != SB_OK && strcmp(run->result->code, "database_refused") == 0) {
        sb_result_clear(run->result);
        status = SB_OK;
        sb_apply_end(&one->done, SB_APPLY_FAILED, "database_refused", NULL);
    }
    return status == SB_OK ? settle(run, one, last, pool) : status;
}

/* --- all of them -------------------------------------------------------------------------------- */

static sb_status_e run_page(run_t *run, apr_pool_t *page_pool)
{
    apr_pool_t *pool;
    sb_status_e status = SB_OK;

    apr_pool_create(&pool, page_pool);
    for (int i = 0; i < run->n && status == SB_OK; i++) {
        one_t one = {.run = run, .id = run->rows[i].id, .row = &run->rows[i]};
        apr_pool_clear(pool);
        run->rebuild->events++;
        status = run_one(run, &one, false, pool);
    }
    apr_pool_destroy(pool);
    return status;
}

static sb_status_e run_pages(run_t *run)
{
    apr_pool_t *pages[2]; /* the last row of one page is where the next begins */
    sb_status_e status;
    int turn = 0;

    apr_pool_create(&pages[0], run->pool);
    apr_pool_create(&pages[1], run->pool);
    do {
        apr_pool_clear(pages[turn]);
        status = sb_db_read(run->service->db, SB_DEADLINE_INGEST, read_page, run,
                            run->result, pages[turn]);
        if (status == SB_OK) {
            status = run_page(run, pages[turn]);
        }
        run->after = status == SB_OK && run->n ? &run->rows[run->n - 1] : NULL;
        turn = !turn;
    } while (run->after && run->n == PAGE);
    apr_pool_destroy(pages[0]);
    apr_pool_destroy(pages[1]);
    return status;
}

static sb_status_e run_late(run_t *run)
{
    apr_pool_t *pool;
    sb_status_e status = SB_OK;

    apr_pool_create(&pool, run->pool);
    for (int i = 0; i < run->late->nelts && status == SB_OK; i++) {
        one_t one = {.run = run, .id = APR_ARRAY_IDX(run->late, i, const char *)};
        apr_pool_clear(pool);
        status = run_one(run, &one, true, pool);
    }
    apr_pool_destroy(pool);
    return status;
}

sb_status_e sb_rebuild_run(sb_rebuild_t *rebuild, sb_result_t *result,
                           sb_service_t *service, apr_pool_t *pool)
{
    run_t run = {
        .service = service,
        .rebuild = rebuild,
        .result = result,
        .late = apr_array_make(pool, 8, sizeof(const char *)),
        .pool = pool,
    };

    *rebuild = (sb_rebuild_t){.dry_run = rebuild->dry_run};
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_INGEST, count_rows, &run, result, pool);
    if (status == SB_OK && rebuild->rows && !rebuild->dry_run) {
        return sb_result_set(result, SB_CONFLICT, "not_empty",
                             "The tables to rebuild are not empty.",
                             "rebuild into a database that subbillctl migrate has made");
    }
    if (status == SB_OK) {
        status = run_pages(&run);
    }
    return status == SB_OK ? run_late(&run) : status;
}
