/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_EVENTS_H
#define SB_STORE_EVENTS_H

#include <stdbool.h>

#include "store/db.h"

/* Everything that was ever claimed about the world: webhook events, and what the return page, fetches,
 * sync and operators assert. The id is unique, which is what makes an event apply at most once. */

typedef enum {
    SB_EVENT_RECEIVED, /* stored, not applied yet */
    SB_EVENT_DONE,
    SB_EVENT_FAILED, /* could not be applied; reason says why */
    SB_EVENT_IGNORED /* understood, and none of our business */
} sb_event_state_e;

typedef struct sb_event_row_t {
    const char *id;
    const char *type;
    bool livemode;
    const char *api_version; /* or NULL */
    const char *account;     /* Connect account or NULL */
    const char *object_id;   /* or NULL */
    apr_int64_t created_at;  /* Stripe's clock */
    apr_int64_t received_at;
    sb_event_state_e state;
    const char *reason; /* why failed or ignored, or NULL */
    int attempts;
    const char *source; /* SB_SOURCE_… */
    apr_int64_t lease_until;
    int arrival; /* microseconds into the second received_at; 0: not known */
} sb_event_row_t;

const char *sb_event_state_word(sb_event_state_e state);
/* false for a word that is none. */
bool sb_event_state_parse(sb_event_state_e *state, const char *word);

/* Stores event (with its state, attempts and reason as given) and its body (NULL = none) unless the id
 * is there. *inserted tells; when it was there, *stored is the state it is in, its row is locked and
 * nothing was changed. stored may be NULL. */
apr_status_t sb_event_insert(bool *inserted, sb_event_state_e *stored, sb_conn_t *conn,
                             const sb_event_row_t *event, const char *body,
                             apr_pool_t *pool);

/* Moves to state with a reason (or NULL) and counts one attempt. */
apr_status_t sb_event_mark(sb_conn_t *conn, const char *id, sb_event_state_e state,
                           const char *reason, apr_pool_t *pool);

apr_status_t sb_event_get(sb_event_row_t **event, sb_conn_t *conn, const char *id,
                          apr_pool_t *pool);

/* The limit most recent, newest first; state: only these, NULL = all. */
apr_status_t sb_event_list(sb_event_row_t **events, int *n, sb_conn_t *conn,
                           const sb_event_state_e *state, int limit, apr_pool_t *pool);

/* The next at most limit in the order they arrived in; after: the last of the page before, NULL = from the
 * beginning. */
apr_status_t sb_event_page(sb_event_row_t **events, int *n, sb_conn_t *conn,
                           bool livemode, const sb_event_row_t *after, int limit,
                           apr_pool_t *pool);

/* How many rows the tables hold that are made of events, table by table. */
typedef struct sb_event_table_t {
    const char *name;
    apr_int64_t rows;
} sb_event_table_t;

apr_status_t sb_event_projected(sb_event_table_t **tables, int *n, sb_conn_t *conn,
                                bool livemode, apr_pool_t *pool);

/* Ids of at most limit received events whose lease is over and that have no job, the oldest first. */
apr_status_t sb_event_stuck(const char *const **ids, int *n, sb_conn_t *conn,
                            bool livemode, apr_int64_t now, int limit, apr_pool_t *pool);

/* When something of this source was last received, 0: not since then. */
apr_status_t sb_event_heard(apr_int64_t *received_at, sb_conn_t *conn, const char *source,
                            bool livemode, apr_int64_t since, apr_pool_t *pool);

/* When the event that was stored first was created, by Stripe's clock; 0: nothing is stored. */
apr_status_t sb_event_first(apr_int64_t *created_at, sb_conn_t *conn, bool livemode,
                            apr_pool_t *pool);

/* The raw body in one string, read in pieces; NULL when none is stored. */
apr_status_t sb_event_body(const char **body, sb_conn_t *conn, const char *id,
                           apr_pool_t *pool);

#endif
