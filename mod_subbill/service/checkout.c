/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A checkout is a row of ours first and a session at Stripe second. The row's id is derived from what
 * is bought, by whom, and the half hour of the day; so is the idempotency key. A double click, a
 * second host or a lost answer therefore meets the same row and the same session, and nobody pays
 * twice (T11, F17). A row whose session was paid or expired, or that Stripe refused, is passed over:
 * the next number makes another id. No step holds a database connection while Stripe is asked.
 *
 * Of the sessions of one user and group one at most can be paid: whoever claims a row ends the others
 * first. A sale with a trial, which is given once whatever the group, ends those of all groups. Claims of one user take turns; one that finds a row still without a session closes it, and
 * the buyer who waited for that one is told so when its session turns up. */
#include "service/checkout.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "service/access.h"
#include "service/offer.h"
#include "service/patron.h"
#include "service/rival.h"
#include "store/accounts.h"
#include "store/checkouts.h"
#include "store/subscriptions.h"
#include "store/trials.h"
#include "stripe/checkout_sessions.h"
#include "stripe/prices.h"

#include <apr_strings.h>
#include <string.h>

enum {
    REUSE_SECONDS = 1800,
    NUMBERS_MAX = 64, /* purchases of one thing by one user in one half hour */
    ROUNDS_MAX = 3,   /* a missing customer is replaced, a stale row passed over */
};

typedef struct sale_t {
    sb_service_t *service;
    const sb_checkout_request_t *request;
    sb_offer_t offer;
    apr_int64_t now;
    const char *price;    /* id at Stripe */
    const char *customer; /* id at Stripe */
    const char *token;

    /* What the database says about the user. */
    const sb_subscription_t *subs;
    int subs_n;
    const sb_trial_t *trial;

    sb_checkout_t row;
    bool reused; /* row has a page to send the buyer to */
    bool used_up;
    const sb_checkout_t **rivals; /* sessions that must end before */
    int rivals_n;
} sale_t;

/* --- may this user buy this? ---------------------------------------------------------------- */

static apr_status_t read_user(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sale_t *sale = baton;
    bool live = sale->service->settings->live;
    sb_subscription_t *subs;
    sb_trial_t *trial = NULL;
    apr_status_t rv =
        sb_subscription_list(&subs, &sale->subs_n, conn, sale->request->user, live, pool);

    sale->subs = subs;
    if (rv == APR_SUCCESS && sale->offer.trial_days > 0) {
        rv = sb_trial_get(&trial, conn, sale->request->user, live, pool);
    }
    sale->trial = trial;
    return rv;
}

/* Bought and not over, whatever it opens at the moment: an unpaid or paused one is mended in the
 * portal, not bought a second time. A first payment that never came is no reason to refuse. */
static bool is_held(const sb_subscription_t *sub, apr_int64_t now)
{
    apr_int64_t end = sb_subscription_ends_at(sub);

    return !sb_subscription_status_final(sub->status) &&
           sub->status != SB_STATUS_INCOMPLETE && !(end && end <= now);
}

static sb_status_e refuse_second(sb_result_t *result, const sale_t *sale)
{
    for (int i = 0; i < sale->subs_n; i++) {
        const sb_subscription_t *sub = &sale->subs[i];
        if (is_held(sub, sale->now) &&
            sb_access_in_group(sale->service->catalog, sub, sale->offer.plan->group)) {
            return sb_result_set(result, SB_CONFLICT, "already_subscribed",
                                 "You already have a subscription of this kind.",
                                 "change the one you have");
        }
    }
    return SB_OK;
}

/* --- the price ------------------------------------------------------------------------------ */

/* A price that the catalogue knows by its lookup key only has its id at Stripe. */
static sb_status_e find_price(sale_t *sale, sb_result_t *result, apr_pool_t *pool)
{
    const sb_catalog_price_t *price = sale->offer.price;
    sb_stripe_t *stripe = sb_service_stripe(result, sale->service);
    json_t *list;

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sale->price = sb_catalog_price_id(price, sale->service->settings->live);
    if (sale->price) {
        return SB_OK;
    }
    sb_status_e status = sb_stripe_prices_by_lookup_key(&list, result, stripe,
                                                        &price->lookup_key, 1, pool);
    if (status != SB_OK) {
        return status;
    }
    sale->price = sb_json_text(list, "data.0.id");
    if (!sale->price) {
        sb_log(SB_LOG_ERROR, 0, "SB406",
               "Stripe has no active price with lookup key %s, which the catalogue names "
               "for plan %s",
               price->lookup_key, sale->offer.plan->key);
        return sb_result_set(result, SB_INVALID, "unknown_price",
                             "This price does not exist, or no longer does.", NULL);
    }
    return SB_OK;
}

/* --- our row -------------------------------------------------------------------------------- */

static const char *row_id(const sale_t *sale, apr_int64_t slot, int number,
                          apr_pool_t *pool)
{
    char digest[SB_HMAC_HEX_LENGTH + 1];
    const sb_offer_t *offer = &sale->offer;
    const char *text =
        apr_psprintf(pool,
                     "checkout\n%s\n%s\n%s\n%s\n%" APR_INT64_T_FMT "\n%d\n%s\n%s\n%s\n"
                     "%" APR_INT64_T_FMT "\n%d",
                     sale->request->user, sale->service->settings->live ? "live" : "test",
                     sale->customer, sale->price, offer->quantity, offer->trial_days,
                     offer->success_url ? offer->success_url : "",
                     offer->cancel_url ? offer->cancel_url : "",
                     sale->request->return_page, slot, number);
    const void *parts[] = {text};
    const apr_size_t lengths[] = {strlen(text)};

    if (!sb_hmac_sha256_hex(digest, sale->token, strlen(sale->token), parts, lengths,
                            1)) {
        return NULL;
    }
    return apr_pstrcat(pool, "co_", apr_pstrmemdup(pool, digest, 40), NULL);
}

static bool has_page(const sb_checkout_t *row, apr_int64_t now)
{
    return row->state == SB_CHECKOUT_OPEN && row->url &&
           row->created_at > now - REUSE_SECONDS &&
           (row->expires_at == 0 || row->expires_at > now + 60);
}

static apr_status_t insert_row(sale_t *sale, sb_conn_t *conn, const char *id,
                               apr_pool_t *pool)
{
    sale->row = (sb_checkout_t){
        .id = id,
        .livemode = sale->service->settings->live,
        .user = sale->request->user,
        .plan = sale->offer.plan->key,
        .price = sale->price,
        .quantity = sale->offer.quantity,
        .mode = "subscription",
        .success_url = sale->offer.success_url,
        .cancel_url = sale->offer.cancel_url,
        .idempotency_key = apr_pstrcat(pool, "subbill-checkout-", id, NULL),
        .state = SB_CHECKOUT_OPEN,
        .created_at = sale->now,
        .customer = sale->customer,
    };
    return sb_checkout_insert(conn, &sale->row, pool);
}

static apr_status_t find_row(sale_t *sale, sb_conn_t *conn, apr_pool_t *pool)
{
    apr_int64_t slot = sale->now / REUSE_SECONDS;

    sale->reused = sale->used_up = false;
    for (apr_int64_t s = slot - 1; s <= slot; s++) {
        for (int number = 0; number < NUMBERS_MAX; number++) {
            sb_checkout_t *row = NULL;
            const char *id = row_id(sale, s, number, pool);
            apr_status_t rv = sb_checkout_by_id(&row, conn, id, pool);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            if (!row && s == slot) {
                return insert_row(sale, conn, id, pool);
            }
            if (!row) {
                break;
            }
            sale->reused = has_page(row, sale->now);
            if (sale->reused ||
                (s == slot && row->state == SB_CHECKOUT_OPEN && !row->url)) {
                sale->row = *row;
                return APR_SUCCESS;
            }
        }
    }
    sale->used_up = true;
    return APR_SUCCESS;
}

/* A plan that left the catalogue may have been of any group. Rows do not say which of them give a trial, of which
 * there is one for all groups. */
static bool is_rival(const sale_t *sale, const sb_checkout_t *row)
{
    const sb_catalog_plan_t *plan =
        row->plan ? sb_catalog_plan(sale->service->catalog, row->plan) : NULL;

    return !plan || sale->offer.trial_days > 0 ||
           strcmp(plan->group, sale->offer.plan->group) == 0;
}

static apr_status_t find_rivals(sale_t *sale, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_checkout_t **rows;
    int n;
    apr_status_t rv = sb_checkout_rivals(&rows, &n, conn, &sale->row, sale->now, pool);

    sale->rivals = rows;
    sale->rivals_n = 0;
    for (int i = 0; rv == APR_SUCCESS && i < n; i++) {
        if (!is_rival(sale, rows[i])) {
            continue;
        }
        if (rows[i]->session) {
            sale->rivals[sale->rivals_n++] = rows[i];
        }
        else {
            rv = sb_checkout_close(conn, rows[i]->id, SB_CHECKOUT_EXPIRED, pool);
        }
    }
    return rv;
}

static apr_status_t claim_row(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sale_t *sale = baton;
    apr_status_t rv = sb_account_ensure(conn, sale->request->user, sale->request->email,
                                        sale->now, pool);

    if (rv == APR_SUCCESS) {
        rv = sb_checkout_turn(conn, sale->request->user, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = find_row(sale, conn, pool);
    }
    return rv == APR_SUCCESS && !sale->used_up ? find_rivals(sale, conn, pool) : rv;
}

static sb_status_e claim(sale_t *sale, sb_result_t *result, apr_pool_t *pool)
{
    sb_db_t *db = sale->service->db;
    sb_status_e status =
        sb_db_transaction(db, SB_DEADLINE_PAGE, claim_row, sale, result, pool);

    /* Refused: another host has inserted the same row since we looked. It is there now. */
    if (status != SB_OK && result->code &&
        strcmp(result->code, "database_refused") == 0) {
        sb_result_clear(result);
        status = sb_db_transaction(db, SB_DEADLINE_PAGE, claim_row, sale, result, pool);
    }
    if (status == SB_OK && sale->used_up) {
        sb_result_set(result, SB_TOO_MANY, "too_many_requests",
                      "That was too many requests in a short time.", NULL);
        result->retry_after = REUSE_SECONDS;
        return SB_TOO_MANY;
    }
    return status;
}

static apr_status_t keep_session(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    sale_t *sale = baton;
    const sb_checkout_t *row = &sale->row;
    sb_checkout_t *stored = NULL;
    apr_status_t rv = sb_checkout_set_session(conn, row->id, row->session, row->url,
                                              row->customer, row->expires_at, pool);

    if (rv == APR_SUCCESS) {
        rv = sb_checkout_by_id(&stored, conn, row->id, pool);
    }
    if (stored) {
        sale->row.state = stored->state;
    }
    return rv;
}

static apr_status_t close_row(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const sale_t *sale = baton;

    return sb_checkout_close(conn, sale->row.id, SB_CHECKOUT_FAILED, pool);
}

/* --- the session ---------------------------------------------------------------------------- */

static const char *return_address(const char *page, apr_pool_t *pool)
{
    return apr_pstrcat(pool, page, strchr(page, '?') ? "&" : "?",
                       "session_id={CHECKOUT_SESSION_ID}", NULL);
}

static sb_status_e create_session(json_t **answer, sb_result_t *result,
                                  const sale_t *sale, apr_pool_t *pool)
{
    const sb_catalog_checkout_t *options = &sale->service->catalog->checkout;
    const sb_stripe_checkout_t create = {
        .customer = sale->customer,
        .price = sale->price,
        .quantity = sale->offer.quantity,
        .success_url = return_address(sale->request->return_page, pool),
        .cancel_url = sale->offer.cancel_url,
        .client_reference_id = sale->request->user,
        .user = sale->request->user,
        .checkout = sale->row.id,
        .plan = sale->offer.plan->key,
        .trial_days = sale->offer.trial_days,
        .card_required =
            sale->offer.trial_days == 0 || !sale->offer.plan->trial_without_card,
        .promotion_codes = options->promotion_codes,
        .automatic_tax = options->automatic_tax,
        .tax_id_collection = options->tax_id_collection,
        .billing_address_collection = options->billing_address_collection,
        .consent_terms_of_service = options->consent_terms_of_service,
        .consent_promotions = options->consent_promotions,
        .locale = sale->offer.locale,
    };

    return sb_stripe_checkout_create(answer, result, sale->service->stripe, &create,
                                     sale->row.idempotency_key, pool);
}

/* The row goes with its key; when no answer came the same key must be used again. */
static void give_up_row(sale_t *sale, sb_status_e status, const json_t *error,
                        apr_pool_t *pool)
{
    sb_result_t ignored;

    sb_result_clear(&ignored);
    if (sb_stripe_key_spent(status, error)) {
        sb_db_transaction(sale->service->db, SB_DEADLINE_PAGE, close_row, sale, &ignored,
                          pool);
    }
}

static sb_status_e another_checkout(sb_result_t *result)
{
    return sb_result_set(result, SB_CONFLICT, "another_checkout",
                         "Another purchase was started in the meantime.",
                         "go on there, or start again");
}

/* Another tab was faster: it has closed our row, and its session is the one to pay. Nobody has seen
 * ours, so it does no harm when it cannot be ended. */
static sb_status_e step_back(sale_t *sale, sb_result_t *result, apr_pool_t *pool)
{
    sb_result_t ignored;
    json_t *session;

    sb_result_clear(&ignored);
    sb_stripe_checkout_expire(&session, &ignored, sale->service->stripe,
                              sale->row.session, pool);
    return another_checkout(result);
}

/* *stale: a rival was paid and has used the trial that our row stands for. */
static sb_status_e end_rivals(bool *stale, sale_t *sale, sb_result_t *result,
                              apr_pool_t *pool)
{
    bool complete = false;
    sb_status_e status = SB_OK;

    for (int i = 0; status == SB_OK && i < sale->rivals_n; i++) {
        status = sb_rival_end(&complete, result, sale->service, sale->rivals[i], pool);
    }
    if (status == SB_OK && complete) {
        status = sb_db_read(sale->service->db, SB_DEADLINE_PAGE, read_user, sale, result,
                            pool);
    }
    if (status == SB_OK && complete) {
        status = refuse_second(result, sale);
    }
    if (status == SB_OK && sale->trial && sale->offer.trial_days > 0) {
        sale->offer.trial_days = 0;
        *stale = true;
        return another_checkout(result);
    }
    return status;
}

/* Claims a row and fills it with a session. *missing: the customer is gone at Stripe; *stale: the
 * row's key was used with other details, before the catalogue changed, say, or its trial is used up. */
static sb_status_e sell(bool *missing, bool *stale, sale_t *sale, sb_result_t *result,
                        apr_pool_t *pool)
{
    json_t *answer = NULL;
    sb_status_e status = claim(sale, result, pool);

    *missing = *stale = false;
    if (status == SB_OK) {
        status = end_rivals(stale, sale, result, pool);
    }
    if (status != SB_OK || sale->reused) {
        return status;
    }
    status = create_session(&answer, result, sale, pool);
    if (status != SB_OK) {
        *missing = sb_patron_missing(status, answer);
        *stale = result->code && strcmp(result->code, "idempotency_error") == 0;
        give_up_row(sale, status, answer, pool);
        return status;
    }
    sale->row.session = sb_json_text(answer, "id");
    sale->row.url = sb_json_text(answer, "url");
    sale->row.expires_at = sb_json_int(answer, "expires_at", 0);
    if (!sale->row.url) {
        give_up_row(sale, SB_UPSTREAM, answer, pool);
        return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                             "The payment service answered without a page to pay on.",
                             NULL);
    }
    status = sb_db_transaction(sale->service->db, SB_DEADLINE_PAGE, keep_session, sale,
                               result, pool);
    return status == SB_OK && sale->row.state != SB_CHECKOUT_OPEN
               ? step_back(sale, result, pool)
               : status;
}

sb_status_e sb_checkout_start(sb_checkout_answer_t *answer, sb_result_t *result,
                              sb_service_t *service, const sb_checkout_request_t *request,
                              apr_pool_t *pool)
{
    sale_t sale = {.service = service, .request = request, .now = sb_clock_now()};
    const char *gone = NULL;
    bool missing = true, stale = false;

    *answer = (sb_checkout_answer_t){.id = NULL};
    sb_status_e status = sb_offer_find(&sale.offer, result, service, request, pool);
    if (status == SB_OK) {
        status =
            sb_db_read(service->db, SB_DEADLINE_PAGE, read_user, &sale, result, pool);
    }
    if (status == SB_OK) {
        status = refuse_second(result, &sale);
    }
    if (status == SB_OK) {
        status = find_price(&sale, result, pool);
    }
    if (status == SB_OK) {
        status = sb_service_token_key(&sale.token, result, service, pool);
    }
    if (sale.trial) {
        sale.offer.trial_days = 0; /* once per user, for ever */
    }
    for (int i = 0; status == SB_OK && (missing || stale) && i < ROUNDS_MAX; i++) {
        status = sb_patron_ensure(&sale.customer, result, service, request->user,
                                  request->email, request->locale, gone, pool);
        if (status != SB_OK) {
            break;
        }
        status = sell(&missing, &stale, &sale, result, pool);
        if ((missing || stale) && i + 1 < ROUNDS_MAX) {
            gone = missing ? sale.customer : NULL;
            status = SB_OK;
            sb_result_clear(result);
        }
    }
    if (status != SB_OK) {
        return status;
    }
    *answer = (sb_checkout_answer_t){
        .id = sale.row.session, .url = sale.row.url, .reused = sale.reused};
    sb_log(SB_LOG_INFO, 0, "SB407", "checkout %s of %s for user %s: session %s%s",
           sale.row.id, sale.offer.plan->key, request->user, answer->id,
           sale.reused ? " again" : "");
    return SB_OK;
}
