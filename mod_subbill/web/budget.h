/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_BUDGET_H
#define SB_WEB_BUDGET_H

#include <apr_pools.h>
#include <apr_time.h>

/* How often one client may make us call Stripe (T11): token buckets per user and per address, kept
 * in a table of fixed size that all processes of this httpd share. A restart begins anew. */

typedef struct sb_budget_t sb_budget_t;

/* burst calls at once, then one more every `interval`. */
typedef struct sb_budget_limit_t {
    int burst;
    apr_interval_time_t interval; /* microseconds */
} sb_budget_limit_t;

/* For the parent: the table is inherited by every child forked later. */
apr_status_t sb_budget_create(sb_budget_t **budget, apr_pool_t *pool);

/* Takes one call of who, in the list named kind ("user", "address"). now: monotonic microseconds.
 * Returns 0, or the seconds until the next one is free, and takes nothing then. Thread-safe. A
 * NULL budget allows everything. */
int sb_budget_take(sb_budget_t *budget, const char *kind, const char *who,
                   sb_budget_limit_t limit, apr_time_t now);

/* What counts as one client address: an IPv4 address, or the first 64 bits of an IPv6 one, for its
 * owner has all the rest. */
const char *sb_budget_address(const char *ip, apr_pool_t *pool);

#endif
