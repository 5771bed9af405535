/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A bucket is one number: the time at which it would be full again. Taking a call moves it by one
 * interval; when it would lie more than burst intervals ahead, the bucket is empty. Buckets live in
 * sets of four under the keyed hash of their owner; a new owner gets the place whose bucket is
 * full soonest, so that a flood of names can only push out those who owe least. The table is shared
 * by processes, any of which may be killed at any moment, so there is no lock: a call is taken by
 * one compare-and-swap, and of two owners who come to one place in the same instant the later one
 * may inherit what the other owes. */
#include "web/budget.h"

#include "base/crypto.h"

#include <apr_general.h>
#include <apr_network_io.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <stdbool.h>
#include <string.h>

enum { SETS = 1024, WAYS = 4 };

typedef struct bucket_t {
    apr_uint64_t owner;
    apr_time_t full_at;
} bucket_t;

struct sb_budget_t {
    apr_uint64_t key[2];
    bucket_t buckets[SETS][WAYS];
};

apr_status_t sb_budget_create(sb_budget_t **out, apr_pool_t *pool)
{
    apr_shm_t *memory;
    apr_status_t rv = apr_shm_create(&memory, sizeof(sb_budget_t), NULL, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    sb_budget_t *budget = apr_shm_baseaddr_get(memory);
    memset(budget, 0, sizeof(*budget));
    rv = apr_generate_random_bytes((unsigned char *)budget->key, sizeof(budget->key));
    *out = rv == APR_SUCCESS ? budget : NULL;
    return rv;
}

static bucket_t *bucket_of(sb_budget_t *budget, apr_uint64_t owner)
{
    bucket_t *set = budget->buckets[owner % SETS];
    bucket_t *soonest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (__atomic_load_n(&set[i].owner, __ATOMIC_ACQUIRE) == owner) {
            return &set[i];
        }
        if (__atomic_load_n(&set[i].full_at, __ATOMIC_RELAXED) <
            __atomic_load_n(&soonest->full_at, __ATOMIC_RELAXED)) {
            soonest = &set[i];
        }
    }
    __atomic_store_n(&soonest->full_at, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&soonest->owner, owner, __ATOMIC_RELEASE);
    return soonest;
}

int sb_budget_take(sb_budget_t *budget, const char *kind, const char *who,
                   sb_budget_limit_t limit, apr_time_t now)
{
    char text[512];
    apr_time_t was, full_at, wait;

    if (!budget) {
        return 0;
    }
    apr_snprintf(text, sizeof(text), "%s:%s", kind, who);
    bucket_t *bucket = bucket_of(budget, sb_siphash(budget->key, text, strlen(text)));

    was = __atomic_load_n(&bucket->full_at, __ATOMIC_RELAXED);
    do {
        full_at = (was > now ? was : now) + limit.interval;
        wait = full_at - now - (apr_time_t)limit.burst * limit.interval;
        if (wait > 0) {
            return (int)((wait + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC);
        }
    } while (!__atomic_compare_exchange_n(&bucket->full_at, &was, full_at, false,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return 0;
}

const char *sb_budget_address(const char *ip, apr_pool_t *pool)
{
    apr_sockaddr_t *address;

    if (!strchr(ip, ':') ||
        apr_sockaddr_info_get(&address, ip, APR_UNSPEC, 0, 0, pool) != APR_SUCCESS ||
        address->ipaddr_len != 16) {
        return ip;
    }
    const unsigned char *bytes = address->ipaddr_ptr;
    return apr_psprintf(pool, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", bytes[0],
                        bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6],
                        bytes[7]);
}
