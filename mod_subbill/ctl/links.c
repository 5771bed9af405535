/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/output.h"
#include "ctl/session.h"
#include "service/links.h"

#include <string.h>

static const char offline_hint[] =
    "With --offline the customer is bound without asking Stripe.";

static void print_json(const sb_ctl_t *ctl, const sb_link_request_t *request,
                       const sb_link_t *link)
{
    json_t *json = json_object();

    json_object_set_new(json, "user", sb_json_of(request->user, ctl->pool));
    json_object_set_new(json, "customer", sb_json_of(request->customer, ctl->pool));
    json_object_set_new(json, "changed", json_boolean(link->changed));
    json_object_set_new(json, "dry_run", json_boolean(request->dry_run));
    json_object_set_new(json, "from_user", sb_json_of(link->from_user, ctl->pool));
    json_object_set_new(json, "from_customer",
                        sb_json_of(link->from_customer, ctl->pool));
    json_object_set_new(json, "subscriptions", json_integer(link->subscriptions));
    sb_print_json(json);
}

static void print_text(const sb_ctl_t *ctl, const sb_link_request_t *request,
                       const sb_link_t *link)
{
    if (!link->changed) {
        sb_print(ctl, "Customer %s belongs to user %s already.", request->customer,
                 request->user);
        return;
    }
    sb_print(ctl,
             request->dry_run ? "Would bind customer %s to user %s."
                              : "Customer %s now belongs to user %s.",
             request->customer, request->user);
    if (link->from_user) {
        sb_print(ctl,
                 request->dry_run ? "User %s would lose it." : "User %s has lost it.",
                 link->from_user);
    }
    if (link->from_customer) {
        sb_print(ctl,
                 request->dry_run ? "The user's customer %s would be let go."
                                  : "The user's customer %s was let go.",
                 link->from_customer);
    }
    if (!request->dry_run) {
        sb_print(ctl, "Subscriptions of the user: %d.", link->subscriptions);
    }
}

/* What Stripe's trouble means to a buyer is told by the result; an operator needs other words. */
static sb_exit_e refused(const sb_ctl_t *ctl, const sb_link_request_t *request,
                         const sb_service_t *service, sb_result_t *result)
{
    if (strcmp(result->code, "resource_missing") == 0) {
        return sb_fail(ctl, SB_EXIT_FAILED, result->code,
                       "Copy the id from the Dashboard, and look which mode it is in.",
                       "Stripe knows no customer %s in %s mode.", request->customer,
                       service->settings->live ? "live" : "test");
    }
    if (sb_exit_of(result) == SB_EXIT_STRIPE) {
        result->hint = offline_hint;
    }
    return sb_fail_result(ctl, result);
}

sb_exit_e sb_command_links_set(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_result_t result;
    sb_link_t link;
    const sb_link_request_t request = {
        .user = ctl->words[0],
        .customer = ctl->words[1],
        .who = sb_ctl_operator(ctl->pool),
        .force = sb_ctl_given(ctl, SB_OPTION_FORCE),
        .offline = sb_ctl_given(ctl, SB_OPTION_OFFLINE),
        .dry_run = sb_ctl_given(ctl, SB_OPTION_DRY_RUN),
    };
    sb_exit_e status = sb_ctl_service(&service, ctl, !request.offline);

    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (!request.offline && !service->stripe) {
        return sb_fail(
            ctl, SB_EXIT_CONFIG, "stripe_not_configured", offline_hint,
            "SubbillStripeKey names no key of mode %s, so Stripe cannot be asked "
            "about the customer.",
            service->settings->live ? "live" : "test");
    }
    if (sb_link_set(&link, &result, service, &request, ctl->pool) != SB_OK) {
        return refused(ctl, &request, service, &result);
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        print_json(ctl, &request, &link);
    }
    else {
        print_text(ctl, &request, &link);
    }
    return SB_EXIT_OK;
}
