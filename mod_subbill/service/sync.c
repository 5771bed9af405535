/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A walk goes from the newest object to the oldest, page by page; its position is the object handled last.
 * Which of our subscriptions Stripe does not list is seen without remembering what was listed:
 * whatever was made between two neighbours of the list must be on the page. Of disputes only ours that are under
 * way are asked for, one by one: they may last longer than events are kept, and how one ends opens or
 * closes a subscription. */
#include "service/sync.h"

#include "base/json.h"
#include "base/log.h"
#include "domain/stripe_event.h"
#include "service/gone.h"
#include "service/jobs.h"
#include "service/listing.h"
#include "store/disputes.h"
#include "store/subscriptions.h"

#include <apr_strings.h>
#include <string.h>

enum {
    GAPS_MAX = 100,  /* subscriptions of ours looked up per page */
    DISPUTES = 25,   /* of ours per page */
    TRIES = 5,       /* of a page, for a caller who waits */
    PAUSE_MAX_S = 30 /* between them */
};

/* Customers first: what belongs to whom is known then. */
static const char *const all_types[] = {"customers",     "products", "prices",
                                        "subscriptions", "invoices", "disputes"};

typedef struct walk_t {
    sb_service_t *service;
    sb_sync_t *sync;
    const char *type;
    const char *after;             /* the object handled last, or NULL; in pool */
    sb_subscription_place_t place; /* how far ours were compared; in pool */
    bool more;
    apr_time_t deadline;
    apr_pool_t *pool; /* outlives the pages */
} walk_t;

static walk_t walk_begin(sb_service_t *service, sb_sync_t *sync, const char *type,
                         apr_pool_t *pool)
{
    return (walk_t){
        .service = service,
        .sync = sync,
        .type = type,
        .place = {.created = APR_INT64_MAX, .id = SB_SUBSCRIPTION_ID_END},
        .pool = pool,
    };
}

static void place_set(walk_t *walk, apr_int64_t created, const char *id)
{
    walk->place =
        (sb_subscription_place_t){.created = created, .id = apr_pstrdup(walk->pool, id)};
}

/* Ours may have been compared further than to the object handled last. */
static void place_reach(walk_t *walk, const json_t *object)
{
    apr_int64_t created = sb_json_int(object, "created", walk->place.created);
    const char *id = sb_json_text(object, "id");

    if (created < walk->place.created ||
        (created == walk->place.created && strcmp(id, walk->place.id) < 0)) {
        place_set(walk, created, id);
    }
}

static bool type_known(const char *type)
{
    for (size_t i = 0; i < sizeof(all_types) / sizeof(*all_types); i++) {
        if (strcmp(all_types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

static sb_status_e types_check(const char *const **types, int *n, sb_result_t *result)
{
    if (*n == 0) {
        *types = all_types;
        *n = (int)(sizeof(all_types) / sizeof(*all_types));
    }
    for (int i = 0; i < *n; i++) {
        if (!type_known((*types)[i])) {
            return sb_result_set(result, SB_INVALID, "unknown_type",
                                 "There is no such type of objects.",
                                 "customers, products, prices, subscriptions, invoices, "
                                 "disputes");
        }
    }
    return SB_OK;
}

/* --- telling ------------------------------------------------------------------------------------ */

static void tell(const walk_t *walk, const char *id, const sb_difference_t *difference,
                 bool repaired)
{
    const sb_sync_difference_t told = {
        .type = walk->type,
        .id = id,
        .field = difference->field,
        .stored = difference->stored,
        .told = difference->told,
        .repaired = repaired,
    };

    if (walk->sync->report) {
        walk->sync->report(walk->sync->baton, &told);
    }
}

static void tell_drift(const walk_t *walk, const sb_drift_t *drift, bool repaired)
{
    walk->sync->differing++;
    walk->sync->repaired += repaired;
    for (int i = 0; i < drift->differences->nelts; i++) {
        tell(walk, drift->id, &APR_ARRAY_IDX(drift->differences, i, sb_difference_t),
             repaired);
    }
}

static void tell_one(const walk_t *walk, const char *id, const char *field,
                     const char *stored, const char *told, bool repaired)
{
    const sb_difference_t difference = {.field = field, .stored = stored, .told = told};

    walk->sync->differing++;
    walk->sync->repaired += repaired;
    tell(walk, id, &difference, repaired);
}

/* --- one object --------------------------------------------------------------------------------- */

/* An object that cannot be read is told, and the walk goes on. */
static sb_status_e compare(sb_drift_t *drift, const walk_t *walk, sb_result_t *result,
                           const json_t *object, apr_pool_t *pool)
{
    sb_status_e status =
        sb_drift_find(drift, result, walk->service, walk->type, object, pool);

    if (status == SB_INVALID) {
        tell_one(walk, sb_json_text(object, "id"), "unreadable", NULL, result->message,
                 false);
        sb_result_clear(result);
        drift->differences->nelts = 0;
        return SB_OK;
    }
    return status;
}

/* What was told meanwhile by somebody else is newer than the object, and no difference of ours. */
static sb_status_e repair(const walk_t *walk, sb_result_t *result,
                          const sb_drift_t *drift, const json_t *object, apr_pool_t *pool)
{
    sb_status_e status = SB_OK;
    sb_drift_t left = *drift;
    bool applied = false;

    if (!walk->sync->dry_run && drift->repairable) {
        status = sb_drift_repair(&applied, result, walk->service, drift, object, pool);
        if (status == SB_OK) {
            status =
                sb_drift_find(&left, result, walk->service, walk->type, object, pool);
        }
    }
    if (status == SB_OK && (applied || strcmp(left.stamp, drift->stamp) == 0)) {
        tell_drift(walk, drift, left.differences->nelts == 0);
    }
    return status;
}

static const json_t *listed(const sb_stripe_page_t *page, const char *id)
{
    for (int i = 0; i < page->n; i++) {
        const json_t *object = json_array_get(page->data, (size_t)i);
        if (strcmp(sb_json_text(object, "id"), id) == 0) {
            return object;
        }
    }
    return NULL;
}

/* The ids of prices and products may be their makers' choice. Only ids of Stripe's own making enter a path;
 * others are looked up where they were listed. */
static sb_status_e read_again(const json_t **object, const walk_t *walk,
                              sb_result_t *result, const char *id, apr_pool_t *pool)
{
    const sb_stripe_list_t list = {.of = walk->type, .after = walk->after};
    sb_stripe_page_t page;
    json_t *single;

    if (sb_stripe_id_valid(id)) {
        sb_status_e status = sb_listing_object(&single, result, walk->service,
                                               sb_stripe_list_kind(walk->type), id, pool);
        *object = single;
        return status;
    }
    sb_status_e status = sb_listing_page(&page, result, walk->service, list, pool);
    *object = status == SB_OK ? listed(&page, id) : NULL;
    return status == SB_OK && !*object ? SB_NOT_FOUND : status;
}

/* What the list said may be older than what a webhook told while it was on its way: the object is read
 * again, after the mirror was. When the mirror has moved since, somebody else was faster. */
static sb_status_e look_again(const walk_t *walk, sb_result_t *result,
                              const sb_drift_t *before, apr_pool_t *pool)
{
    sb_drift_t now = {.differences = NULL};
    const json_t *object;
    sb_status_e status = read_again(&object, walk, result, before->id, pool);

    if (status == SB_NOT_FOUND) { /* gone between two calls */
        sb_result_clear(result);
        return SB_OK;
    }
    if (status == SB_OK) {
        status = compare(&now, walk, result, object, pool);
    }
    if (status != SB_OK || now.differences->nelts == 0 ||
        strcmp(now.stamp, before->stamp) != 0) {
        return status;
    }
    return repair(walk, result, &now, object, pool);
}

static sb_status_e handle(const walk_t *walk, sb_result_t *result, const json_t *object,
                          apr_pool_t *pool)
{
    sb_drift_t drift;
    sb_status_e status = compare(&drift, walk, result, object, pool);

    walk->sync->seen++;
    if (status != SB_OK || drift.differences->nelts == 0) {
        return status;
    }
    return drift.known ? look_again(walk, result, &drift, pool)
                       : repair(walk, result, &drift, object, pool);
}

/* --- subscriptions that are not listed ------------------------------------------------------------ */

typedef struct gaps_t {
    bool livemode;
    sb_subscription_place_t place;
    apr_int64_t oldest;
    sb_subscription_place_t *subs;
    int n;
} gaps_t;

static apr_status_t read_gaps(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    gaps_t *gaps = baton;

    return sb_subscription_open_after(&gaps->subs, &gaps->n, conn, gaps->livemode,
                                      &gaps->place, gaps->oldest, GAPS_MAX, pool);
}

/* Stripe's word about one that it did not list: on test clocks, it lists none. */
static sb_status_e handle_unlisted(const walk_t *walk, sb_result_t *result,
                                   const char *id, apr_pool_t *pool)
{
    sb_drift_t drift = {.differences = NULL};
    sb_gone_t gone;
    json_t *object;
    sb_status_e status = sb_gone_look(&gone, result, walk->service, id, pool);

    if (status == SB_OK) {
        status =
            sb_listing_object(&object, result, walk->service, "subscription", id, pool);
    }
    if (status == SB_OK) {
        status = compare(&drift, walk, result, object, pool);
        return status != SB_OK || drift.differences->nelts == 0 ||
                       strcmp(drift.stamp, gone.stamp) != 0
                   ? status
                   : repair(walk, result, &drift, object, pool);
    }
    if (status != SB_NOT_FOUND) {
        return status;
    }
    sb_result_clear(result);
    status = sb_gone_end(&gone, result, walk->service, walk->sync->dry_run, pool);
    if (status == SB_OK && !gone.over) {
        tell_one(walk, id, "missing_at_stripe", gone.status, NULL, gone.ended);
    }
    return status;
}

/* *cut: there was no time for all of them, and the walk's place tells how far it came. Those at the ends of
 * the span may be on the pages beside this one; asking for them does no harm. */
static sb_status_e handle_gaps(bool *cut, walk_t *walk, sb_result_t *result,
                               const sb_stripe_page_t *page, apr_pool_t *pool)
{
    const json_t *last = page->n ? json_array_get(page->data, (size_t)page->n - 1) : NULL;
    gaps_t gaps = {.livemode = walk->service->settings->live,
                   .oldest = page->more ? sb_json_int(last, "created", 0) : 0};
    sb_status_e status;

    *cut = false;
    do {
        gaps.place = walk->place;
        status = sb_db_read(walk->service->db, SB_DEADLINE_PAGE, read_gaps, &gaps, result,
                            pool);
        for (int i = 0; status == SB_OK && i < gaps.n && !*cut; i++) {
            if (!listed(page, gaps.subs[i].id)) {
                status = handle_unlisted(walk, result, gaps.subs[i].id, pool);
                *cut = sb_listing_overdue(walk->deadline);
            }
            if (status == SB_OK) {
                place_set(walk, gaps.subs[i].created, gaps.subs[i].id);
            }
        }
    } while (status == SB_OK && gaps.n == GAPS_MAX && !*cut);
    return status;
}

/* --- disputes that are under way ----------------------------------------------------------------- */

typedef struct open_t {
    bool livemode;
    const char *after;
    sb_dispute_t *disputes;
    int n;
} open_t;

static apr_status_t read_open(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    open_t *open = baton;

    return sb_dispute_open(&open->disputes, &open->n, conn, open->livemode,
                           open->after ? open->after : "", DISPUTES, pool);
}

static sb_status_e handle_dispute(const walk_t *walk, sb_result_t *result,
                                  const sb_dispute_t *stored, apr_pool_t *pool)
{
    sb_drift_t drift = {.differences = NULL};
    json_t *object;
    sb_status_e status =
        sb_listing_object(&object, result, walk->service, "dispute", stored->id, pool);

    walk->sync->seen++;
    if (status == SB_NOT_FOUND) {
        sb_result_clear(result);
        tell_one(walk, stored->id, "missing_at_stripe", stored->status, NULL, false);
        return SB_OK;
    }
    if (status == SB_OK) {
        status = compare(&drift, walk, result, object, pool);
    }
    return status != SB_OK || drift.differences->nelts == 0 ||
                   drift.stated_at != stored->told_at
               ? status
               : repair(walk, result, &drift, object, pool);
}

static sb_status_e walk_disputes(walk_t *walk, sb_result_t *result, apr_pool_t *pool)
{
    open_t open = {.livemode = walk->service->settings->live, .after = walk->after};
    bool cut = false;

    walk->deadline = sb_listing_deadline();
    sb_status_e status =
        sb_db_read(walk->service->db, SB_DEADLINE_PAGE, read_open, &open, result, pool);

    for (int i = 0; status == SB_OK && i < open.n && !cut; i++) {
        status = handle_dispute(walk, result, &open.disputes[i], pool);
        if (status == SB_OK) {
            walk->after = apr_pstrdup(walk->pool, open.disputes[i].id);
            cut = sb_listing_overdue(walk->deadline);
        }
    }
    walk->more = status == SB_OK && (open.n == DISPUTES || cut);
    return status;
}

/* --- one page --------------------------------------------------------------------------------------- */

static sb_status_e walk_page(walk_t *walk, sb_result_t *result, apr_pool_t *pool)
{
    const sb_stripe_list_t list = {.of = walk->type, .after = walk->after};
    bool cut = false;
    sb_stripe_page_t page;

    if (strcmp(walk->type, "disputes") == 0) {
        return walk_disputes(walk, result, pool);
    }
    walk->deadline = sb_listing_deadline();
    sb_status_e status = sb_listing_page(&page, result, walk->service, list, pool);
    if (status == SB_NOT_FOUND &&
        walk->after) { /* deleted since: once more from the newest */
        sb_result_clear(result);
        *walk = walk_begin(walk->service, walk->sync, walk->type, walk->pool);
        walk->more = true;
        return SB_OK;
    }
    if (status == SB_OK && strcmp(walk->type, "subscriptions") == 0) {
        status = handle_gaps(&cut, walk, result, &page, pool);
    }
    for (int i = 0; status == SB_OK && i < page.n && !cut; i++) {
        const json_t *object = json_array_get(page.data, (size_t)i);

        status = handle(walk, result, object, pool);
        if (status == SB_OK) {
            walk->after = apr_pstrdup(walk->pool, sb_json_text(object, "id"));
            place_reach(walk, object);
            cut = i + 1 < page.n && sb_listing_overdue(walk->deadline);
        }
    }
    walk->more = status == SB_OK && (page.more || cut);
    return status;
}

/* --- as a job ---------------------------------------------------------------------------------------- */

static void log_difference(void *baton, const sb_sync_difference_t *difference)
{
    bool missing = strcmp(difference->field, "missing_here") == 0;

    /* A first walk finds everything missing. */
    sb_log(missing ? SB_LOG_INFO : SB_LOG_NOTICE, 0, "SB444",
           "sync %s %s: %s was %s, Stripe says %s%s", difference->type, difference->id,
           difference->field, difference->stored ? difference->stored : "nothing",
           difference->told ? difference->told : "nothing",
           difference->repaired ? "" : "; not repaired");
}

static void resume(walk_t *walk, const char *payload, apr_pool_t *pool)
{
    char error[100];
    json_t *json;

    if (payload &&
        sb_json_parse(&json, error, sizeof(error), payload, strlen(payload), 4)) {
        sb_service_own(json, pool);
        walk->after = sb_json_text(json, "after");
        walk->place.created = sb_json_int(json, "created", APR_INT64_MAX);
        walk->place.id = sb_json_text(json, "id");
        walk->place.id = walk->place.id ? walk->place.id : SB_SUBSCRIPTION_ID_END;
    }
}

static const char *position_write(const walk_t *walk, apr_pool_t *pool)
{
    json_t *json = json_pack("{s:s*, s:I, s:s}", "after", walk->after, "created",
                             (json_int_t)walk->place.created, "id", walk->place.id);

    return json ? sb_json_dump(sb_service_own(json, pool), pool) : NULL;
}

sb_status_e sb_step_sync(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                         apr_pool_t *pool)
{
    sb_sync_t sync = {.report = log_difference};
    walk_t walk = walk_begin(service, &sync, step->job->subject, pool);

    if (!type_known(walk.type)) {
        return sb_result_set(result, SB_INVALID, "unknown_type",
                             "There is no such type of objects.", NULL);
    }
    resume(&walk, step->job->payload, pool);
    sb_status_e status = walk_page(&walk, result, pool);
    if (status == SB_OK && walk.more) {
        step->again = true;
        step->payload = position_write(&walk, pool);
    }
    return status;
}

typedef struct wish_t {
    bool livemode;
    const char *const *types;
    int n;
} wish_t;

static apr_status_t put(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const wish_t *wish = baton;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < wish->n; i++) {
        rv = sb_job_enqueue(conn, SB_JOB_SYNC, wish->types[i], wish->livemode, NULL, 0,
                            pool);
    }
    return rv;
}

sb_status_e sb_sync_start(sb_result_t *result, sb_service_t *service,
                          const char *const *types, int n, apr_pool_t *pool)
{
    wish_t wish = {.livemode = service->settings->live, .types = types, .n = n};
    sb_status_e status = types_check(&wish.types, &wish.n, result);

    return status != SB_OK ? status
                           : sb_db_transaction(service->db, SB_DEADLINE_PAGE, put, &wish,
                                               result, pool);
}

/* --- as a call --------------------------------------------------------------------------------------- */

/* Stripe, or our own pace, asked for patience. */
static bool may_wait(sb_status_e status, const sb_result_t *result)
{
    return status == SB_UNAVAILABLE && result->retry_after > 0;
}

static sb_status_e run_type(walk_t *walk, sb_result_t *result, apr_pool_t *pool)
{
    sb_status_e status = SB_OK;
    apr_pool_t *page;
    int tries = 0;

    if (apr_pool_create(&page, pool) != APR_SUCCESS) {
        return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.", NULL);
    }
    do {
        sb_result_t trouble;
        sb_result_clear(&trouble);
        apr_pool_clear(page);
        status = walk_page(walk, &trouble, page);
        tries = status == SB_OK ? 0 : tries + 1;
        if (may_wait(status, &trouble) && tries < TRIES) {
            apr_sleep(apr_time_from_sec(
                trouble.retry_after > PAUSE_MAX_S ? PAUSE_MAX_S : trouble.retry_after));
            continue;
        }
        if (status != SB_OK) {
            *result = trouble;
            result->message = apr_pstrdup(pool, trouble.message);
            result->hint = apr_pstrdup(pool, trouble.hint);
            return status;
        }
    } while (walk->more || status != SB_OK);
    apr_pool_destroy(page);
    return status;
}

sb_status_e sb_sync_run(sb_sync_t *sync, sb_result_t *result, sb_service_t *service,
                        apr_pool_t *pool)
{
    const char *const *types = sync->types;
    int n = sync->n;
    sb_status_e status = types_check(&types, &n, result);

    sync->seen = sync->differing = sync->repaired = 0;
    for (int i = 0; status == SB_OK && i < n; i++) {
        walk_t walk = walk_begin(service, sync, types[i], pool);
        status = run_type(&walk, result, pool);
    }
    return status;
}
