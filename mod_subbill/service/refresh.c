/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/refresh.h"

#include "base/log.h"
#include "service/ingest.h"
#include "stripe/subscriptions.h"

#include <apr_strings.h>

enum { FETCH_MS = 2500 };

static sb_status_e fetch(sb_result_t *result, sb_service_t *service, const char *id,
                         const sb_event_t *cause, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    sb_ingest_t outcome;
    json_t *object;

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_stripe_subscription_retrieve(
        &object, result, sb_stripe_hurried(stripe, FETCH_MS, pool), id, pool);
    if (status != SB_OK) {
        return status;
    }
    const sb_event_t event = {
        .id = apr_psprintf(pool, "fetch:%.120s:%.120s", id, cause->id),
        .type = "customer.subscription.updated",
        .created = cause->created,
        .livemode = service->settings->live,
        .api_version = SB_STRIPE_VERSION,
        .kind = "subscription",
        .object_id = id,
        .object = object,
    };
    return sb_ingest_fact(&outcome, result, service, &event, SB_SOURCE_FETCH, pool);
}

sb_status_e sb_refresh_subscription(sb_result_t *result, sb_service_t *service,
                                    const char *id, const sb_event_t *cause,
                                    apr_pool_t *pool)
{
    sb_status_e status = fetch(result, service, id, cause, pool);

    if (status != SB_OK) {
        sb_log(
            SB_LOG_WARNING, 0, "SB404",
            "subscription %s changed twice within a second (event %s) and Stripe could "
            "not be asked which came last: %s",
            id, cause->id, result->code ? result->code : "?");
    }
    return status;
}
