/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/trials.h"

#include "ctl/output.h"
#include "ctl/session.h"

static void told(const sb_ctl_t *ctl, const sb_trial_request_t *request, bool changed)
{
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:o, s:b, s:b}", "user",
                                sb_json_of(request->user, ctl->pool), "changed", changed,
                                "dry_run", request->dry_run));
        return;
    }
    sb_print(ctl,
             !changed           ? "User %s has had the trial already."
             : request->dry_run ? "Would note that user %s has had the trial."
                                : "User %s has had the trial from now on.",
             request->user);
}

sb_exit_e sb_command_trials_mark(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_result_t result;
    bool changed;
    const sb_trial_request_t request = {
        .user = ctl->words[0],
        .who = sb_ctl_operator(ctl->pool),
        .dry_run = sb_ctl_given(ctl, SB_OPTION_DRY_RUN),
    };
    sb_exit_e status = sb_ctl_service(&service, ctl, false);

    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_trial_use(&changed, &result, service, &request, ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    told(ctl, &request, changed);
    return SB_EXIT_OK;
}
