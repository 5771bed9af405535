/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Other hosts are heard by a look at the database four times a second, by whichever request finds it due. */
#include "web/asked.h"

#include "base/clock.h"
#include "web/metrics.h"

enum { POLL_DEADLINE_MS = 500 };

static int milliseconds_left(const sb_asked_t *asked)
{
    apr_time_t used = sb_clock_monotonic() - asked->began;
    int left = SB_DEADLINE_GATE - (int)apr_time_as_msec(used);

    return left > 1 ? left : 1;
}

/* Whether other hosts' changes are known up to a moment ago. */
static bool is_hearing(const sb_asked_t *asked)
{
    const sb_server_t *server = asked->server;
    sb_epoch_watch_t *watch = server->watch;

    if (sb_epoch_watch_claim(watch, asked->began)) {
        sb_result_t ignored; /* the store has logged it */
        sb_result_clear(&ignored);
        sb_epoch_watch_poll(watch, server->service->db, POLL_DEADLINE_MS, &ignored,
                            asked->pool);
    }
    apr_time_t age = asked->began - sb_epoch_watch_polled_at(watch);
    return age <= SB_EPOCH_STALE && -age <= SB_EPOCH_STALE;
}

static bool load(sb_asked_t *asked)
{
    sb_cache_term_t term = {.slot = sb_epoch_slot(asked->user), .now = asked->now};
    sb_result_t result;

    sb_result_clear(&result);
    term.epoch = sb_epochs_get(asked->server->epochs, term.slot);
    sb_metrics_count(SB_METRIC_QUERIES, term.slot);
    if (asked->load(asked, &term, &result, milliseconds_left(asked)) != SB_OK) {
        return false;
    }
    sb_cache_put(asked->cache, &asked->key, &term, asked->answer);
    return true;
}

/* One query, however many miss the same key at once. */
static bool load_once(sb_asked_t *asked)
{
    apr_time_t deadline = asked->began + apr_time_from_msec(SB_DEADLINE_GATE);
    sb_cache_claim_t claim;

    switch (sb_cache_claim(&claim, asked->cache, &asked->key, deadline)) {
    case SB_CACHE_YOURS: {
        bool loaded = load(asked);
        sb_cache_unclaim(&claim, asked->cache, loaded);
        return loaded;
    }
    case SB_CACHE_AGAIN:
        return sb_cache_get(asked->answer, asked->cache, &asked->key, asked->now,
                            sb_clock_monotonic()) ||
               load(asked);
    default:
        return false;
    }
}

/* What was known last, if it was still known to hold no longer ago than SubbillStale allows. */
static bool recall(sb_asked_t *asked)
{
    apr_time_t known_at;

    if (asked->stale_seconds <= 0 ||
        !sb_cache_last(asked->answer, &known_at, asked->cache, &asked->key, asked->now)) {
        return false;
    }
    apr_time_t now = sb_clock_monotonic();
    apr_time_t polled_at = sb_epoch_watch_polled_at(asked->server->watch);
    /* One that lies ahead is from before the machine's last start. */
    apr_time_t sure = polled_at > known_at && polled_at <= now ? polled_at : known_at;
    return now - sure <= apr_time_from_sec(asked->stale_seconds);
}

bool sb_asked_begin(sb_asked_t *asked, const char *bytes, apr_size_t length, int variant)
{
    asked->began = sb_clock_coarse();
    return sb_cache_key(&asked->key, asked->cache, bytes, length, variant);
}

inline bool sb_asked_cached(sb_asked_t *asked, apr_int64_t now)
{
    return is_hearing(asked) &&
           sb_cache_get(asked->answer, asked->cache, &asked->key, now, asked->began);
}

bool sb_asked_database(bool *stale, sb_asked_t *asked)
{
    asked->now = sb_clock_now();
    *stale = false;
    if (load_once(asked)) {
        return true;
    }
    *stale = recall(asked);
    return *stale;
}
