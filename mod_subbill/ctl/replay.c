/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/replay.h"

#include "ctl/output.h"
#include "ctl/session.h"

#include <string.h>

typedef struct wanted_t {
    const char *id;
    sb_event_row_t *row;
} wanted_t;

static apr_status_t read_event(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    wanted_t *wanted = baton;

    return sb_event_get(&wanted->row, conn, wanted->id, pool);
}

static sb_exit_e unknown_event(sb_ctl_t *ctl)
{
    return sb_fail(ctl, SB_EXIT_FAILED, "unknown_event",
                   "subbillctl events list shows those that are.",
                   "There is no event %s.", ctl->words[0]);
}

static sb_exit_e would_replay(sb_ctl_t *ctl, sb_service_t *service)
{
    wanted_t wanted = {.id = ctl->words[0]};
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_db_read(service->db, SB_DEADLINE_INGEST, read_event, &wanted, &result,
                   ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    const sb_event_row_t *row = wanted.row;
    if (!row) {
        return unknown_event(ctl);
    }
    bool due = row->state == SB_EVENT_FAILED || row->state == SB_EVENT_RECEIVED;
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:s, s:s, s:b}", "event", row->id, "state",
                                sb_event_state_word(row->state), "would_apply", due));
    }
    else {
        sb_print(ctl,
                 due ? "%s is %s; it would be applied once more."
                     : "%s is %s; there is nothing to do.",
                 row->id, sb_event_state_word(row->state));
    }
    return SB_EXIT_OK;
}

sb_exit_e sb_command_events_replay(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_ingest_t outcome;
    sb_result_t result;
    sb_exit_e status = sb_ctl_service(&service, ctl, true);

    if (status != SB_EXIT_OK) {
        return status;
    }
    if (sb_ctl_given(ctl, SB_OPTION_DRY_RUN)) {
        return would_replay(ctl, service);
    }
    sb_result_clear(&result);
    sb_status_e done =
        sb_replay_event(&outcome, &result, service, ctl->words[0], ctl->pool);
    if (done == SB_NOT_FOUND && strcmp(result.code, "unknown_event") == 0) {
        return unknown_event(ctl);
    }
    if (done != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (strcmp(outcome.state, "failed") == 0) {
        return sb_fail(ctl, SB_EXIT_FAILED, outcome.reason,
                       "subbillctl events show and the error log say more.",
                       "%s still cannot be applied: %s.", outcome.event, outcome.reason);
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:s, s:s, s:s?}", "event", outcome.event, "state",
                                outcome.state, "reason", outcome.reason));
    }
    else {
        sb_print(ctl,
                 strcmp(outcome.state, "duplicate") == 0
                     ? "%s was finished before; nothing was done."
                     : "%s: %s.",
                 outcome.event, outcome.state);
    }
    return SB_EXIT_OK;
}
