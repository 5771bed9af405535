/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/refresh.h"

#include "base/json.h"
#include "service/apply.h"
#include "service/ingest.h"
#include "service/jobs.h"
#include "service/pace.h"
#include "stripe/objects.h"

#include <apr_strings.h>
#include <string.h>

const char *sb_refresh_cause(const sb_event_t *event, apr_pool_t *pool)
{
    /* What an act read is dated by our clock, and is as old as what was stored before. */
    json_t *json = json_pack("{s:s, s:I}", "cause", event->id, "created",
                             (json_int_t)(event->seen ? event->seen : event->created));

    return json ? sb_json_dump(sb_service_own(json, pool), pool) : NULL;
}

bool sb_refresh_cause_read(sb_cause_t *cause, const char *payload, apr_pool_t *pool)
{
    char error[100];
    json_t *json;

    if (!payload ||
        !sb_json_parse(&json, error, sizeof(error), payload, strlen(payload), 4)) {
        return false;
    }
    sb_service_own(json, pool);
    *cause = (sb_cause_t){.id = sb_json_text(json, "cause"),
                          .created = sb_json_int(json, "created", -1)};
    return cause->id && cause->created >= 0;
}

const char *sb_refresh_answer(const char *object, const char *cause, apr_pool_t *pool)
{
    return apr_psprintf(pool, "fetch:%.120s:%.120s", object, cause);
}

/* --- which event an object amounts to --------------------------------------------------------------- */

static const char *of_customer(const json_t *object)
{
    return sb_json_bool(object, "deleted", false) ? "customer.deleted"
                                                  : "customer.updated";
}

static const char *of_session(const json_t *object)
{
    const char *status = sb_json_text(object, "status");

    return status && strcmp(status, "complete") == 0  ? "checkout.session.completed"
           : status && strcmp(status, "expired") == 0 ? "checkout.session.expired"
                                                      : NULL;
}

static const char *of_invoice(const json_t *object)
{
    const char *status = sb_json_text(object, "status");

    return status && strcmp(status, "paid") == 0 ? "invoice.paid" : "invoice.updated";
}

static const char *of_intent(const json_t *object)
{
    const char *status = sb_json_text(object, "status");

    return status && strcmp(status, "succeeded") == 0  ? "payment_intent.succeeded"
           : status && strcmp(status, "canceled") == 0 ? "payment_intent.canceled"
                                                       : "payment_intent.processing";
}

static const struct {
    const char *kind;
    const char *type; /* or, when the object has to be looked at: */
    const char *(*type_of)(const json_t *object); /* NULL: nothing to do */
} kinds[] = {
    {"subscription", "customer.subscription.updated", NULL},
    {"customer", NULL, of_customer},
    {"checkout.session", NULL, of_session},
    {"invoice", NULL, of_invoice},
    {"price", "price.updated", NULL},
    {"product", "product.updated", NULL},
    {"payment_intent", NULL, of_intent},
    {"charge", "charge.updated", NULL},
    {"refund", "refund.updated", NULL},
    {"dispute", "charge.dispute.updated", NULL},
};

static int kind_find(const char *kind)
{
    for (int i = 0; kind && i < (int)(sizeof(kinds) / sizeof(*kinds)); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            return i;
        }
    }
    return -1;
}

const char *sb_refresh_thin(const sb_event_t *event)
{
    if (strncmp(event->type, "v1.", 3) != 0 || kind_find(event->kind) < 0) {
        return "unhandled_type";
    }
    return event->object_id ? NULL : "no_object";
}

/* --- reading it ------------------------------------------------------------------------------------- */

sb_status_e sb_refresh_object(sb_result_t *result, sb_service_t *service,
                              const char *kind, const char *id, const char *type,
                              const sb_cause_t *cause, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    int known = kind_find(kind);
    sb_ingest_t outcome;
    json_t *object;

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    if (known < 0) {
        return sb_result_set(result, SB_INVALID, "unhandled_type",
                             "Objects of this kind are not read.", NULL);
    }
    sb_status_e status = sb_pace_take(result, service, pool);
    if (status == SB_OK) {
        status = sb_stripe_object_retrieve(&object, result, stripe, kind, id, pool);
        sb_pace_heed(status, result, service, pool);
    }
    if (status != SB_OK) {
        return status;
    }
    if (!type || !sb_apply_find(type)) {
        type = kinds[known].type ? kinds[known].type : kinds[known].type_of(object);
    }
    if (!type) {
        return SB_OK;
    }
    const sb_event_t event = {
        .id = sb_refresh_answer(id, cause->id, pool),
        .type = type,
        .created = cause->created,
        .livemode = service->settings->live,
        .api_version = SB_STRIPE_VERSION,
        .kind = kind,
        .object_id = id,
        .object = object,
    };
    return sb_ingest_fact(&outcome, result, service, &event, SB_SOURCE_FETCH, pool);
}

sb_status_e sb_step_fetch(sb_step_t *step, sb_result_t *result, sb_service_t *service,
                          apr_pool_t *pool)
{
    sb_cause_t cause;

    if (!sb_refresh_cause_read(&cause, step->job->payload, pool)) {
        return sb_result_set(result, SB_INTERNAL, "bad_payload",
                             "The job does not say which event it is about.", NULL);
    }
    return sb_refresh_object(result, service, "subscription", step->job->subject, NULL,
                             &cause, pool);
}
