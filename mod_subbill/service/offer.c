/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/offer.h"

#include "domain/identity.h"
#include "domain/return_url.h"

#include <string.h>

sb_status_e sb_offer_url(const char **checked, sb_result_t *result,
                         const sb_service_t *service, const char *url,
                         const char *configured, const char *fallback, apr_pool_t *pool)
{
    const apr_array_header_t *origins = service->settings->return_urls;
    const char *wish = url && *url ? url : configured;

    *checked = fallback;
    if (!wish) {
        return SB_OK;
    }
    return sb_return_url_check(checked, result, wish, service->settings->base_url,
                               (const char *const *)origins->elts, origins->nelts, pool);
}

static sb_status_e unknown_price(sb_result_t *result)
{
    return sb_result_set(result, SB_INVALID, "unknown_price",
                         "This price does not exist, or no longer does.",
                         "take one from GET plans");
}

static sb_status_e unknown_plan(sb_result_t *result)
{
    return sb_result_set(result, SB_INVALID, "unknown_plan",
                         "This plan does not exist, or no longer does.",
                         "take one from GET plans");
}

static sb_status_e price_by_reference(const sb_catalog_price_t **price,
                                      sb_result_t *result, const sb_service_t *service,
                                      const char *reference)
{
    *price = sb_catalog_price_by_id(service->catalog, reference, service->settings->live);
    if (!*price) {
        *price = sb_catalog_price_by_lookup_key(service->catalog, reference);
    }
    return *price ? SB_OK : unknown_price(result);
}

/* However it was named: a free plan never becomes a subscription, and what is sold by talking is not sold here. */
static sb_status_e refuse_plan(sb_result_t *result, const sb_catalog_plan_t *plan)
{
    if (plan->free) {
        return sb_result_set(result, SB_INVALID, "free_plan",
                             "This plan is free. There is nothing to buy.", NULL);
    }
    if (plan->contact || plan->prices_n == 0) {
        return sb_result_set(result, SB_INVALID, "contact_plan",
                             "This plan is made to measure and cannot be bought online.",
                             plan->contact);
    }
    return SB_OK;
}

static sb_status_e choose(sb_offer_t *offer, sb_result_t *result,
                          const sb_service_t *service,
                          const sb_checkout_request_t *request)
{
    const sb_catalog_t *catalog = service->catalog;
    const sb_catalog_plan_t *plan = NULL;
    sb_status_e status = SB_OK;

    if (request->plan) {
        plan = sb_catalog_plan(catalog, request->plan);
        status = plan ? refuse_plan(result, plan) : unknown_plan(result);
        if (status != SB_OK) {
            return status;
        }
    }
    if (request->price) {
        status = price_by_reference(&offer->price, result, service, request->price);
    }
    else if (request->plan_id) {
        offer->price = sb_catalog_price_by_plan_id(catalog, request->plan_id);
        status = offer->price ? SB_OK : unknown_price(result);
    }
    else if (plan) {
        offer->price = sb_catalog_price_of(plan, request->interval, request->currency);
        status = offer->price ? SB_OK : unknown_price(result);
    }
    else {
        offer->price = catalog->default_price;
        status = offer->price ? SB_OK : unknown_plan(result);
    }
    if (status != SB_OK) {
        return status;
    }
    offer->plan = sb_catalog_plan_at(catalog, offer->price->plan);
    return plan && plan != offer->plan ? unknown_price(result)
                                       : refuse_plan(result, offer->plan);
}

sb_status_e sb_offer_find(sb_offer_t *offer, sb_result_t *result,
                          const sb_service_t *service,
                          const sb_checkout_request_t *request, apr_pool_t *pool)
{
    const sb_settings_t *settings = service->settings;

    *offer = (sb_offer_t){.quantity = request->quantity,
                          .locale = service->catalog->checkout.locale
                                        ? service->catalog->checkout.locale
                                        : request->locale};
    if (!request->user || !*request->user || sb_identity_check(request->user)) {
        return sb_result_set(result, SB_INVALID, "bad_identity",
                             "This user name cannot be used here.", NULL);
    }
    sb_status_e status = choose(offer, result, service, request);
    if (status != SB_OK) {
        return status;
    }
    apr_int64_t least = offer->plan->seats_min ? offer->plan->seats_min : 1;
    apr_int64_t most = offer->plan->seats_min ? offer->plan->seats_max : 1;
    offer->quantity = offer->quantity ? offer->quantity : least;
    if (offer->quantity < least || offer->quantity > most) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_quantity", NULL,
                              "The quantity must lie between %" APR_INT64_T_FMT
                              " and %" APR_INT64_T_FMT ".",
                              least, most);
    }
    offer->trial_days = offer->plan->trial_days;
    if (request->trial_days > offer->trial_days) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_trial", NULL,
                              "The trial of this plan is at most %d days long.",
                              offer->trial_days);
    }
    if (request->trial_days >= 0) {
        offer->trial_days = request->trial_days;
    }
    status = sb_offer_url(&offer->success_url, result, service, request->success_url,
                          settings->success_url, NULL, pool);
    if (status == SB_OK) {
        status = sb_offer_url(&offer->cancel_url, result, service, request->cancel_url,
                              settings->cancel_url, request->cancel_page, pool);
    }
    return status;
}
