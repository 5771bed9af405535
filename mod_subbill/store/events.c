/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/events.h"

#include "base/utf8.h"
#include "sb_statements.h"

#include <apr_strings.h>
#include <string.h>

/* Lists of events must stay cheap while bodies may be large, so bodies lie in a table of their own and
 * are read in pieces: apr_dbd's MySQL driver reserves the largest possible value per column. */

enum { PIECE = 16384, REASON_MAX = 500 };

static const char *const words[] = {
    [SB_EVENT_RECEIVED] = "received",
    [SB_EVENT_DONE] = "done",
    [SB_EVENT_FAILED] = "failed",
    [SB_EVENT_IGNORED] = "ignored",
};

const char *sb_event_state_word(sb_event_state_e state)
{
    return words[state];
}

bool sb_event_state_parse(sb_event_state_e *state, const char *word)
{
    for (int i = 0; word && i < (int)(sizeof(words) / sizeof(words[0])); i++) {
        if (!strcmp(words[i], word)) {
            *state = (sb_event_state_e)i;
            return true;
        }
    }
    return false;
}

static sb_event_row_t from_row(const sb_row_event_t *row)
{
    sb_event_row_t event = {
        .id = row->id,
        .type = row->type,
        .livemode = row->livemode != 0,
        .api_version = row->api_version,
        .account = row->account,
        .object_id = row->object_id,
        .created_at = row->created_at,
        .received_at = row->received_at,
        .state = SB_EVENT_RECEIVED,
        .reason = row->reason,
        .attempts = (int)row->attempts,
        .source = row->source,
        .lease_until = row->lease_until,
        .arrival = (int)row->arrival,
    };

    sb_event_state_parse(&event.state, row->state);
    return event;
}

static void from_rows(sb_event_row_t **events, const sb_row_event_t *rows, int n,
                      apr_pool_t *pool)
{
    *events = apr_palloc(pool, sizeof(**events) * ((apr_size_t)n + 1));
    for (int i = 0; i < n; i++) {
        (*events)[i] = from_row(&rows[i]);
    }
}

apr_status_t sb_event_insert(bool *inserted, sb_event_state_e *stored, sb_conn_t *conn,
                             const sb_event_row_t *event, const char *body,
                             apr_pool_t *pool)
{
    const sb_row_event_state_t *rows;
    int affected, n;

    *inserted = false;
    apr_status_t rv = sb_sql_event_insert(
        &affected, conn, event->id, event->type, event->livemode, event->api_version,
        event->account, event->object_id, event->created_at, event->received_at,
        words[event->state], sb_utf8_cut(event->reason, REASON_MAX, pool),
        event->attempts, event->source, event->lease_until, event->arrival, pool);
    if (rv) {
        return rv;
    }
    if (affected == 1) {
        *inserted = true;
        if (stored) {
            *stored = event->state;
        }
        return body ? sb_sql_event_body_insert(NULL, conn, event->id, body, pool)
                    : APR_SUCCESS;
    }
    rv = sb_sql_event_lock(&rows, &n, conn, event->id, pool);
    if (!rv && n && stored) {
        sb_event_state_parse(stored, rows[0].state);
    }
    return rv;
}

apr_status_t sb_event_mark(sb_conn_t *conn, const char *id, sb_event_state_e state,
                           const char *reason, apr_pool_t *pool)
{
    return sb_sql_event_mark(NULL, conn, id, words[state],
                             sb_utf8_cut(reason, REASON_MAX, pool), pool);
}

apr_status_t sb_event_get(sb_event_row_t **event, sb_conn_t *conn, const char *id,
                          apr_pool_t *pool)
{
    const sb_row_event_t *rows;
    int n;

    *event = NULL;
    apr_status_t rv = sb_sql_event_by_id(&rows, &n, conn, id, pool);
    if (rv || !n) {
        return rv;
    }
    *event = apr_palloc(pool, sizeof(**event));
    **event = from_row(rows);
    return APR_SUCCESS;
}

apr_status_t sb_event_list(sb_event_row_t **events, int *n, sb_conn_t *conn,
                           const sb_event_state_e *state, int limit, apr_pool_t *pool)
{
    const sb_row_event_t *rows;

    *events = NULL;
    apr_status_t rv =
        sb_sql_event_list(&rows, n, conn, state ? words[*state] : NULL, limit, pool);
    if (!rv) {
        from_rows(events, rows, *n, pool);
    }
    return rv;
}

apr_status_t sb_event_page(sb_event_row_t **events, int *n, sb_conn_t *conn,
                           bool livemode, const sb_event_row_t *after, int limit,
                           apr_pool_t *pool)
{
    const sb_row_event_t *rows;

    *events = NULL;
    apr_status_t rv = sb_sql_event_page(
        &rows, n, conn, livemode, after ? after->received_at : 0,
        after ? after->arrival : -1, after ? after->id : "", limit, pool);
    if (!rv) {
        from_rows(events, rows, *n, pool);
    }
    return rv;
}

apr_status_t sb_event_projected(sb_event_table_t **tables, int *n, sb_conn_t *conn,
                                bool livemode, apr_pool_t *pool)
{
    const sb_row_event_projected_t *counted;
    apr_status_t rv = sb_sql_event_projected(&counted, n, conn, livemode, pool);

    if (rv) {
        return rv;
    }
    *tables = apr_palloc(pool, sizeof(**tables) * (apr_size_t)(*n + 1));
    for (int i = 0; i < *n; i++) {
        (*tables)[i] = (sb_event_table_t){.name = counted[i].name, .rows = counted[i].n};
    }
    return APR_SUCCESS;
}

apr_status_t sb_event_stuck(const char *const **ids, int *n, sb_conn_t *conn,
                            bool livemode, apr_int64_t now, int limit, apr_pool_t *pool)
{
    const sb_row_name_t *rows;

    *ids = NULL;
    apr_status_t rv = sb_sql_event_stuck(&rows, n, conn, livemode, now, limit, pool);
    if (rv || !*n) {
        return rv;
    }
    const char **names = apr_palloc(pool, sizeof(*names) * (apr_size_t)*n);
    for (int i = 0; i < *n; i++) {
        names[i] = rows[i].name;
    }
    *ids = names;
    return APR_SUCCESS;
}

apr_status_t sb_event_heard(apr_int64_t *received_at, sb_conn_t *conn, const char *source,
                            bool livemode, apr_int64_t since, apr_pool_t *pool)
{
    const sb_row_event_heard_t *rows;
    int n = 0;
    apr_status_t rv = sb_sql_event_heard(&rows, &n, conn, source, livemode, since, pool);

    *received_at = rv || !n ? 0 : rows->received_at;
    return rv;
}

apr_status_t sb_event_first(apr_int64_t *created_at, sb_conn_t *conn, bool livemode,
                            apr_pool_t *pool)
{
    const sb_row_event_first_t *rows;
    int n = 0;
    apr_status_t rv = sb_sql_event_first(&rows, &n, conn, livemode, pool);

    *created_at = rv || !n ? 0 : rows->created_at;
    return rv;
}

apr_status_t sb_event_body(const char **body, sb_conn_t *conn, const char *id,
                           apr_pool_t *pool)
{
    const sb_row_piece_t *rows;
    int n;

    *body = NULL;
    for (apr_int64_t start = 1;; start += PIECE) {
        apr_status_t rv = sb_sql_event_body_piece(&rows, &n, conn, id, start, pool);
        if (rv || !n || !rows[0].piece) {
            return rv;
        }
        *body = *body ? apr_pstrcat(pool, *body, rows[0].piece, NULL) : rows[0].piece;
        /* a full piece has at least PIECE bytes, on every dialect */
        if (strlen(rows[0].piece) < PIECE) {
            return APR_SUCCESS;
        }
    }
}
