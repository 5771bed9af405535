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

/* What is asked, and where its parts lie. */
typedef struct question_t {
    sb_asked_t asked;
    sb_wanted_t wanted;
    bool owned;
    char bytes[SB_OWNED_KEY_MAX];
} question_t;

/* The cache's key: user, a NUL, the thing, the key; no name holds a NUL. False: it is longer than any can be. */
static bool pose(question_t *question, const sb_server_t *server, const char *user,
                 sb_thing_e thing, const char *key, apr_pool_t *pool)
{
    apr_size_t user_length = strlen(user), key_length = strlen(key);

    question->owned = false;
    question->wanted = (sb_wanted_t){.thing = thing, .key = key};
    question->asked = (sb_asked_t){.server = server,
                                   .cache = server->owned,
                                   .load = load,
                                   .user = user,
                                   .answer = &question->owned,
                                   .about = &question->wanted,
                                   .pool = pool};
    if (user_length > SB_IDENTITY_MAX || key_length > SB_THING_KEY_MAX) {
        return false;
    }
    memcpy(question->bytes, user, user_length + 1);
    question->bytes[user_length + 1] = (char)('0' + thing);
    memcpy(question->bytes + user_length + 2, key, key_length);
    return sb_asked_begin(&question->asked, question->bytes, user_length + 2 + key_length,
                          0);
}

sb_reason_e sb_owned_by(bool *stale, request_rec *r, const char *user, sb_thing_e thing,
                        const char *key, apr_int64_t least)
{
    const sb_server_t *server = sb_server_of(r->server);
    sb_reason_e reason = SB_REASON_OK;
    question_t question;

    *stale = false;
    if (!server->service) {
        return SB_REASON_UNAVAILABLE;
    }
    if (thing == SB_THING_CREDIT) {
        return sb_request_name_taken(user, &reason)
                   ? credit(server, user, key, least, r->pool)
                   : reason;
    }
    bool known = pose(&question, server, user, thing, key, r->pool) &&
                 sb_asked_cached(&question.asked, apr_time_sec(r->request_time));
    question.asked.stale_seconds = sb_dir_of(r)->stale_seconds;
    if (!known && !sb_request_name_taken(user, &reason)) {
        return reason;
    }
    if (!known && !sb_asked_database(stale, &question.asked)) {
        return SB_REASON_UNAVAILABLE;
    }
    return question.owned ? SB_REASON_OK : sb_thing_lacking(thing);
}

sb_reason_e sb_owned_ask(const sb_server_t *server, const char *user, sb_thing_e thing,
                         const char *key, apr_pool_t *pool)
{
    question_t question;
    bool never;

    if (!server->service || !pose(&question, server, user, thing, key, pool) ||
        (!sb_asked_cached(&question.asked, sb_clock_now()) &&
         !sb_asked_database(&never, &question.asked))) {
        return SB_REASON_UNAVAILABLE;
    }
    return question.owned ? SB_REASON_OK : sb_thing_lacking(thing);
}
