/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The job that lists what a customer may use, page by page, and hands the whole set in as the summary that the
 * webhook could not hold. It is dated by the event that raised the question, so that a summary told since then
 * is not undone. Half a set is of no use: one that does not come in while the lease lasts is listed again
 * from its beginning. */
#include "base/clock.h"
#include "base/json.h"
#include "service/ingest.h"
#include "service/jobs.h"
#include "service/pace.h"
#include "service/refresh.h"
#include "stripe/money.h"

#include <apr_strings.h>

enum { PAGES_MAX = 20 }; /* of 100 */

static sb_status_e bad_answer(sb_result_t *result, const char *message)
{
    return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer", message, NULL);
}

static sb_status_e read_page(bool *more, const char **after, json_t *all,
                             sb_result_t *result, sb_service_t *service,
                             const char *customer, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    json_t *list = NULL;

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_pace_take(result, service, pool);
    if (status == SB_OK) {
        status =
            sb_stripe_active_entitlements(&list, result, stripe, customer, *after, pool);
        sb_pace_heed(status, result, service, pool);
    }
    if (status != SB_OK) {
        return status;
    }
    json_t *data = sb_json_get(list, "data");
    size_t n = json_array_size(data);
    if (json_array_extend(all, data) != 0) {
        return bad_answer(result, "The payment service sent a list without entries.");
    }
    *more = sb_json_bool(list, "has_more", false);
    *after = n ? sb_json_text(json_array_get(data, n - 1), "id") : NULL;
    return *more && !*after ? bad_answer(result, "The payment service's list has no end.")
                            : SB_OK;
}

static sb_status_e keep(sb_result_t *result, sb_service_t *service, const char *customer,
                        const sb_cause_t *cause, json_t *all, apr_pool_t *pool)
{
    json_t *object =
        json_pack("{s:s, s:s, s:b, s:{s:s, s:O, s:b}}", "object",
                  "entitlements.active_entitlement_summary", "customer", customer,
                  "livemode", service->settings->live, "entitlements", "object", "list",
                  "data", all, "has_more", 0);
    sb_ingest_t outcome;

    if (!object) {
        return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.", NULL);
    }
    const sb_event_t event = {
        .id = apr_psprintf(pool, "fetch:%.120s:%.120s", customer, cause->id),
        .type = "entitlements.active_entitlement_summary.updated",
        .created = cause->created,
        .livemode = service->settings->live,
        .api_version = SB_STRIPE_VERSION,
        .kind = "entitlements.active_entitlement_summary",
        .object_id = customer,
        .object = sb_service_own(object, pool),
    };
    return sb_ingest_fact(&outcome, result, service, &event, SB_SOURCE_FETCH, pool);
}

sb_status_e sb_step_entitlements(sb_step_t *step, sb_result_t *result,
                                 sb_service_t *service, apr_pool_t *pool)
{
    const char *customer = step->job->subject, *after = NULL;
    json_t *all = sb_service_own(json_array(), pool);
    sb_status_e status = SB_OK;
    bool more = true;
    sb_cause_t cause;

    if (!sb_refresh_cause_read(&cause, step->job->payload, pool)) {
        return sb_result_set(result, SB_INTERNAL, "bad_payload",
                             "The job does not say which event it is about.", NULL);
    }
    for (int pages = 0; status == SB_OK && more; pages++) {
        if (pages == PAGES_MAX) {
            return bad_answer(result, "The payment service's list is too long.");
        }
        if (pages && sb_clock_monotonic() >= step->until) {
            return sb_result_set(result, SB_UPSTREAM, "step_overdue",
                                 "The payment service takes too long to list this.",
                                 NULL);
        }
        status = read_page(&more, &after, all, result, service, customer, pool);
    }
    return status == SB_OK ? keep(result, service, customer, &cause, all, pool) : status;
}
