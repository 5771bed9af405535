/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/rebuild.h"

#include "ctl/output.h"
#include "ctl/session.h"

sb_exit_e sb_command_events_rebuild(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_rebuild_t rebuild;
    sb_result_t result;
    sb_exit_e status = sb_ctl_service(&service, ctl, false);

    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_rebuild_run(&rebuild, &result, service, ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:i, s:i, s:i, s:i}", "events", rebuild.events,
                                "applied", rebuild.applied, "bodies_missing",
                                rebuild.bodies, "changed", rebuild.changed));
        return SB_EXIT_OK;
    }
    sb_print(ctl, "%d events read, %d applied.", rebuild.events, rebuild.applied);
    if (rebuild.bodies) {
        sb_print(ctl, "%d have no body any more; what they said is lost.",
                 rebuild.bodies);
    }
    if (rebuild.changed) {
        sb_print(ctl, "%d ended in another state than before.", rebuild.changed);
    }
    return SB_EXIT_OK;
}
