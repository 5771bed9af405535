/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_CACHE_H
#define SB_STORE_CACHE_H

#include <apr_pools.h>
#include <apr_time.h>
#include <stdbool.h>

#include "store/epochs.h"

/* What was decided about a user, kept per process in a table of fixed size. Values are copied in and out;
 * the table knows them only as bytes. */

typedef struct sb_cache_t sb_cache_t;

typedef struct sb_cache_options_t {
    int entries;              /* rounded up to a power of two */
    apr_interval_time_t ttl;  /* 0: every entry is old at once */
    apr_interval_time_t keep; /* how long an old one may be of use, to sb_cache_last() */
    apr_size_t key_max;       /* bytes */
    apr_size_t value_size;
    const sb_epochs_t *epochs;
} sb_cache_options_t;

/* What is looked up, made once per request. */
typedef struct sb_cache_key_t {
    const char *bytes;
    apr_size_t length;
    int variant; /* part of the key: the days of grace */
    apr_uint64_t hash;
} sb_cache_key_t;

/* How long a value holds. */
typedef struct sb_cache_term_t {
    int slot;             /* whose moving voids it */
    apr_uint64_t epoch;   /* of slot, sampled before the database was asked */
    apr_int64_t now;      /* Unix seconds by which it was decided */
    apr_int64_t boundary; /* Unix seconds; from then on it is void. 0: never */
    bool negative; /* opens nothing: kept for less, and never at the cost of what does */
} sb_cache_term_t;

/* Of one caller at a time per key, on its stack: the one that asks the database. */
typedef struct sb_cache_claim_t {
    apr_uint64_t hash;
    struct sb_cache_claim_t *next;
} sb_cache_claim_t;

typedef enum {
    SB_CACHE_YOURS, /* load, put, and give the claim back */
    SB_CACHE_AGAIN, /* somebody else has just loaded it: look again */
    SB_CACHE_FAILED /* somebody else has just failed, or did not return in time */
} sb_cache_claim_e;

apr_status_t sb_cache_create(sb_cache_t **cache, const sb_cache_options_t *options,
                             apr_pool_t *pool);

/* False: longer than the table takes. bytes must outlive key. */
bool sb_cache_key(sb_cache_key_t *key, const sb_cache_t *cache, const char *bytes,
                  apr_size_t length, int variant);

/* Copies a fresh entry to value. now: Unix seconds; monotonic: microseconds. */
bool sb_cache_get(void *value, sb_cache_t *cache, const sb_cache_key_t *key,
                  apr_int64_t now, apr_time_t monotonic);

/* The last one known that nothing has voided since: its user's epoch has not moved and no boundary has
 * passed; how old it is does not matter. *loaded_at: monotonic, when it was put. */
bool sb_cache_last(void *value, apr_time_t *loaded_at, sb_cache_t *cache,
                   const sb_cache_key_t *key, apr_int64_t now);

void sb_cache_put(sb_cache_t *cache, const sb_cache_key_t *key,
                  const sb_cache_term_t *term, const void *value);

/* Of many who miss the same key at once one asks the database; the others wait for it, at most until
 * deadline (monotonic). */
sb_cache_claim_e sb_cache_claim(sb_cache_claim_t *claim, sb_cache_t *cache,
                                const sb_cache_key_t *key, apr_time_t deadline);
void sb_cache_unclaim(sb_cache_claim_t *claim, sb_cache_t *cache, bool loaded);

#endif
