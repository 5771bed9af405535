/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Things that are asked for by a key: whether they are owned is cached for the user and the key, beside what the
 * user holds, so that strangers who make keys up push nobody out. Credit is spent between two requests,
 * and so never cached. */
#include "web/asked.h"

#include "base/clock.h"
#include "domain/identity.h"
#include "web/metrics.h"

#include <string.h>

static sb_status_e load(sb_asked_t *asked, sb_cache_term_t *term, sb_result_t *result,
                        int deadline_ms)
{
    const sb_wanted_t *wanted = asked->about;
    bool *owned = asked->answer;
    apr_int64_t units;
    sb_status_e status =
        sb_access_owned(&units, result, asked->server->service, asked->user,
                        wanted->thing, wanted->key, deadline_ms, asked->pool);

    *owned = units > 0;
    term->negative = !*owned;
    return status;
}

static sb_reason_e credit(const sb_server_t *server, const char *user, const char *meter,
                          apr_int64_t least, apr_pool_t *pool)
{
    apr_int64_t units;
    sb_result_t ignored; /* the store has logged it */

    sb_result_clear(&ignored);
    sb_metrics_count(SB_METRIC_QUERIES, 0);
    if (sb_access_owned(&units, &ignored, server->service, user, SB_THING_CREDIT, meter,
                        SB_DEADLINE_GATE, pool) != SB_OK) {
        return SB_REASON_UNAVAILABLE;
    }
    return units >= least ? SB_REASON_OK : SB_REASON_NO_CREDIT;
}

/* user, a NUL, the thing, the key: no name holds a NUL. */
static bool begin(sb_asked_t *asked, char *bytes, const sb_wanted_t *wanted)
{
    apr_size_t user = strlen(asked->user), key = strlen(wanted->key);

    if (user > SB_IDENTITY_MAX || key > SB_THING_KEY_MAX) {
        return false;
    }
    memcpy(bytes, asked->user, user + 1);
    bytes[user + 1] = (char)('0' + wanted->thing);
    memcpy(bytes + user + 2, wanted->key, key);
    return sb_asked_begin(asked, bytes, user + 2 + key, 0);
}

sb_reason_e sb_owned_by(bool *stale, request_rec *r, const char *user, sb_thing_e thing,
                        const char *key, apr_int64_t least)
{
    const sb_server_t *server = sb_server_of(r->server);
    const sb_wanted_t wanted = {.thing = thing, .key = key};
    sb_reason_e reason = SB_REASON_OK;
    char bytes[SB_OWNED_KEY_MAX];
    bool owned = false;
    sb_asked_t asked = {.server = server,
                        .cache = server->owned,
                        .load = load,
                        .user = user,
                        .answer = &owned,
                        .about = &wanted,
                        .stale_seconds = sb_dir_of(r)->stale_seconds,
                        .pool = r->pool};

    *stale = false;
    if (!server->service) {
        return SB_REASON_UNAVAILABLE;
    }
    if (thing == SB_THING_CREDIT) {
        return sb_request_name_taken(user, &reason)
                   ? credit(server, user, key, least, r->pool)
                   : reason;
    }
    bool known = begin(&asked, bytes, &wanted) &&
                 sb_asked_cached(&asked, apr_time_sec(r->request_time));
    if (!known && !sb_request_name_taken(user, &reason)) {
        return reason;
    }
    if (!known && !sb_asked_database(stale, &asked)) {
        return SB_REASON_UNAVAILABLE;
    }
    return owned ? SB_REASON_OK : sb_thing_lacking(thing);
}

sb_reason_e sb_owned_ask(const sb_server_t *server, const char *user, sb_thing_e thing,
                         const char *key, apr_pool_t *pool)
{
    const sb_wanted_t wanted = {.thing = thing, .key = key};
    char bytes[SB_OWNED_KEY_MAX];
    bool owned = false, never;
    sb_asked_t asked = {.server = server,
                        .cache = server->owned,
                        .load = load,
                        .user = user,
                        .answer = &owned,
                        .about = &wanted,
                        .pool = pool};

    if (!server->service || !begin(&asked, bytes, &wanted) ||
        (!sb_asked_cached(&asked, sb_clock_now()) &&
         !sb_asked_database(&never, &asked))) {
        return SB_REASON_UNAVAILABLE;
    }
    return owned ? SB_REASON_OK : sb_thing_lacking(thing);
}
