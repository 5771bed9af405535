/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_ASKED_H
#define SB_WEB_ASKED_H

#include "web/module.h"

/* One question about a user that a cache may answer, and else the database: by one query, however many
 * threads have the same question at once. What is cached counts only while this host hears the others.
 * All of it takes SB_DEADLINE_GATE at most, from sb_asked_begin() on. */

typedef struct sb_asked_t sb_asked_t;

/* Asks the database: fills answer, and of term what the answer says about itself (now, boundary, negative). */
typedef sb_status_e (*sb_asked_fn)(sb_asked_t *asked, sb_cache_term_t *term,
                                   sb_result_t *result, int deadline_ms);

struct sb_asked_t {
    const sb_server_t *server;
    sb_cache_t *cache;
    sb_asked_fn load;
    const char *user;
    void *answer;      /* of the cache's value_size bytes */
    const void *about; /* the rest of the question, for load */
    int stale_seconds; /* SubbillStale; 0: never */
    apr_int64_t now;   /* Unix seconds */
    apr_pool_t *pool;
    sb_cache_key_t key;
    apr_time_t began; /* monotonic */
};

/* server, cache, load, user, answer and pool are set; bytes, length and variant make the key. False: it is
 * longer than the cache takes. */
bool sb_asked_begin(sb_asked_t *asked, const char *bytes, apr_size_t length, int variant);

/* Whether the cache answers by a clock of Unix seconds. */
bool sb_asked_cached(sb_asked_t *asked, apr_int64_t now);

/* When it does not. *stale: the database is away, and the answer is what was known to hold until then,
 * not longer ago than stale_seconds. */
bool sb_asked_database(bool *stale, sb_asked_t *asked);

#endif
