/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/rebuild.h"

#include "ctl/output.h"
#include "ctl/session.h"

static json_t *tables_json(const sb_rebuild_t *rebuild)
{
    json_t *tables = json_object();

    for (int i = 0; i < rebuild->tables_n; i++) {
        json_object_set_new(tables, rebuild->tables[i].name,
                            json_integer(rebuild->tables[i].rows));
    }
    return tables;
}

/* 1 where a rebuild would be refused. */
static sb_exit_e would_rebuild(sb_ctl_t *ctl, const sb_rebuild_t *rebuild)
{
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack(
            "{s:i, s:i, s:i, s:i, s:o, s:b}", "events", rebuild->events, "would_apply",
            rebuild->applied, "waiting", rebuild->waiting, "bodies_missing",
            rebuild->bodies, "rows", tables_json(rebuild), "dry_run", 1));
        return rebuild->rows ? SB_EXIT_FAILED : SB_EXIT_OK;
    }
    sb_print(ctl,
             "%d events read: %d would be applied, %d would wait for Stripe, %d have no "
             "body any more.",
             rebuild->events, rebuild->applied, rebuild->waiting, rebuild->bodies);
    for (int i = 0; i < rebuild->tables_n; i++) {
        if (rebuild->tables[i].rows) {
            sb_print(ctl, "%s holds %" APR_INT64_T_FMT " rows.", rebuild->tables[i].name,
                     rebuild->tables[i].rows);
        }
    }
    sb_print(ctl,
             rebuild->rows
                 ? "Here nothing would be done: the tables to rebuild have to be empty."
                 : "The tables to rebuild are empty.");
    return rebuild->rows ? SB_EXIT_FAILED : SB_EXIT_OK;
}

static void told(const sb_ctl_t *ctl, const sb_rebuild_t *rebuild)
{
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:i, s:i, s:i, s:i}", "events", rebuild->events,
                                "applied", rebuild->applied, "bodies_missing",
                                rebuild->bodies, "changed", rebuild->changed));
        return;
    }
    sb_print(ctl, "%d events read, %d applied.", rebuild->events, rebuild->applied);
    if (rebuild->bodies) {
        sb_print(ctl, "%d have no body any more; what they said is lost.",
                 rebuild->bodies);
    }
    if (rebuild->changed) {
        sb_print(ctl, "%d ended in another state than before.", rebuild->changed);
    }
}

sb_exit_e sb_command_events_rebuild(sb_ctl_t *ctl)
{
    sb_rebuild_t rebuild = {.dry_run = sb_ctl_given(ctl, SB_OPTION_DRY_RUN)};
    sb_service_t *service;
    sb_result_t result;
    sb_exit_e status = sb_ctl_service(&service, ctl, false);

    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_rebuild_run(&rebuild, &result, service, ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (rebuild.dry_run) {
        return would_rebuild(ctl, &rebuild);
    }
    told(ctl, &rebuild);
    return SB_EXIT_OK;
}
