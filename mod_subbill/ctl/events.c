/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/events.h"

#include "base/json.h"
#include "ctl/session.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

typedef struct list_t {
    const sb_event_state_e *state;
    int limit;
    sb_event_row_t *rows;
    int n;
} list_t;

static apr_status_t read_list(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    list_t *list = baton;

    return sb_event_list(&list->rows, &list->n, conn, list->state, list->limit, pool);
}

json_t *sb_event_json(const sb_event_row_t *event, apr_pool_t *pool)
{
    json_t *json = json_object();

    json_object_set_new(json, "id", sb_json_of(event->id, pool));
    json_object_set_new(json, "type", sb_json_of(event->type, pool));
    json_object_set_new(json, "state", json_string(sb_event_state_word(event->state)));
    json_object_set_new(json, "reason", sb_json_of(event->reason, pool));
    json_object_set_new(json, "source", sb_json_of(event->source, pool));
    json_object_set_new(json, "object", sb_json_of(event->object_id, pool));
    json_object_set_new(json, "livemode", json_boolean(event->livemode));
    json_object_set_new(json, "created", sb_json_time(event->created_at));
    json_object_set_new(json, "received", sb_json_time(event->received_at));
    json_object_set_new(json, "attempts", json_integer(event->attempts));
    json_object_set_new(json, "api_version", sb_json_of(event->api_version, pool));
    return json;
}

void sb_events_print(const sb_ctl_t *ctl, const json_t *events)
{
    static const char *const heads[] = {"RECEIVED", "STATE", "TYPE", "EVENT", "REASON"};
    sb_table_t *table = sb_table_create(ctl, heads, 5);
    size_t i;
    json_t *event;

    if (!json_array_size(events)) {
        sb_print(ctl, "No events.");
        return;
    }
    json_array_foreach(events, i, event)
    {
        const char *const cells[] = {
            sb_time_text(sb_json_int(event, "received", 0), ctl->pool),
            sb_json_text(event, "state"),
            sb_json_text(event, "type"),
            sb_json_text(event, "id"),
            sb_json_text(event, "reason"),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

sb_exit_e sb_command_events_list(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_result_t result;
    sb_event_state_e state;
    list_t list = {.limit = ctl->options.limit};

    if (sb_ctl_given(ctl, SB_OPTION_STATE)) {
        if (!sb_event_state_parse(&state, ctl->options.state)) {
            return sb_fail(ctl, SB_EXIT_USAGE, "usage", NULL,
                           "--state is one of received, done, failed, ignored.");
        }
        list.state = &state;
    }
    sb_exit_e status = sb_ctl_service(&service, ctl, false);
    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_db_read(service->db, SB_DEADLINE_INGEST, read_list, &list, &result,
                   ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    json_t *events = json_array();
    for (int i = 0; i < list.n; i++) {
        json_array_append_new(events, sb_event_json(&list.rows[i], ctl->pool));
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:o}", "events", events));
        return SB_EXIT_OK;
    }
    sb_events_print(ctl, events);
    json_decref(events);
    return SB_EXIT_OK;
}

/* --- events show ---------------------------------------------------------------------------- */

typedef struct one_t {
    const char *id;
    sb_event_row_t *row;
    const char *body;
} one_t;

static apr_status_t read_one(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    one_t *one = baton;
    apr_status_t rv = sb_event_get(&one->row, conn, one->id, pool);

    one->body = NULL;
    if (rv == APR_SUCCESS && one->row) {
        rv = sb_event_body(&one->body, conn, one->id, pool);
    }
    return rv;
}

static void print_one(const sb_ctl_t *ctl, const json_t *event, const json_t *body,
                      const char *raw)
{
    static const struct {
        const char *label;
        const char *member;
        bool is_time;
    } pairs[] = {
        {"Event", "id", false},
        {"Type", "type", false},
        {"State", "state", false},
        {"Reason", "reason", false},
        {"Source", "source", false},
        {"Object", "object", false},
        {"Created", "created", true},
        {"Received", "received", true},
        {"API version", "api_version", false},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        sb_print_pair(
            ctl, pairs[i].label,
            pairs[i].is_time
                ? sb_time_text(sb_json_int(event, pairs[i].member, 0), ctl->pool)
                : sb_json_text(event, pairs[i].member));
    }
    sb_print_pair(ctl, "Attempts",
                  apr_ltoa(ctl->pool, (long)sb_json_int(event, "attempts", 0)));
    sb_print_pair(ctl, "Mode", sb_json_bool(event, "livemode", false) ? "live" : "test");
    if (!raw) {
        return;
    }
    char *text = body ? json_dumps(body, JSON_INDENT(2)) : NULL;
    sb_print(ctl, "%s", "");
    sb_print_block(ctl, "", text ? text : raw);
    free(text);
}

sb_exit_e sb_command_events_show(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_result_t result;
    one_t one = {.id = ctl->words[0]};
    json_t *body = NULL;
    sb_exit_e status = sb_ctl_service(&service, ctl, false);

    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_db_read(service->db, SB_DEADLINE_INGEST, read_one, &one, &result, ctl->pool) !=
        SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (!one.row) {
        return sb_fail(ctl, SB_EXIT_FAILED, "unknown_event",
                       "subbillctl events list shows those that are.",
                       "There is no event %s.", one.id);
    }
    if (one.body) {
        sb_json_parse(&body, NULL, 0, one.body, strlen(one.body), SB_JSON_DEPTH);
    }
    json_t *event = sb_event_json(one.row, ctl->pool);
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        json_object_set_new(event, "body", body ? body : sb_json_of(one.body, ctl->pool));
        sb_print_json(json_pack("{s:o}", "event", event));
        return SB_EXIT_OK;
    }
    print_one(ctl, event, body, one.body);
    json_decref(event);
    json_decref(body);
    return SB_EXIT_OK;
}
