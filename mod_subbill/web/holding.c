/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What a user holds, as cheaply as it can be known for certain: remembered by the client's own request
 * for all its internal ones, else from the process's cache, else by one query (web/asked.h). When the
 * database is away and SubbillStale allows, what was last known to hold goes on holding for so long. */
#include "web/asked.h"

#include "base/clock.h"
#include "service/access.h"

#include <apr_strings.h>

static sb_status_e load(sb_asked_t *asked, sb_cache_term_t *term, sb_result_t *result,
                        int deadline_ms)
{
    const sb_server_t *server = asked->server;
    sb_holding_t *holding = asked->answer;
    sb_snapshot_t *snapshot;
    sb_status_e status = sb_access_load(&snapshot, result, server->service, asked->user,
                                        deadline_ms, asked->pool);

    if (status != SB_OK) {
        return status;
    }
    /* A host whose clock went back opens nothing that has ended by the database's. */
    term->now = snapshot->read_at > asked->now ? snapshot->read_at : asked->now;
    *holding =
        sb_entitlement_hold(server->catalog, snapshot, term->now, asked->key.variant);
    term->boundary = holding->boundary;
    term->negative = !holding->paid && !holding->unmapped;
    return SB_OK;
}

bool sb_holding_ask(sb_holding_t *holding, const sb_server_t *server, const char *user,
                    int grace_days, apr_pool_t *pool)
{
    sb_asked_t asked = {.server = server,
                        .cache = server->holdings,
                        .load = load,
                        .user = user,
                        .answer = holding,
                        .pool = pool};
    bool never;

    if (!server->service || !sb_asked_begin(&asked, user, strlen(user), grace_days)) {
        return false;
    }
    return sb_asked_cached(&asked, sb_clock_now()) || sb_asked_database(&never, &asked);
}

const sb_holding_t *sb_holding_of(bool *stale, sb_reason_e *reason, request_rec *r,
                                  const char *name)
{
    const sb_server_t *server = sb_server_of(r->server);
    const sb_dir_t *dir = sb_dir_of(r);
    request_rec *top = sb_request_top(r);
    sb_request_t *memo = sb_request_of(top);
    int grace_days = dir->grace_days > 0 ? dir->grace_days : 0;

    *reason = SB_REASON_OK;
    *stale = false;
    if (memo->holder && memo->holder_grace == grace_days &&
        strcmp(memo->holder, name) == 0 &&
        (!memo->holding_stale || dir->stale_seconds >= memo->stale_seconds)) {
        *stale = memo->holding_stale;
        return &memo->holding;
    }
    memo->holder = NULL;
    if (!server->service) {
        *reason = SB_REASON_UNAVAILABLE;
        return NULL;
    }
    sb_asked_t asked = {.server = server,
                        .cache = server->holdings,
                        .load = load,
                        .user = name,
                        .answer = &memo->holding,
                        .stale_seconds = dir->stale_seconds,
                        .pool = r->pool};
    /* Names that we do not take are never in the cache. Time alone ends an entry by the monotonic clock;
     * the request's is for wall clocks that leap. */
    bool known = sb_asked_begin(&asked, name, strlen(name), grace_days) &&
                 sb_asked_cached(&asked, apr_time_sec(r->request_time));
    if (!known && !sb_request_name_taken(name, reason)) {
        return NULL;
    }
    if (!known && !sb_asked_database(stale, &asked)) {
        *reason = SB_REASON_UNAVAILABLE;
        return NULL;
    }
    memo->holder = r == top ? name : apr_pstrdup(top->pool, name);
    memo->holder_grace = grace_days;
    memo->holding_stale = *stale;
    memo->stale_seconds = dir->stale_seconds;
    return &memo->holding;
}
