/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What a user holds, as cheaply as it can be known for certain: remembered by the client's own request
 * for all its internal ones, else from the process's cache, else by one query, which one thread sends for
 * all that wait for the same user. What is cached counts only while this host hears the others (a look
 * at the database four times a second, by whichever request finds it due). When the database is away
 * and SubbillStale allows, what was last known to hold goes on holding for so long. */
#include "web/module.h"

#include "base/clock.h"
#include "base/log.h"
#include "service/access.h"

#include <apr_strings.h>

enum { POLL_DEADLINE_MS = 500 };

typedef struct asked_t {
    const sb_server_t *server;
    sb_holding_t *holding; /* where the answer goes */
    const char *user;
    int grace_days;
    int stale_seconds;
    apr_pool_t *pool;
    sb_cache_key_t key;
    apr_int64_t now;
} asked_t;

/* Whether other hosts' changes are known up to a moment ago. */
static bool is_hearing(const sb_server_t *server, apr_time_t monotonic, apr_pool_t *pool)
{
    sb_epoch_watch_t *watch = server->watch;

    if (sb_epoch_watch_claim(watch, monotonic)) {
        sb_result_t ignored; /* the store has logged it */
        sb_result_clear(&ignored);
        sb_epoch_watch_poll(watch, server->service->db, POLL_DEADLINE_MS, &ignored, pool);
    }
    apr_time_t age = monotonic - sb_epoch_watch_polled_at(watch);
    return age <= SB_EPOCH_STALE && -age <= SB_EPOCH_STALE;
}

static bool load(asked_t *asked)
{
    const sb_server_t *server = asked->server;
    sb_holding_t *holding = asked->holding;
    sb_cache_term_t term = {.slot = sb_epoch_slot(asked->user)};
    sb_snapshot_t *snapshot;
    sb_result_t result;

    sb_result_clear(&result);
    term.epoch = sb_epochs_get(server->epochs, term.slot);
    if (sb_access_load(&snapshot, &result, server->service, asked->user, asked->pool) !=
        SB_OK) {
        return false;
    }
    /* A host whose clock went back opens nothing that has ended by the database's. */
    term.now = snapshot->read_at > asked->now ? snapshot->read_at : asked->now;
    *holding =
        sb_entitlement_hold(server->catalog, snapshot, term.now, asked->grace_days);
    term.boundary = holding->boundary;
    term.negative = !holding->paid && !holding->unmapped;
    sb_cache_put(server->holdings, &asked->key, &term, holding);
    return true;
}

/* One query, however many miss the same user at once. */
static bool load_once(asked_t *asked)
{
    sb_cache_t *cache = asked->server->holdings;
    apr_time_t deadline = sb_clock_monotonic() + apr_time_from_msec(SB_DEADLINE_GATE);
    sb_cache_claim_t claim;

    switch (sb_cache_claim(&claim, cache, &asked->key, deadline)) {
    case SB_CACHE_YOURS: {
        bool loaded = load(asked);
        sb_cache_unclaim(&claim, cache, loaded);
        return loaded;
    }
    case SB_CACHE_AGAIN:
        return sb_cache_get(asked->holding, cache, &asked->key, asked->now,
                            sb_clock_monotonic()) ||
               load(asked);
    default:
        return false;
    }
}

/* What was known last, if it was still known to hold no longer ago than SubbillStale allows. */
static bool recall(asked_t *asked)
{
    const sb_server_t *server = asked->server;
    apr_time_t known_at;

    if (asked->stale_seconds <= 0 ||
        !sb_cache_last(asked->holding, &known_at, server->holdings, &asked->key,
                       asked->now)) {
        return false;
    }
    apr_time_t now = sb_clock_monotonic();
    apr_time_t polled_at = sb_epoch_watch_polled_at(server->watch);
    /* One that lies ahead is from before the machine's last start. */
    apr_time_t sure = polled_at > known_at && polled_at <= now ? polled_at : known_at;
    return now - sure <= apr_time_from_sec(asked->stale_seconds);
}

/* When the cache does not know. */
static bool ask(bool *stale, sb_reason_e *reason, asked_t *asked)
{
    if (!sb_request_name_taken(asked->user, reason)) {
        return false;
    }
    asked->now = sb_clock_now();
    if (load_once(asked)) {
        return true;
    }
    *stale = recall(asked);
    if (!*stale) {
        *reason = SB_REASON_UNAVAILABLE;
    }
    return *stale;
}

bool sb_holding_ask(sb_holding_t *holding, const sb_server_t *server, const char *user,
                    int grace_days, apr_pool_t *pool)
{
    apr_time_t monotonic = sb_clock_monotonic();
    asked_t asked = {.server = server,
                     .holding = holding,
                     .user = user,
                     .grace_days = grace_days,
                     .pool = pool,
                     .now = sb_clock_now()};

    if (!server->service ||
        !sb_cache_key(&asked.key, server->holdings, user, strlen(user), grace_days)) {
        return false;
    }
    return (is_hearing(server, monotonic, pool) &&
            sb_cache_get(holding, server->holdings, &asked.key, asked.now, monotonic)) ||
           load_once(&asked);
}

const sb_holding_t *sb_holding_of(bool *stale, sb_reason_e *reason, request_rec *r,
                                  const char *name)
{
    const sb_server_t *server = sb_server_of(r->server);
    request_rec *top = sb_request_top(r);
    sb_request_t *memo = sb_request_of(top);
    int grace_days = sb_dir_of(r)->grace_days;
    sb_cache_key_t key;

    *reason = SB_REASON_OK;
    *stale = false;
    grace_days = grace_days > 0 ? grace_days : 0;
    if (memo->holder && memo->holder_grace == grace_days &&
        strcmp(memo->holder, name) == 0 &&
        (!memo->holding_stale || sb_dir_of(r)->stale_seconds >= memo->stale_seconds)) {
        *stale = memo->holding_stale;
        return &memo->holding;
    }
    memo->holder = NULL;
    if (!server->service) {
        *reason = SB_REASON_UNAVAILABLE;
        return NULL;
    }
    apr_time_t monotonic = sb_clock_monotonic();
    /* Names that we do not take are never in the cache. Time alone ends an entry by the monotonic clock;
     * the request's is for wall clocks that leap. */
    if (!sb_cache_key(&key, server->holdings, name, strlen(name), grace_days) ||
        !is_hearing(server, monotonic, r->pool) ||
        !sb_cache_get(&memo->holding, server->holdings, &key,
                      apr_time_sec(r->request_time), monotonic)) {
        asked_t asked = {.server = server,
                         .holding = &memo->holding,
                         .user = name,
                         .grace_days = grace_days,
                         .stale_seconds = sb_dir_of(r)->stale_seconds,
                         .pool = r->pool,
                         .key = key};
        if (!ask(stale, reason, &asked)) {
            return NULL;
        }
    }
    memo->holder = r == top ? name : apr_pstrdup(top->pool, name);
    memo->holder_grace = grace_days;
    memo->holding_stale = *stale;
    memo->stale_seconds = sb_dir_of(r)->stale_seconds;
    return &memo->holding;
}
