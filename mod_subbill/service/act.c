/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Our tables may be minutes behind the portal, so every act begins with asking Stripe. What is wanted is
 * written down before it is asked for: the row's id is derived from the wish, from the subscription as it
 * was told, and from how many acts came to an end before, and the idempotency keys are made of it. Two
 * clicks at once are one row and one call; a lost answer is asked for again under its own key; and
 * the same wish later, after others, is a new one (F17). What Stripe answers becomes an event like any
 * other, so that page and gate know before the webhook comes, and tables can be rebuilt. */
#include "service/act.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "service/access.h"
#include "service/ingest.h"
#include "store/actions.h"
#include "stripe/objects.h"

#include <apr_strings.h>
#include <string.h>

enum { REPEAT_SECONDS = 600 };

/* --- which subscription ----------------------------------------------------------------------- */

/* Those that are not over stand first. */
static bool several(const sb_account_view_t *view)
{
    return view->held_n > 1 && !sb_subscription_status_final(view->held[1].sub->status);
}

static const sb_held_t *choose(const sb_act_t *act, const sb_act_which_t *which)
{
    const sb_account_view_t *view = act->view;

    if (!which->subscription && !which->group) {
        return view->main;
    }
    for (int i = 0; i < view->held_n; i++) {
        const sb_subscription_t *sub = view->held[i].sub;
        bool meant = which->subscription ? strcmp(sub->id, which->subscription) == 0
                                         : !sb_subscription_status_final(sub->status) &&
                                               sb_access_in_group(act->service->catalog,
                                                                  sub, which->group);
        if (meant) {
            return &view->held[i];
        }
    }
    return NULL;
}

sb_status_e sb_act_none(sb_result_t *result)
{
    return sb_result_set(result, SB_NOT_FOUND, "no_subscription",
                         "You have no subscription here.", "choose a plan");
}

/* --- asking Stripe ---------------------------------------------------------------------------- */

static sb_status_e read_now(sb_act_t *act, sb_result_t *result, apr_pool_t *pool)
{
    const sb_catalog_t *catalog = act->service->catalog;
    json_t *object;
    sb_status_e status = sb_stripe_object_retrieve(
        &object, result, act->stripe, "subscription", act->held->sub->id, pool);

    if (status == SB_NOT_FOUND) {
        return sb_result_set(result, SB_CONFLICT, "subscription_gone",
                             "The payment service no longer knows this subscription.",
                             "tell the people who run this site");
    }
    if (status == SB_OK) {
        status = sb_event_subscription(&act->now, result, object, pool);
        if (status != SB_OK) {
            return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                                 "The payment service gave an answer we do not "
                                 "understand.",
                                 NULL);
        }
    }
    if (status != SB_OK) {
        return status;
    }
    act->object = object;
    act->schedule = sb_json_id(json_object_get(object, "schedule"));
    act->plan = sb_subscription_map(&act->now, catalog, NULL, NULL)
                    ? sb_catalog_plan(catalog, act->now.plan)
                    : act->held->plan;
    return SB_OK;
}

sb_status_e sb_act_open(sb_act_t *act, sb_result_t *result, const sb_act_which_t *which,
                        apr_pool_t *pool)
{
    sb_account_view_t *view;

    act->stripe = sb_service_stripe(result, act->service);
    if (!act->stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status =
        sb_account_load(&view, result, act->service, act->user, which->grace_days, pool);
    if (status != SB_OK) {
        return status;
    }
    act->view = view;
    /* What GET subscription tells about may be another one at the second click. */
    if (!which->subscription && !which->group && several(view)) {
        return sb_result_set(result, SB_CONFLICT, "several_subscriptions",
                             "You have several subscriptions.",
                             "name the one that is meant: subscription=sub_...");
    }
    act->held = choose(act, which);
    if (!act->held ||
        (!which->over && sb_subscription_status_final(act->held->sub->status))) {
        return sb_act_none(result);
    }
    return read_now(act, result, pool);
}

/* --- the row ---------------------------------------------------------------------------------- */

typedef struct row_work_t {
    const sb_act_t *act;
    const char *token;
    const char *state; /* to set */
    const char *code;
    apr_int64_t now;
    const char *id;
    sb_action_row_t *last;
} row_work_t;

static const char *derive(const row_work_t *work, apr_int64_t ended, apr_pool_t *pool)
{
    char digest[SB_HMAC_HEX_LENGTH + 1];
    const sb_act_t *act = work->act;
    const char *was = sb_json_dump(act->object, pool);
    const char *count = apr_psprintf(pool, "%" APR_INT64_T_FMT, ended);
    const void *parts[] = {"action\n", act->user, "\n", act->now.id, "\n", act->kind,
                           "\n",       act->wish, "\n", count,       "\n", was};
    apr_size_t lengths[sizeof(parts) / sizeof(*parts)];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        lengths[i] = strlen(parts[i]);
    }
    if (!sb_hmac_sha256_hex(digest, work->token, strlen(work->token), parts, lengths,
                            (int)(sizeof(parts) / sizeof(*parts)))) {
        return NULL;
    }
    return apr_pstrcat(pool, "act_", apr_pstrmemdup(pool, digest, 40), NULL);
}

static apr_status_t insert(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    row_work_t *work = baton;
    const sb_act_t *act = work->act;
    apr_int64_t ended = 0;
    apr_status_t rv = sb_action_count(&ended, conn, act->now.id, act->now.livemode, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    work->id = derive(work, ended, pool);
    const sb_action_row_t row = {
        .id = work->id,
        .livemode = act->now.livemode,
        .user = act->user,
        .subscription = act->now.id,
        .kind = act->kind,
        .wish = act->wish,
        .number = ended,
        .created_at = work->now,
    };
    return work->id ? sb_action_insert(conn, &row, pool) : APR_ENOMEM;
}

sb_status_e sb_act_begin(sb_act_t *act, sb_result_t *result, apr_pool_t *pool)
{
    row_work_t work = {.act = act, .now = sb_clock_now()};
    sb_status_e status = sb_service_token_key(&work.token, result, act->service, pool);

    if (status == SB_OK) {
        status = sb_db_transaction(act->service->db, SB_DEADLINE_PAGE, insert, &work,
                                   result, pool);
    }
    act->id = status == SB_OK ? work.id : NULL;
    return status;
}

const char *sb_act_key(const sb_act_t *act, int step, apr_pool_t *pool)
{
    return apr_psprintf(pool, "subbill-%s-%d", act->id, step);
}

static apr_status_t finish(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const row_work_t *work = baton;

    return sb_action_finish(conn, work->act->id, work->state, work->code, work->now,
                            pool);
}

static sb_status_e note_end(const sb_act_t *act, sb_result_t *result, const char *state,
                            const char *code, apr_pool_t *pool)
{
    row_work_t work = {.act = act, .state = state, .code = code, .now = sb_clock_now()};

    return sb_db_transaction(act->service->db, SB_DEADLINE_PAGE, finish, &work, result,
                             pool);
}

static apr_status_t find_last(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    row_work_t *work = baton;

    return sb_action_last(&work->last, conn, work->act->now.id, work->act->now.livemode,
                          pool);
}

/* *state of this very wish when it was the newest, minutes ago at most; else NULL. */
static sb_status_e state_before(const char **state, sb_act_t *act, sb_result_t *result,
                                apr_pool_t *pool)
{
    row_work_t work = {.act = act, .now = sb_clock_now()};
    sb_status_e status =
        sb_db_read(act->service->db, SB_DEADLINE_PAGE, find_last, &work, result, pool);
    const sb_action_row_t *last = work.last;
    bool same = status == SB_OK && last && strcmp(last->user, act->user) == 0 &&
                strcmp(last->kind, act->kind) == 0 &&
                strcmp(last->wish, act->wish) == 0 &&
                last->created_at > work.now - REPEAT_SECONDS;

    *state = same ? last->state : NULL;
    return status;
}

sb_status_e sb_act_repeated(bool *repeated, sb_act_t *act, sb_result_t *result,
                            apr_pool_t *pool)
{
    const char *state;
    sb_status_e status = state_before(&state, act, result, pool);

    *repeated = state && strcmp(state, SB_ACTION_FAILED) != 0;
    return status;
}

sb_status_e sb_act_done(bool *done, sb_act_t *act, sb_result_t *result, apr_pool_t *pool)
{
    const char *state;
    sb_status_e status = state_before(&state, act, result, pool);

    *done = state && strcmp(state, SB_ACTION_DONE) == 0;
    return status;
}

/* --- what became of it ------------------------------------------------------------------------ */

/* What was read before the last call may be older than a webhook that came during it: it is dated like
 * what was stored before, and says what that was, for a second is long. */
static sb_status_e apply(const sb_act_t *act, sb_result_t *result, const json_t *object,
                         const char *id, apr_pool_t *pool)
{
    const char *status = sb_json_text(object, "status");
    bool over = status && strcmp(status, "canceled") == 0;
    bool before = object == act->object;
    const sb_subscription_t *held = act->held->sub;
    sb_ingest_t outcome;
    const sb_event_t event = {
        .id = id,
        .type = over ? "customer.subscription.deleted" : "customer.subscription.updated",
        .created = sb_clock_now(),
        .livemode = act->service->settings->live,
        .api_version = SB_STRIPE_VERSION,
        .kind = "subscription",
        .object_id = act->now.id,
        .object = object,
        .seen = before ? held->event_created : 0,
        .seen_event = before ? held->event_id : NULL,
    };

    return sb_ingest_fact(&outcome, result, act->service, &event, SB_SOURCE_ACTION, pool);
}

sb_status_e sb_act_observe(sb_act_t *act, sb_result_t *result, apr_pool_t *pool)
{
    const char *id = apr_psprintf(pool, "seen:%.120s:%" APR_INT64_T_FMT, act->now.id,
                                  (apr_int64_t)apr_time_now());

    return apply(act, result, act->object, id, pool);
}

sb_status_e sb_act_missing(sb_result_t *result, const json_t *error)
{
    const char *param = sb_json_text(error, "param");

    return param && strstr(param, "[price]")
               ? sb_result_set(result, SB_INVALID, "unknown_price",
                               "This price does not exist, or no longer does.",
                               "take one from GET plans")
               : sb_result_set(result, SB_CONFLICT, "subscription_changed",
                               "This subscription was changed elsewhere meanwhile.",
                               "look at it and try again");
}

sb_status_e sb_act_end(sb_act_t *act, sb_result_t *result, sb_status_e status,
                       const json_t *out, apr_pool_t *pool)
{
    sb_result_t trouble;

    if (status != SB_OK) {
        sb_result_clear(&trouble);
        if (sb_stripe_key_spent(status, out)) {
            note_end(act, &trouble, SB_ACTION_FAILED,
                     apr_psprintf(pool, "%.100s", result->code ? result->code : ""),
                     pool);
        }
        sb_log(SB_LOG_WARNING, 0, "SB460", "%s of %s for user %s: %s (%s)", act->kind,
               act->now.id, act->user,
               sb_stripe_key_spent(status, out) ? "refused" : "no answer",
               result->code ? result->code : "-");
        return status == SB_NOT_FOUND ? sb_act_missing(result, out) : status;
    }
    sb_log(SB_LOG_INFO, 0, "SB461", "%s of %s for user %s: done (%s)", act->kind,
           act->now.id, act->user, act->wish);
    status = apply(act, result, out, act->id, pool);
    return status == SB_OK ? note_end(act, result, SB_ACTION_DONE, NULL, pool) : status;
}

sb_status_e sb_act_refuse_status(sb_result_t *result, sb_subscription_status_e status)
{
    switch (status) {
    case SB_STATUS_TRIALING:
    case SB_STATUS_ACTIVE:
        return SB_OK;
    case SB_STATUS_PAST_DUE:
        return sb_result_set(result, SB_CONFLICT, "past_due",
                             "A payment of this subscription is overdue.",
                             "pay the open invoice first");
    case SB_STATUS_UNPAID:
        return sb_result_set(result, SB_CONFLICT, "unpaid",
                             "Payments of this subscription failed.",
                             "pay the open invoice first");
    case SB_STATUS_INCOMPLETE:
        return sb_result_set(result, SB_CONFLICT, "incomplete",
                             "The first payment of this subscription is not through.",
                             "pay the open invoice first");
    case SB_STATUS_PAUSED:
        return sb_result_set(result, SB_CONFLICT, "paused",
                             "This subscription is paused.", "resume it first");
    case SB_STATUS_CANCELED:
    case SB_STATUS_INCOMPLETE_EXPIRED:
        return sb_result_set(result, SB_CONFLICT, "ended", "This subscription has ended.",
                             "choose a plan");
    case SB_STATUS_UNKNOWN:
        break;
    }
    return sb_result_set(result, SB_CONFLICT, "unknown_status",
                         "This subscription is in a state that this version does not "
                         "know.",
                         NULL);
}
