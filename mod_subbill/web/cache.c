/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What users hold, per process: buckets of four entries under striped locks, so that a hit costs one
 * hash, one uncontended lock and one comparison and the table never grows. An entry is fresh while
 * the user's epoch has not moved (web hears of purchases through the mapped file, store/epochs.h),
 * its time to live has not passed on the monotonic clock, and no period end lies between; a period end
 * ends the time to live as well, for clocks that go back. Names are
 * compared byte by byte: a collision of hashes is never somebody else's plan (T22). Strangers choose
 * names, so the hash is keyed per process. */
#include "web/module.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "domain/identity.h"
#include "store/epochs.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

enum { WAYS = 4, STRIPES = 64 };

typedef struct entry_t {
    apr_uint64_t hash; /* 0: empty */
    apr_uint64_t epoch;
    apr_time_t fresh_until; /* monotonic */
    int grace_days;
    sb_holding_t holding;
    char user[SB_IDENTITY_MAX + 1];
} entry_t;

struct sb_cache_t {
    apr_uint64_t key[2];
    apr_interval_time_t ttl;
    const sb_epochs_t *epochs;
    apr_uint64_t buckets; /* a power of two */
    entry_t *entries;     /* WAYS per bucket */
    apr_thread_mutex_t *locks[STRIPES];
};

apr_status_t sb_cache_create(sb_cache_t **made, int entries, apr_interval_time_t ttl,
                             const sb_epochs_t *epochs, apr_pool_t *pool)
{
    sb_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));

    cache->ttl = ttl;
    cache->epochs = epochs;
    for (cache->buckets = 1; cache->buckets * WAYS < (apr_uint64_t)entries;
         cache->buckets *= 2) {
    }
    cache->entries = apr_pcalloc(pool, cache->buckets * WAYS * sizeof(entry_t));
    apr_status_t rv =
        apr_generate_random_bytes((unsigned char *)cache->key, sizeof(cache->key));
    for (int i = 0; rv == APR_SUCCESS && i < STRIPES; i++) {
        rv = apr_thread_mutex_create(&cache->locks[i], APR_THREAD_MUTEX_DEFAULT, pool);
    }
    *made = cache;
    return rv;
}

apr_uint64_t sb_cache_epoch(const sb_cache_t *cache, const char *user)
{
    return cache->epochs ? sb_epochs_get(cache->epochs, sb_epoch_slot(user)) : 0;
}

static apr_uint64_t hash_of(const sb_cache_t *cache, const char *user)
{
    return sb_siphash(cache->key, user, strlen(user)) | 1; /* never the empty mark */
}

static entry_t *bucket_of(const sb_cache_t *cache, apr_uint64_t hash,
                          apr_thread_mutex_t **lock)
{
    apr_uint64_t bucket = (hash >> 8) & (cache->buckets - 1);

    *lock = cache->locks[bucket % STRIPES];
    return cache->entries + bucket * WAYS;
}

static bool is_of(const entry_t *entry, apr_uint64_t hash, const char *user,
                  int grace_days)
{
    return entry->hash == hash && entry->grace_days == grace_days &&
           strcmp(entry->user, user) == 0;
}

bool sb_cache_get(sb_cache_t *cache, const char *user, int grace_days, apr_int64_t now,
                  sb_holding_t *holding)
{
    apr_uint64_t hash = hash_of(cache, user);
    apr_uint64_t epoch = sb_cache_epoch(cache, user);
    apr_thread_mutex_t *lock;
    entry_t *entry = bucket_of(cache, hash, &lock);
    bool found = false;

    apr_thread_mutex_lock(lock);
    for (int i = 0; i < WAYS; i++, entry++) {
        if (is_of(entry, hash, user, grace_days)) {
            found = entry->epoch == epoch && sb_clock_monotonic() < entry->fresh_until &&
                    (!entry->holding.boundary || now < entry->holding.boundary);
            if (found) {
                *holding = entry->holding;
            }
            break;
        }
    }
    apr_thread_mutex_unlock(lock);
    return found;
}

static apr_interval_time_t time_to_live(const sb_cache_t *cache,
                                        const sb_holding_t *holding, apr_int64_t now)
{
    apr_int64_t left = holding->boundary - now;

    return holding->boundary && left < apr_time_sec(cache->ttl)
               ? apr_time_from_sec(left > 0 ? left : 0)
               : cache->ttl;
}

void sb_cache_put(sb_cache_t *cache, const char *user, int grace_days, apr_uint64_t epoch,
                  apr_int64_t now, const sb_holding_t *holding)
{
    apr_uint64_t hash = hash_of(cache, user);
    apr_thread_mutex_t *lock;
    entry_t *bucket = bucket_of(cache, hash, &lock);

    apr_thread_mutex_lock(lock);
    entry_t *victim = bucket;
    for (int i = 0; i < WAYS; i++) {
        if (is_of(bucket + i, hash, user, grace_days)) {
            victim = bucket + i;
            break;
        }
        if (bucket[i].fresh_until < victim->fresh_until) {
            victim = bucket + i;
        }
    }
    victim->hash = hash;
    victim->epoch = epoch;
    victim->fresh_until = sb_clock_monotonic() + time_to_live(cache, holding, now);
    victim->grace_days = grace_days;
    victim->holding = *holding;
    apr_cpystrn(victim->user, user, sizeof(victim->user));
    apr_thread_mutex_unlock(lock);
}
