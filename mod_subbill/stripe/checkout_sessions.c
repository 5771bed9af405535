/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Stripe's rules between parameters are kept here: customer_update goes with automatic
 * tax and tax ids because the customer always exists before the session; a trial
 * without a card says what happens at its end; metadata is written twice because a
 * session does not hand its own on to its subscription. */
#include "stripe/checkout_sessions.h"
#include "stripe/customers.h"

#include <apr_strings.h>
#include <string.h>

#define REFERENCE_MAX 200

static void metadata_add(sb_form_t *params, const char *prefix, const char *key,
                         const char *value, apr_pool_t *pool)
{
    sb_form_add(params,
                apr_psprintf(pool, "%smetadata%s[%s]", prefix, *prefix ? "]" : "", key),
                value);
}

static void binding_add(sb_form_t *params, const sb_stripe_checkout_t *create,
                        apr_pool_t *pool)
{
    static const char *const prefixes[] = {"", "subscription_data["};

    for (int i = 0; i < 2; i++) {
        metadata_add(params, prefixes[i], SB_STRIPE_METADATA_USER, create->user, pool);
        metadata_add(params, prefixes[i], "subbill_checkout", create->checkout, pool);
        metadata_add(params, prefixes[i], "subbill_plan", create->plan, pool);
    }
    if (create->client_reference_id && *create->client_reference_id &&
        strlen(create->client_reference_id) <= REFERENCE_MAX) {
        sb_form_add(params, "client_reference_id", create->client_reference_id);
    }
}

static void trial_add(sb_form_t *params, const sb_stripe_checkout_t *create)
{
    if (create->trial_days > 0) {
        sb_form_add_int(params, "subscription_data[trial_period_days]",
                        create->trial_days);
    }
    if (create->card_required) {
        return;
    }
    sb_form_add(params, "payment_method_collection", "if_required");
    if (create->trial_days > 0) {
        sb_form_add(
            params,
            "subscription_data[trial_settings][end_behavior][missing_payment_method]",
            "cancel");
    }
}

static void options_add(sb_form_t *params, const sb_stripe_checkout_t *create)
{
    if (create->promotion_codes) {
        sb_form_add_bool(params, "allow_promotion_codes", true);
    }
    if (create->automatic_tax) {
        sb_form_add_bool(params, "automatic_tax[enabled]", true);
        sb_form_add(params, "customer_update[address]", "auto");
    }
    if (create->tax_id_collection) {
        sb_form_add_bool(params, "tax_id_collection[enabled]", true);
        sb_form_add(params, "customer_update[name]", "auto");
    }
    sb_form_add(params, "billing_address_collection", create->billing_address_collection);
    sb_form_add(params, "consent_collection[terms_of_service]",
                create->consent_terms_of_service);
    sb_form_add(params, "consent_collection[promotions]", create->consent_promotions);
    sb_form_add(params, "currency", create->currency);
    sb_form_add(params, "locale", create->locale);
    if (create->expires_at) {
        sb_form_add_int(params, "expires_at", create->expires_at);
    }
}

sb_status_e sb_stripe_checkout_create(json_t **session, sb_result_t *result,
                                      sb_stripe_t *stripe,
                                      const sb_stripe_checkout_t *create,
                                      const char *idempotency_key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "mode", "subscription");
    sb_form_add(params, "customer", create->customer);
    sb_form_add(params, "line_items[0][price]", create->price);
    sb_form_add_int(params, "line_items[0][quantity]", create->quantity);
    sb_form_add(params, "success_url", create->success_url);
    sb_form_add(params, "cancel_url", create->cancel_url);
    binding_add(params, create, pool);
    trial_add(params, create);
    options_add(params, create);
    return sb_stripe_call_for(session, result, stripe, "checkout.session", "POST",
                              "/v1/checkout/sessions", params, idempotency_key, pool);
}

sb_status_e sb_stripe_checkout_retrieve(json_t **session, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        const char *const *expand, int n,
                                        apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/checkout/sessions/", id, pool);
    sb_form_t *params = sb_form_create(pool);

    *session = NULL;
    if (!path) {
        return SB_INVALID;
    }
    for (int i = 0; i < n; i++) {
        sb_form_add(params, "expand[]", expand[i]);
    }
    return sb_stripe_call_for(session, result, stripe, "checkout.session", "GET", path,
                              params, NULL, pool);
}

sb_status_e sb_stripe_checkout_expire(json_t **session, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *id,
                                      apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/checkout/sessions/", id, pool);

    *session = NULL;
    return path ? sb_stripe_call_for(session, result, stripe, "checkout.session", "POST",
                                     apr_pstrcat(pool, path, "/expire", NULL), NULL, NULL,
                                     pool)
                : SB_INVALID;
}
