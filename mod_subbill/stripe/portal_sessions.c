/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/portal_sessions.h"

#include <apr_strings.h>
#include <string.h>

static const struct {
    const char *name;
    bool needs_subscription;
} flows[] = {{"payment_method_update", false},
             {"subscription_cancel", true},
             {"subscription_update", true}};

/* Adds the flow; false when it is unknown or lacks its subscription. */
static bool flow_add(sb_form_t *params, const sb_stripe_portal_t *create,
                     apr_pool_t *pool)
{
    if (!create->flow) {
        return true;
    }
    for (apr_size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
        if (strcmp(flows[i].name, create->flow) != 0) {
            continue;
        }
        sb_form_add(params, "flow_data[type]", create->flow);
        if (!flows[i].needs_subscription) {
            return true;
        }
        sb_form_add(params,
                    apr_psprintf(pool, "flow_data[%s][subscription]", create->flow),
                    create->subscription);
        return create->subscription != NULL;
    }
    return false;
}

/* Stripe has no code for this: an account that has never saved its portal settings in
 * this mode gets an invalid_request_error whose message says so. */
static bool is_unconfigured(const json_t *error)
{
    const char *message = sb_json_text(error, "message");

    return message && !sb_json_text(error, "code") &&
           strstr(message, "configuration") != NULL;
}

sb_status_e sb_stripe_portal_create(json_t **session, sb_result_t *result,
                                    sb_stripe_t *stripe, const sb_stripe_portal_t *create,
                                    apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    *session = NULL;
    sb_form_add(params, "customer", create->customer);
    sb_form_add(params, "return_url", create->return_url);
    sb_form_add(params, "locale", create->locale);
    if (!flow_add(params, create, pool)) {
        return sb_result_set(result, SB_INVALID, "bad_flow",
                             "The portal cannot open there.", NULL);
    }
    sb_status_e status =
        sb_stripe_call_for(session, result, stripe, "billing_portal.session", "POST",
                           "/v1/billing_portal/sessions", params, NULL, pool);
    if (status == SB_UPSTREAM && is_unconfigured(*session)) {
        return sb_result_set(
            result, SB_UPSTREAM, "portal_not_configured",
            "The page for managing subscriptions is not set up yet.",
            "Save the customer portal's settings in the Stripe Dashboard (Settings, "
            "Billing, Customer portal), once for test and once for live mode.");
    }
    return status;
}
