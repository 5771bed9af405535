/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/lifecycle.h"

#include "service/act.h"
#include "service/planned.h"
#include "stripe/objects.h"
#include "stripe/subscriptions.h"

#include <string.h>

/* One call to Stripe; *out as sb_stripe_call(). */
typedef sb_status_e (*call_fn)(json_t **out, sb_result_t *result, sb_act_t *act,
                               apr_pool_t *pool);

static sb_status_e open(sb_act_t *act, sb_result_t *result, sb_service_t *service,
                        const sb_lifecycle_request_t *request, const char *kind,
                        apr_pool_t *pool)
{
    const sb_act_which_t which = {.subscription = request->subscription,
                                  .grace_days = request->grace_days,
                                  .over = strcmp(kind, "cancel") == 0};

    *act =
        (sb_act_t){.service = service, .user = request->user, .kind = kind, .wish = ""};
    return sb_act_open(act, result, &which, pool);
}

/* *out: the subscription as Stripe answered, or what sb_stripe_call() has instead. */
static sb_status_e perform_to(json_t **out, sb_act_t *act, sb_result_t *result,
                              call_fn call, apr_pool_t *pool)
{
    sb_status_e status = sb_act_begin(act, result, pool);

    *out = NULL;
    if (status != SB_OK) {
        return status;
    }
    status = call(out, result, act, pool);
    return sb_act_end(act, result, status, *out, pool);
}

static sb_status_e perform(sb_act_t *act, sb_result_t *result, call_fn call,
                           apr_pool_t *pool)
{
    json_t *out;

    return perform_to(&out, act, result, call, pool);
}

/* --- cancel ------------------------------------------------------------------------------------- */

/* Stripe does not know what it has cancelled as something to cancel: a repeated call, whose first answer got
 * lost, and the second of two clicks are told "missing". */
static sb_status_e call_cancel_now(json_t **out, sb_result_t *result, sb_act_t *act,
                                   apr_pool_t *pool)
{
    sb_result_t ignored;
    json_t *object;
    sb_status_e status =
        sb_stripe_subscription_cancel(out, result, act->stripe, act->now.id, pool);

    if (status != SB_NOT_FOUND) {
        return status;
    }
    sb_result_clear(&ignored);
    if (sb_stripe_object_retrieve(&object, &ignored, act->stripe, "subscription",
                                  act->now.id, pool) != SB_OK ||
        !sb_subscription_status_final(
            sb_subscription_status(sb_json_text(object, "status")))) {
        return status;
    }
    sb_result_clear(result);
    *out = object;
    return SB_OK;
}

/* While a schedule manages the subscription its end cannot be set: what was planned gives way. */
static sb_status_e call_cancel_later(json_t **out, sb_result_t *result, sb_act_t *act,
                                     apr_pool_t *pool)
{
    sb_status_e status = sb_planned_release(out, act, result, 1, pool);

    return status == SB_OK
               ? sb_stripe_subscription_plan_end(out, result, act->stripe, act->now.id,
                                                 true, sb_act_key(act, 2, pool), pool)
               : status;
}

/* Whoever names none means one that is not over, but for the second click. */
static sb_status_e over_already(sb_act_t *act, sb_result_t *result,
                                const sb_lifecycle_request_t *request, apr_pool_t *pool)
{
    bool repeated = true;
    sb_status_e status =
        request->subscription ? SB_OK : sb_act_repeated(&repeated, act, result, pool);

    if (status == SB_OK && !repeated) {
        return sb_act_none(result);
    }
    return status == SB_OK ? sb_act_observe(act, result, pool) : status;
}

sb_status_e sb_lifecycle_cancel(sb_result_t *result, sb_service_t *service,
                                const sb_lifecycle_request_t *request, apr_pool_t *pool)
{
    sb_act_t act;
    sb_status_e status = open(&act, result, service, request, "cancel", pool);

    if (status != SB_OK) {
        return status;
    }
    act.wish = request->immediate ? "immediate" : "at_period_end";
    if (sb_subscription_status_final(act.held->sub->status)) {
        return over_already(&act, result, request, pool);
    }
    bool over = sb_subscription_status_final(act.now.status);
    if (over || (!request->immediate && sb_subscription_ends_at(&act.now))) {
        return sb_act_observe(&act, result, pool);
    }
    if (!request->immediate && act.now.status != SB_STATUS_PAST_DUE) {
        status = sb_act_refuse_status(result, act.now.status);
    }
    return status == SB_OK
               ? perform(&act, result,
                         request->immediate ? call_cancel_now : call_cancel_later, pool)
               : status;
}

/* --- resume ------------------------------------------------------------------------------------- */

/* Whoever set the end, and whichever way: flexible billing makes a day of the period's end, and while a schedule
 * manages the subscription the end is the schedule's, which has to let go first. */
static sb_status_e call_keep(json_t **out, sb_result_t *result, sb_act_t *act,
                             apr_pool_t *pool)
{
    sb_status_e status = sb_planned_release(out, act, result, 1, pool);
    bool set = true;

    if (status == SB_OK && act->now.cancel_at_period_end) {
        status = sb_stripe_subscription_plan_end(out, result, act->stripe, act->now.id,
                                                 false, sb_act_key(act, 2, pool), pool);
        set = status == SB_OK && sb_json_int(*out, "cancel_at", 0) > 0;
    }
    return status == SB_OK && set
               ? sb_stripe_subscription_clear_end(out, result, act->stripe, act->now.id,
                                                  sb_act_key(act, 3, pool), pool)
               : status;
}

static sb_status_e call_resume(json_t **out, sb_result_t *result, sb_act_t *act,
                               apr_pool_t *pool)
{
    return sb_stripe_subscription_resume(out, result, act->stripe, act->now.id,
                                         sb_act_key(act, 1, pool), pool);
}

static sb_status_e call_collect(json_t **out, sb_result_t *result, sb_act_t *act,
                                apr_pool_t *pool)
{
    return sb_stripe_subscription_collect(out, result, act->stripe, act->now.id,
                                          sb_act_key(act, 1, pool), pool);
}

/* The subscription itself stays as it is. */
static sb_status_e call_release(json_t **out, sb_result_t *result, sb_act_t *act,
                                apr_pool_t *pool)
{
    sb_status_e status = sb_planned_release(out, act, result, 1, pool);

    if (status == SB_OK) {
        *out = act->object;
    }
    return status;
}

static bool is_ending(const sb_act_t *act)
{
    return sb_subscription_ends_at(&act->now) != 0;
}

static bool is_paused(const sb_act_t *act)
{
    return act->now.status == SB_STATUS_PAUSED;
}

static bool is_not_collected(const sb_act_t *act)
{
    return act->now.pause_collection != NULL;
}

static bool is_scheduled(const sb_act_t *act)
{
    return act->schedule != NULL;
}

/* What resuming means, in this order, when it does not end a pause. */
static const struct {
    bool (*applies)(const sb_act_t *act);
    call_fn call;
} resumptions[] = {
    {is_ending, call_keep},
    {is_not_collected, call_collect},
    {is_scheduled, call_release},
};

static sb_status_e resumption_unpaid(sb_result_t *result)
{
    return sb_result_set(result, SB_PAYMENT_REQUIRED, "resumption_unpaid",
                         "This subscription stays paused until its invoice is paid.",
                         "pay the open invoice in your account");
}

/* Stripe resumes it when the invoice is paid. The same again would only make another invoice, whether or not we have
 * heard of the first one yet. */
static sb_status_e resume_paused(sb_act_t *act, sb_result_t *result, apr_pool_t *pool)
{
    bool waits = act->held->unpaid != NULL;
    json_t *out;
    sb_status_e status = waits ? SB_OK : sb_act_done(&waits, act, result, pool);

    if (status != SB_OK || waits) {
        return status == SB_OK ? resumption_unpaid(result) : status;
    }
    status = perform_to(&out, act, result, call_resume, pool);
    return status == SB_OK &&
                   sb_subscription_status(sb_json_text(out, "status")) == SB_STATUS_PAUSED
               ? resumption_unpaid(result)
               : status;
}

static sb_status_e nothing_to_resume(sb_act_t *act, sb_result_t *result, apr_pool_t *pool)
{
    bool repeated;
    sb_status_e status = sb_act_repeated(&repeated, act, result, pool);

    if (status != SB_OK || repeated) {
        return status == SB_OK ? sb_act_observe(act, result, pool) : status;
    }
    return sb_result_set(result, SB_CONFLICT, "nothing_to_resume",
                         "This subscription is neither cancelled nor paused.", NULL);
}

sb_status_e sb_lifecycle_resume(sb_result_t *result, sb_service_t *service,
                                const sb_lifecycle_request_t *request, apr_pool_t *pool)
{
    sb_act_t act;
    sb_status_e status = open(&act, result, service, request, "resume", pool);

    if (status != SB_OK) {
        return status;
    }
    if (sb_subscription_status_final(act.now.status)) {
        return sb_act_refuse_status(result, act.now.status);
    }
    if (is_paused(&act) && !is_ending(&act)) {
        return resume_paused(&act, result, pool);
    }
    for (size_t i = 0; i < sizeof(resumptions) / sizeof(*resumptions); i++) {
        if (resumptions[i].applies(&act)) {
            return perform(&act, result, resumptions[i].call, pool);
        }
    }
    return nothing_to_resume(&act, result, pool);
}

/* --- pause -------------------------------------------------------------------------------------- */

static sb_status_e call_pause(json_t **out, sb_result_t *result, sb_act_t *act,
                              apr_pool_t *pool)
{
    sb_status_e status = sb_planned_release(out, act, result, 1, pool);

    return status == SB_OK
               ? sb_stripe_subscription_pause(out, result, act->stripe, act->now.id,
                                              sb_act_key(act, 2, pool), pool)
               : status;
}

sb_status_e sb_lifecycle_pause(sb_result_t *result, sb_service_t *service,
                               const sb_lifecycle_request_t *request, apr_pool_t *pool)
{
    sb_act_t act;
    sb_status_e status = open(&act, result, service, request, "pause", pool);

    if (status != SB_OK) {
        return status;
    }
    if (!act.plan || !act.plan->pause) {
        return sb_result_set(result, SB_CONFLICT, "pause_not_offered",
                             "This plan cannot be paused.", "cancel it instead");
    }
    if (is_paused(&act)) {
        return sb_act_observe(&act, result, pool);
    }
    if (is_ending(&act)) {
        return sb_result_set(result, SB_CONFLICT, "cancellation_planned",
                             "This subscription is cancelled already.",
                             "take the cancellation back first");
    }
    /* A trial that is not used up has nothing to be credited and would only grow longer. */
    if (act.now.status == SB_STATUS_TRIALING) {
        return sb_result_set(result, SB_CONFLICT, "trialing", "A trial cannot be paused.",
                             "cancel it instead");
    }
    status = sb_act_refuse_status(result, act.now.status);
    return status == SB_OK ? perform(&act, result, call_pause, pool) : status;
}
