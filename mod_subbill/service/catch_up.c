/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Stripe lists the newest first, and we want the oldest first: a reader that is killed then leaves nothing
 * behind it unread, and the cursor may follow every page. So the list is read forward, each page
 * being what is next newer than an id. Where that id is unknown (the first time) or no longer
 * listed (30 days), the list is walked backward once, to find the oldest event there is.
 *
 * The cursor is an event that is some minutes old, although newer ones were read: an event may be listed a
 * little later than its time says, and reading what is known already costs nothing but a look at
 * its id. */
#include "service/catch_up.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "service/apply.h"
#include "service/ingest.h"
#include "service/jobs.h"
#include "service/listing.h"
#include "service/sync.h"
#include "store/progress.h"

#include <apr_strings.h>
#include <string.h>

/* Rows of progress: the cursor (its id, its time), and when the list was last read to its end. */
#define CURSOR "events"
#define LOOKED "events_looked"

enum {
    OVERLAP = 300,           /* seconds */
    DAILY = 86400,           /* the list is read so often in any case */
    FIRST_PAST = 86400,      /* the first time, unless older events are stored */
    KEPT = 30 * 86400,       /* Stripe keeps events so long */
    SURELY_KEPT = 29 * 86400 /* and the cursor is not asked for when it may be gone */
};

/* Where a step begins. */
typedef struct position_t {
    const char *before; /* forward: what is newer than this event */
    const char
        *after; /* backward: what is older than this event; NULL: from the newest on */
    apr_int64_t since; /* backward: no further than this */
} position_t;

typedef struct memory_t {
    sb_progress_t cursor, looked;
    apr_int64_t first; /* sb_event_first() */
    bool livemode;
} memory_t;

static apr_status_t recall(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    memory_t *memory = baton;
    bool live = memory->livemode;
    apr_status_t rv = sb_progress_get(&memory->cursor, conn, CURSOR, live, pool);

    if (rv == APR_SUCCESS) {
        rv = sb_progress_get(&memory->looked, conn, LOOKED, live, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = sb_event_first(&memory->first, conn, live, pool);
    }
    return rv;
}

/* --- the job's payload ------------------------------------------------------------------------- */

static const char *position_write(const position_t *position, apr_pool_t *pool)
{
    json_t *json = json_pack("{s:s*, s:s*, s:I}", "before", position->before, "after",
                             position->after, "since", (json_int_t)position->since);

    return json ? sb_json_dump(sb_service_own(json, pool), pool) : NULL;
}

static bool position_read(position_t *position, const char *payload, apr_pool_t *pool)
{
    char error[100];
    json_t *json;

    if (!payload ||
        !sb_json_parse(&json, error, sizeof(error), payload, strlen(payload), 4)) {
        return false;
    }
    sb_service_own(json, pool);
    *position = (position_t){.before = sb_json_text(json, "before"),
                             .after = sb_json_text(json, "after"),
                             .since = sb_json_int(json, "since", 0)};
    return position->before || position->since > 0;
}

/* --- beginning ---------------------------------------------------------------------------------- */

static apr_int64_t later(apr_int64_t a, apr_int64_t b)
{
    return a > b ? a : b;
}

/* How far the list has to be walked back when there is no id to begin at. */
static apr_int64_t past(const memory_t *memory, apr_int64_t now)
{
    apr_int64_t since = now - FIRST_PAST;

    if (memory->cursor.value) {
        since = memory->cursor.reached_at - OVERLAP;
    }
    else if (memory->first && memory->first < since) {
        since = memory->first;
    }
    return later(since, now - KEPT);
}

/* Events of that time can no longer be read: what they did is read instead. Deliveries that come again say
 * nothing about those that did not. */
static sb_status_e sync_after_long_silence(sb_result_t *result, sb_service_t *service,
                                           const memory_t *memory, apr_int64_t now,
                                           apr_pool_t *pool)
{
    apr_int64_t last = later(memory->looked.reached_at, memory->cursor.reached_at);

    last = last ? last : memory->first;
    if (!last || last >= now - KEPT) {
        return SB_OK;
    }
    sb_log(
        SB_LOG_NOTICE, 0, "SB440",
        "events were last read more than 30 days ago, which is as long as Stripe keeps "
        "them: everything is compared with Stripe");
    return sb_sync_start(result, service, NULL, 0, pool);
}

static sb_status_e begin(position_t *position, sb_result_t *result, sb_service_t *service,
                         bool cursor_gone, apr_pool_t *pool)
{
    apr_int64_t now = sb_clock_now();
    memory_t memory = {.livemode = service->settings->live};
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_PAGE, recall, &memory, result, pool);

    if (status == SB_OK && !cursor_gone) {
        status = sync_after_long_silence(result, service, &memory, now, pool);
    }
    *position = (position_t){.since = past(&memory, now)};
    if (memory.cursor.value && memory.cursor.reached_at > now - SURELY_KEPT &&
        !cursor_gone) {
        position->before = memory.cursor.value;
    }
    return status;
}

/* --- applying ----------------------------------------------------------------------------------- */

/* The newest event of this page that may become the cursor, and whether the list has ended. */
typedef struct mark_t {
    bool livemode;
    const char *id;
    apr_int64_t created;
    bool ended;
    apr_int64_t now;
} mark_t;

static apr_status_t mark(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const mark_t *at = baton;
    apr_status_t rv = APR_SUCCESS;

    if (at->id) {
        rv = sb_progress_set(conn, CURSOR, at->livemode, at->id, at->created, pool);
    }
    if (rv == APR_SUCCESS && at->ended) {
        rv = sb_progress_set(conn, LOOKED, at->livemode, "", at->now, pool);
    }
    return rv;
}

/* What cannot be read as an event is told and left: it must not keep what follows from coming in. What would
 * change nothing is not kept either: the list holds the account's other business, too. */
static sb_status_e let_in(sb_result_t *result, sb_service_t *service, const json_t *event,
                          apr_pool_t *pool)
{
    sb_ingest_t outcome;
    sb_result_t trouble;

    if (!sb_apply_find(sb_json_text(event, "type"))) {
        return SB_OK;
    }
    const char *body = sb_json_dump(event, pool);
    if (!body) {
        return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.", NULL);
    }
    sb_result_clear(&trouble);
    sb_status_e status = sb_ingest_event(&outcome, &trouble, service, SB_SOURCE_EVENTS,
                                         body, strlen(body), pool);
    if (status == SB_INVALID || status == SB_TOO_LARGE) {
        sb_log(SB_LOG_WARNING, 0, "SB441", "event %s in Stripe's list is left out: %s",
               sb_json_text(event, "id"), trouble.message);
        return SB_OK;
    }
    if (status != SB_OK) {
        *result = trouble;
    }
    return status;
}

/* From the oldest to the newest; *last is the one that was let in last, *cut: time was up. */
static sb_status_e let_all_in(const char **last, bool *cut, mark_t *at,
                              sb_result_t *result, sb_service_t *service,
                              const sb_stripe_page_t *page, apr_pool_t *pool)
{
    apr_time_t deadline = sb_listing_deadline();
    sb_status_e status = SB_OK;
    apr_pool_t *each;

    *cut = false;
    if (apr_pool_create(&each, pool) != APR_SUCCESS) {
        return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.", NULL);
    }
    for (int i = page->n - 1; i >= 0 && status == SB_OK && !*cut; i--) {
        const json_t *event = json_array_get(page->data, (size_t)i);
        apr_int64_t created = sb_json_int(event, "created", at->now);

        status = let_in(result, service, event, each);
        if (status == SB_OK) {
            *last = sb_json_text(event, "id");
            *cut = i > 0 && sb_listing_overdue(deadline);
            if (created <= at->now - OVERLAP) {
                at->id = *last;
                at->created = created;
            }
        }
        if (status == SB_OK) { /* else the result's words are in there */
            apr_pool_clear(each);
        }
    }
    return status;
}

/* Everything of this page, then the cursor: whoever is killed in between reads some events twice. */
static sb_status_e take_page(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                             const position_t *from, const sb_stripe_page_t *page,
                             apr_pool_t *pool)
{
    mark_t at = {.livemode = service->settings->live, .now = sb_clock_now()};
    position_t next = {.before = from->before, .since = from->since};
    bool cut;
    sb_status_e status = let_all_in(&next.before, &cut, &at, result, service, page, pool);

    if (status != SB_OK) {
        return status;
    }
    /* What came while the list was walked back is in no page that was read. */
    step->again = cut || page->more || from->after;
    step->payload = step->again ? position_write(&next, pool) : NULL;
    at.ended = !step->again;
    return sb_db_transaction(service->db, SB_DEADLINE_PAGE, mark, &at, result, pool);
}

/* --- one step ----------------------------------------------------------------------------------- */

static sb_status_e forward(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                           const position_t *from, apr_pool_t *pool)
{
    const sb_stripe_list_t list = {.of = "events", .before = from->before};
    sb_stripe_page_t page;
    sb_status_e status = sb_listing_page(&page, result, service, list, pool);

    return status == SB_OK ? take_page(step, result, service, from, &page, pool) : status;
}

static sb_status_e backward(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                            const position_t *from, apr_pool_t *pool)
{
    const sb_stripe_list_t list = {
        .of = "events", .after = from->after, .since = from->since};
    sb_stripe_page_t page;
    sb_status_e status = sb_listing_page(&page, result, service, list, pool);

    if (status != SB_OK) {
        return status;
    }
    if (!page.more) { /* the oldest ones */
        return take_page(step, result, service, from, &page, pool);
    }
    const position_t next = {
        .after = sb_json_text(json_array_get(page.data, (size_t)page.n - 1), "id"),
        .since = from->since};
    step->again = true;
    step->payload = position_write(&next, pool);
    return SB_OK;
}

sb_status_e sb_step_catch_up(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                             apr_pool_t *pool)
{
    sb_status_e status = SB_OK;
    position_t from;

    if (!position_read(&from, step->job->payload, pool)) {
        status = begin(&from, result, service, false, pool);
    }
    if (status == SB_OK && from.before) {
        status = forward(step, result, service, &from, pool);
        if (status != SB_NOT_FOUND) {
            return status;
        }
        sb_log(
            SB_LOG_INFO, 0, "SB442",
            "Stripe no longer lists event %s, after which events were to be read; they "
            "are looked for by their time",
            from.before);
        sb_result_clear(result);
        status = begin(&from, result, service, true, pool);
    }
    return status == SB_OK ? backward(step, result, service, &from, pool) : status;
}

/* --- when ----------------------------------------------------------------------------------------- */

typedef struct tend_t {
    bool livemode;
    bool after_start;
    int age; /* seconds */
    apr_int64_t now;
    bool wished;
} tend_t;

/* One that was given up is tried again after a start, or when it has rested. */
static bool wanted(const sb_job_t *job, const tend_t *tending)
{
    if (!job) {
        return true;
    }
    return job->state == SB_JOB_PARKED &&
           (tending->after_start || job->run_at <= tending->now - tending->age);
}

/* Neither a delivery nor a look at the list for so long; or no look for a day, since deliveries that come
 * say nothing about those that do not. */
static apr_status_t look_due(bool *due, const tend_t *tending, sb_conn_t *conn,
                             apr_pool_t *pool)
{
    apr_int64_t long_ago = tending->now - tending->age, heard = 0;
    sb_progress_t looked;
    apr_status_t rv = sb_progress_get(&looked, conn, LOOKED, tending->livemode, pool);

    *due = false;
    if (rv != APR_SUCCESS || looked.reached_at > long_ago) {
        return rv;
    }
    bool a_day = looked.reached_at <= tending->now - DAILY; /* never: long ago */
    if (!a_day) {
        rv = sb_event_heard(&heard, conn, SB_SOURCE_WEBHOOK, tending->livemode,
                            long_ago + 1, pool);
    }
    *due = rv == APR_SUCCESS && !heard;
    return rv;
}

static apr_status_t tend(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    tend_t *tending = baton;
    sb_job_t *job = NULL;
    apr_status_t rv = sb_job_get(&job, conn, SB_JOB_CATCH_UP, SB_CATCH_UP_SUBJECT,
                                 tending->livemode, pool);

    tending->wished = false;
    if (rv != APR_SUCCESS || !wanted(job, tending)) {
        return rv;
    }
    tending->wished = tending->after_start;
    if (!tending->after_start) {
        rv = look_due(&tending->wished, tending, conn, pool);
    }
    return rv != APR_SUCCESS || !tending->wished
               ? rv
               : sb_job_enqueue(conn, SB_JOB_CATCH_UP, SB_CATCH_UP_SUBJECT,
                                tending->livemode, NULL, 0, pool);
}

sb_status_e sb_catch_up_tend(sb_result_t *result, sb_service_t *service, bool after_start,
                             apr_pool_t *pool)
{
    tend_t tending = {.livemode = service->settings->live,
                      .after_start = after_start,
                      .age = service->settings->catch_up,
                      .now = sb_clock_now()};

    if (!service->stripe || tending.age <= 0) {
        return SB_OK;
    }
    sb_status_e status =
        sb_db_transaction(service->db, SB_DEADLINE_PAGE, tend, &tending, result, pool);
    if (status == SB_OK && tending.wished && !after_start) {
        sb_log(SB_LOG_INFO, 0, "SB443",
               "Stripe's list of events is read: for a day it was not, or no webhook was "
               "delivered for %d s (SubbillCatchUp)",
               tending.age);
    }
    return status;
}
