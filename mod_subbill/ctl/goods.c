/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/goods.h"

#include "ctl/output.h"
#include "ctl/session.h"

#include <apr_strings.h>

static sb_exit_e set(sb_ctl_t *ctl, sb_goods_request_t *request, apr_int64_t *before)
{
    sb_service_t *service;
    sb_result_t result;
    sb_exit_e status = sb_ctl_service(&service, ctl, false);

    if (status != SB_EXIT_OK) {
        return status;
    }
    request->user = ctl->words[0];
    request->key = ctl->words[1];
    request->who = sb_ctl_operator(ctl->pool);
    request->dry_run = sb_ctl_given(ctl, SB_OPTION_DRY_RUN);
    sb_result_clear(&result);
    return sb_goods_set(before, &result, service, request, ctl->pool) == SB_OK
               ? SB_EXIT_OK
               : sb_fail_result(ctl, &result);
}

static sb_exit_e purchase(sb_ctl_t *ctl, bool owned)
{
    sb_goods_request_t request = {.thing = SB_THING_PURCHASE, .units = owned};
    apr_int64_t before;
    sb_exit_e status = set(ctl, &request, &before);

    if (status != SB_EXIT_OK) {
        return status;
    }
    bool changed = before != request.units;
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:o, s:o, s:b, s:b, s:b}", "user",
                                sb_json_of(request.user, ctl->pool), "sku",
                                sb_json_of(request.key, ctl->pool), "owned", owned,
                                "changed", changed, "dry_run", request.dry_run));
        return SB_EXIT_OK;
    }
    sb_print(ctl,
             !changed && owned ? "User %s owns %s already."
             : !changed        ? "User %s does not own %s."
             : request.dry_run ? "Would change what user %s has of %s."
             : owned           ? "User %s owns %s from now on."
                               : "User %s does not own %s any more.",
             request.user, request.key);
    return SB_EXIT_OK;
}

sb_exit_e sb_command_purchases_give(sb_ctl_t *ctl)
{
    return purchase(ctl, true);
}

sb_exit_e sb_command_purchases_take(sb_ctl_t *ctl)
{
    return purchase(ctl, false);
}

sb_exit_e sb_command_credit_set(sb_ctl_t *ctl)
{
    sb_goods_request_t request = {.thing = SB_THING_CREDIT,
                                  .units = sb_thing_units(ctl->words[2])};
    apr_int64_t before;

    if (request.units < 0) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage", NULL,
                       "\"%s\" is no number of units: digits only, 15 at most.",
                       ctl->words[2]);
    }
    sb_exit_e status = set(ctl, &request, &before);
    if (status != SB_EXIT_OK) {
        return status;
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json_pack("{s:o, s:o, s:I, s:I, s:b}", "user",
                                sb_json_of(request.user, ctl->pool), "meter",
                                sb_json_of(request.key, ctl->pool), "units",
                                (json_int_t)request.units, "before", (json_int_t)before,
                                "dry_run", request.dry_run));
        return SB_EXIT_OK;
    }
    sb_print(ctl,
             request.dry_run ? "User %s would have %s units of %s; it is %s now."
                             : "User %s has %s units of %s; it was %s.",
             request.user, ctl->words[2], request.key,
             apr_psprintf(ctl->pool, "%" APR_INT64_T_FMT, before));
    return SB_EXIT_OK;
}
