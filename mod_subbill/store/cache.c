/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Buckets of four entries under striped locks: a hit costs one hash, one lock that is nearly never
 * contended and one comparison, and the table never grows. An entry is fresh while the user's epoch has not
 * moved (store/epochs.h, store/epoch_watch.h), its time to live has not passed on the monotonic
 * clock, and no boundary lies between; a boundary ends the time to live as well, for clocks that go back.
 * Keys are compared byte by byte: a collision of hashes is never somebody else's plan (T22). Strangers
 * choose names, so the hash is keyed per process; and a stranger's entry takes an empty place or another
 * stranger's, never that of somebody who pays (T35). */
#include "store/cache.h"

#include "base/clock.h"
#include "base/crypto.h"

#include <apr_general.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum {
    WAYS = 4,
    STRIPES = 64,
    NEGATIVE_SHARE = 4 /* of the time to live */
};

/* An answer that is old is of use once more while the database is away (SubbillStale), and no longer. */
enum { WORTH_NOTHING, WORTH_A_QUERY, WORTH_IN_NEED, WORTH_MOST };

typedef struct entry_t {
    apr_uint64_t hash; /* 0: empty */
    apr_uint64_t epoch;
    apr_time_t loaded_at;   /* monotonic */
    apr_time_t fresh_until; /* monotonic */
    apr_int64_t boundary;
    int variant;
    int slot;
    unsigned short length;
    bool negative;
    char bytes[]; /* the value, then the key */
} entry_t;

typedef struct stripe_t {
    pthread_mutex_t lock;
    pthread_cond_t returned; /* a claim was given back */
    sb_cache_claim_t *claims;
    apr_uint64_t failed; /* the hash of the last that failed, */
    apr_time_t failed_at;
} stripe_t;

struct sb_cache_t {
    sb_cache_options_t options;
    apr_uint64_t secret[2];
    apr_uint64_t buckets; /* a power of two */
    apr_size_t stride;    /* bytes of an entry */
    char *entries;        /* WAYS per bucket */
    stripe_t stripes[STRIPES];
};

/* Waiting goes by the monotonic clock, as all deadlines do. */
static int stripe_open(stripe_t *stripe)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (!error) {
        error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (!error) {
            error = pthread_cond_init(&stripe->returned, &attributes);
        }
        pthread_condattr_destroy(&attributes);
    }
    return error ? error : pthread_mutex_init(&stripe->lock, NULL);
}

apr_status_t sb_cache_create(sb_cache_t **made, const sb_cache_options_t *options,
                             apr_pool_t *pool)
{
    sb_cache_t *cache = apr_pcalloc(pool, sizeof(*cache));

    *made = NULL;
    cache->options = *options;
    for (cache->buckets = 1; cache->buckets * WAYS < (apr_uint64_t)options->entries;
         cache->buckets *= 2) {
    }
    cache->stride =
        APR_ALIGN_DEFAULT(sizeof(entry_t) + options->value_size + options->key_max);
    cache->entries = apr_pcalloc(pool, cache->buckets * WAYS * cache->stride);
    if (!cache->entries) {
        return APR_ENOMEM;
    }
    apr_status_t rv =
        apr_generate_random_bytes((unsigned char *)cache->secret, sizeof(cache->secret));
    for (int i = 0; rv == APR_SUCCESS && i < STRIPES; i++) {
        rv = stripe_open(&cache->stripes[i]);
    }
    *made = cache;
    return rv;
}

bool sb_cache_key(sb_cache_key_t *key, const sb_cache_t *cache, const char *bytes,
                  apr_size_t length, int variant)
{
    if (length > cache->options.key_max) {
        return false;
    }
    key->bytes = bytes;
    key->length = length;
    key->variant = variant;
    key->hash = sb_siphash(cache->secret, bytes, length) | 1; /* never the empty mark */
    return true;
}

static apr_uint64_t bucket_number(const sb_cache_t *cache, apr_uint64_t hash)
{
    return (hash >> 8) & (cache->buckets - 1);
}

static stripe_t *stripe_of(sb_cache_t *cache, apr_uint64_t hash)
{
    return &cache->stripes[bucket_number(cache, hash) % STRIPES];
}

static entry_t *entry_at(const sb_cache_t *cache, apr_uint64_t hash, int way)
{
    return (entry_t *)(cache->entries +
                       (bucket_number(cache, hash) * WAYS + (apr_uint64_t)way) *
                           cache->stride);
}

static bool is_of(const sb_cache_t *cache, const entry_t *entry,
                  const sb_cache_key_t *key)
{
    return entry->hash == key->hash && entry->variant == key->variant &&
           entry->length == key->length &&
           memcmp(entry->bytes + cache->options.value_size, key->bytes, key->length) == 0;
}

static bool is_void(const sb_cache_t *cache, const entry_t *entry, apr_int64_t now)
{
    return entry->epoch != sb_epochs_get(cache->options.epochs, entry->slot) ||
           (entry->boundary && now >= entry->boundary);
}

/* The entry of key that nothing has voided; the stripe is locked. */
static inline const entry_t *valid(const sb_cache_t *cache, const sb_cache_key_t *key,
                                   apr_int64_t now)
{
    for (int i = 0; i < WAYS; i++) {
        const entry_t *entry = entry_at(cache, key->hash, i);
        if (is_of(cache, entry, key)) {
            return is_void(cache, entry, now) ? NULL : entry;
        }
    }
    return NULL;
}

inline bool sb_cache_get(void *value, sb_cache_t *cache, const sb_cache_key_t *key,
                         apr_int64_t now, apr_time_t monotonic)
{
    stripe_t *stripe = stripe_of(cache, key->hash);

    pthread_mutex_lock(&stripe->lock);
    const entry_t *entry = valid(cache, key, now);
    bool found = entry && monotonic < entry->fresh_until;
    if (found) {
        memcpy(value, entry->bytes, cache->options.value_size);
    }
    pthread_mutex_unlock(&stripe->lock);
    return found;
}

bool sb_cache_last(void *value, apr_time_t *loaded_at, sb_cache_t *cache,
                   const sb_cache_key_t *key, apr_int64_t now)
{
    stripe_t *stripe = stripe_of(cache, key->hash);

    pthread_mutex_lock(&stripe->lock);
    const entry_t *entry = valid(cache, key, now);
    if (entry) {
        memcpy(value, entry->bytes, cache->options.value_size);
        *loaded_at = entry->loaded_at;
    }
    pthread_mutex_unlock(&stripe->lock);
    return entry != NULL;
}

/* What is lost with an entry; less is better. */
static int worth(const sb_cache_t *cache, const entry_t *entry, apr_int64_t now,
                 apr_time_t monotonic)
{
    if (!entry->hash || is_void(cache, entry, now)) {
        return WORTH_NOTHING;
    }
    if (entry->negative || entry->fresh_until + cache->options.keep <= monotonic) {
        return WORTH_A_QUERY;
    }
    return entry->fresh_until <= monotonic ? WORTH_IN_NEED : WORTH_MOST;
}

/* Whose place a new entry takes: its own, else the one worth least, of equals the one that expires
 * first. NULL: a stranger may not push a payer out. */
static entry_t *victim_of(const sb_cache_t *cache, const sb_cache_key_t *key,
                          const sb_cache_term_t *term, apr_time_t monotonic)
{
    entry_t *victim = NULL;
    int least = term->negative ? WORTH_IN_NEED : WORTH_MOST + 1;

    for (int i = 0; i < WAYS; i++) {
        entry_t *entry = entry_at(cache, key->hash, i);
        int value = worth(cache, entry, term->now, monotonic);
        if (is_of(cache, entry, key)) {
            return entry;
        }
        if (value < least ||
            (victim && value == least && entry->fresh_until < victim->fresh_until)) {
            victim = entry;
            least = value;
        }
    }
    return victim;
}

static apr_interval_time_t time_to_live(const sb_cache_t *cache,
                                        const sb_cache_term_t *term)
{
    apr_interval_time_t ttl = cache->options.ttl;
    apr_int64_t left = term->boundary - term->now;

    if (term->negative) {
        ttl /= NEGATIVE_SHARE;
    }
    return term->boundary && left < apr_time_sec(ttl)
               ? apr_time_from_sec(left > 0 ? left : 0)
               : ttl;
}

void sb_cache_put(sb_cache_t *cache, const sb_cache_key_t *key,
                  const sb_cache_term_t *term, const void *value)
{
    stripe_t *stripe = stripe_of(cache, key->hash);
    apr_time_t monotonic = sb_clock_monotonic();

    pthread_mutex_lock(&stripe->lock);
    entry_t *entry = victim_of(cache, key, term, monotonic);
    if (entry) {
        entry->hash = key->hash;
        entry->epoch = term->epoch;
        entry->loaded_at = monotonic;
        entry->fresh_until = monotonic + time_to_live(cache, term);
        entry->boundary = term->boundary;
        entry->variant = key->variant;
        entry->slot = term->slot;
        entry->length = (unsigned short)key->length;
        entry->negative = term->negative;
        memcpy(entry->bytes, value, cache->options.value_size);
        memcpy(entry->bytes + cache->options.value_size, key->bytes, key->length);
    }
    pthread_mutex_unlock(&stripe->lock);
}

/* --- one asks for all ----------------------------------------------------------------------- */

static bool is_claimed(const stripe_t *stripe, apr_uint64_t hash)
{
    for (const sb_cache_claim_t *claim = stripe->claims; claim; claim = claim->next) {
        if (claim->hash == hash) {
            return true;
        }
    }
    return false;
}

static bool wait_for_return(stripe_t *stripe, apr_uint64_t hash, apr_time_t deadline)
{
    const struct timespec until = {.tv_sec = (time_t)apr_time_sec(deadline),
                                   .tv_nsec = (long)apr_time_usec(deadline) * 1000};

    while (is_claimed(stripe, hash)) {
        if (pthread_cond_timedwait(&stripe->returned, &stripe->lock, &until) ==
            ETIMEDOUT) {
            return false;
        }
    }
    return true;
}

sb_cache_claim_e sb_cache_claim(sb_cache_claim_t *claim, sb_cache_t *cache,
                                const sb_cache_key_t *key, apr_time_t deadline)
{
    stripe_t *stripe = stripe_of(cache, key->hash);
    sb_cache_claim_e outcome = SB_CACHE_YOURS;
    apr_time_t began = sb_clock_monotonic();

    pthread_mutex_lock(&stripe->lock);
    if (is_claimed(stripe, key->hash)) {
        bool returned = wait_for_return(stripe, key->hash, deadline);
        outcome = returned && !(stripe->failed == key->hash && stripe->failed_at >= began)
                      ? SB_CACHE_AGAIN
                      : SB_CACHE_FAILED;
    }
    else {
        claim->hash = key->hash;
        claim->next = stripe->claims;
        stripe->claims = claim;
    }
    pthread_mutex_unlock(&stripe->lock);
    return outcome;
}

void sb_cache_unclaim(sb_cache_claim_t *claim, sb_cache_t *cache, bool loaded)
{
    stripe_t *stripe = stripe_of(cache, claim->hash);
    sb_cache_claim_t **link = &stripe->claims;

    pthread_mutex_lock(&stripe->lock);
    while (*link != claim) {
        link = &(*link)->next;
    }
    *link = claim->next;
    if (!loaded) {
        stripe->failed = claim->hash;
        stripe->failed_at = sb_clock_monotonic();
    }
    else if (stripe->failed == claim->hash) {
        stripe->failed = 0;
    }
    pthread_cond_broadcast(&stripe->returned);
    pthread_mutex_unlock(&stripe->lock);
}
