/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Compared is what decides about access or is shown to people, and only what an event would replace: a
 * difference that letting the object in does not end would be told for ever. */
#include "service/drift.h"

#include "base/crypto.h"
#include "base/json.h"
#include "domain/stripe_event.h"
#include "domain/stripe_money.h"
#include "service/ingest.h"
#include "store/customers.h"
#include "store/disputes.h"
#include "store/invoices.h"
#include "store/prices.h"
#include "store/subscriptions.h"
#include "stripe/lists.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

typedef struct look_t {
    sb_service_t *service;
    sb_drift_t *drift;
    const json_t *object;
    sb_result_t *result;
    sb_status_e status;
    apr_pool_t *pool;
} look_t;

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void differ(look_t *look, const char *field, const char *stored, const char *told)
{
    APR_ARRAY_PUSH(look->drift->differences, sb_difference_t) =
        (sb_difference_t){.field = field, .stored = stored, .told = told};
}

static void compare(look_t *look, const char *field, const char *stored, const char *told)
{
    if (!same(stored, told)) {
        differ(look, field, stored, told);
    }
}

static const char *number(apr_int64_t n, apr_pool_t *pool)
{
    return n ? apr_psprintf(pool, "%" APR_INT64_T_FMT, n) : NULL;
}

static void compare_number(look_t *look, const char *field, apr_int64_t stored,
                           apr_int64_t told)
{
    compare(look, field, number(stored, look->pool), number(told, look->pool));
}

static void compare_flag(look_t *look, const char *field, bool stored, bool told)
{
    compare(look, field, stored ? "true" : "false", told ? "true" : "false");
}

/* Reads what the object says; false: look->status tells, or it is of the other mode. */
static bool ours(look_t *look, sb_status_e status, const char *id, bool livemode)
{
    look->status = status;
    if (status != SB_OK) {
        return false;
    }
    look->drift->id = id;
    look->drift->livemode = livemode;
    return livemode == look->service->settings->live;
}

static apr_int64_t made_at(const look_t *look)
{
    apr_int64_t created = sb_json_int(look->object, "created", 0);

    return created > 0 ? created : 0;
}

/* The row's own words, or that there is none. */
static void found(look_t *look, bool known, apr_int64_t stated_at, const char *stamp,
                  const char *told)
{
    sb_drift_t *drift = look->drift;

    drift->known = known;
    drift->stated_at = known ? stated_at : made_at(look);
    drift->stamp = known && stamp ? stamp : "";
    if (!known) {
        differ(look, "missing_here", NULL, told);
    }
}

/* --- subscriptions ----------------------------------------------------------------------------- */

/* What the price table knows of prices that the stored subscription does not have. */
typedef struct plans_t {
    const sb_subscription_t *stored;
    sb_conn_t *conn;
    bool livemode;
    apr_pool_t *pool;
    apr_status_t rv;
} plans_t;

static const char *plan_of(void *baton, const char *id)
{
    plans_t *plans = baton;
    sb_product_t *product = NULL;
    sb_price_t *price = NULL;

    for (int i = 0; plans->stored && i < plans->stored->items_n; i++) {
        if (same(plans->stored->items[i].price, id)) {
            return plans->stored->items[i].remembered;
        }
    }
    if (plans->rv == APR_SUCCESS) {
        plans->rv = sb_price_get(&price, plans->conn, id, plans->livemode, plans->pool);
    }
    if (plans->rv == APR_SUCCESS && price && !price->plan && price->product) {
        plans->rv = sb_product_get(&product, plans->conn, price->product, plans->livemode,
                                   plans->pool);
    }
    return price && price->plan ? price->plan : product ? product->plan : NULL;
}

/* "price_a x1, price_b x3" */
static const char *items_text(const sb_subscription_t *sub, apr_pool_t *pool)
{
    const char *text = NULL;

    for (int i = 0; i < sub->items_n; i++) {
        text =
            apr_psprintf(pool, "%s%s%s x%" APR_INT64_T_FMT, text ? text : "",
                         text ? ", " : "", sub->items[i].price, sub->items[i].quantity);
    }
    return text;
}

static void compare_subscription(look_t *look, const sb_subscription_t *stored,
                                 const sb_subscription_t *told)
{
    const struct {
        const char *field;
        apr_int64_t stored, told;
    } times[] = {
        {"current_period_end", stored->current_period_end, told->current_period_end},
        {"trial_end", stored->trial_end, told->trial_end},
        {"cancel_at", stored->cancel_at, told->cancel_at},
        {"ended_at", stored->ended_at, told->ended_at},
    };

    compare(look, "status", stored->status_text, told->status_text);
    compare(look, "plan", stored->plan, told->plan);
    compare(look, "price", stored->price, told->price);
    compare(look, "items", items_text(stored, look->pool), items_text(told, look->pool));
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        compare_number(look, times[i].field, times[i].stored, times[i].told);
    }
    compare_flag(look, "cancel_at_period_end", stored->cancel_at_period_end,
                 told->cancel_at_period_end);
    compare(look, "pause_collection", stored->pause_collection, told->pause_collection);
    compare(look, "customer", stored->customer, told->customer);
    if (!stored->user) {
        compare(look, "user", NULL, told->metadata_user);
    }
    look->drift->repairable =
        !sb_subscription_status_final(stored->status) || stored->status == told->status;
}

static apr_status_t look_subscription(look_t *look, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_subscription_t told, *stored = NULL;
    sb_status_e status = sb_event_subscription(&told, look->result, look->object, pool);

    if (!ours(look, status, told.id, told.livemode)) {
        return APR_SUCCESS;
    }
    look->drift->event = "customer.subscription.updated";
    apr_status_t rv = sb_subscription_get(&stored, conn, told.id, told.livemode, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    plans_t plans = {
        .stored = stored, .conn = conn, .livemode = told.livemode, .pool = pool};
    sb_subscription_map(&told, look->service->catalog, plan_of, &plans);
    found(look, stored, stored ? stored->event_created : 0,
          stored ? stored->event_id : NULL, told.status_text);
    if (stored) {
        compare_subscription(look, stored, &told);
    }
    return plans.rv;
}

/* --- customers ---------------------------------------------------------------------------------- */

/* A customer that names no user is a stranger until a checkout or an operator says whose it is; one that
 * an operator gave to somebody else than it names stays where it is. */
static apr_status_t look_customer(look_t *look, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_customer_t *stored = NULL, *other = NULL;
    sb_customer_facts_t told;
    sb_status_e status = sb_event_customer(&told, look->result, look->object, pool);

    if (!ours(look, status, told.id, told.livemode) || !told.metadata_user) {
        return APR_SUCCESS;
    }
    look->drift->event = "customer.updated";
    apr_status_t rv = sb_customer_by_id(&stored, conn, told.id, told.livemode, pool);
    if (rv == APR_SUCCESS) {
        rv = sb_customer_by_user(&other, conn, told.metadata_user, told.livemode, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    bool free_user = !other || same(other->id, told.id);
    found(look, stored, made_at(look), stored ? stored->user : NULL, told.metadata_user);
    if (!stored) {
        look->drift->repairable = free_user;
        return APR_SUCCESS;
    }
    bool operators = same(stored->source, SB_SOURCE_OPERATOR);
    if (!(operators && stored->user)) {
        compare(look, "user", stored->user, told.metadata_user);
    }
    compare_flag(look, "deleted", stored->deleted_at != 0, told.deleted);
    look->drift->repairable = free_user && !stored->user;
    return APR_SUCCESS;
}

/* --- products and prices ------------------------------------------------------------------------- */

static apr_status_t look_product(look_t *look, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_product_t *stored = NULL;
    sb_product_facts_t told;
    sb_status_e status = sb_event_product(&told, look->result, look->object, pool);

    if (!ours(look, status, told.id, told.livemode)) {
        return APR_SUCCESS;
    }
    look->drift->event = "product.updated";
    apr_status_t rv = sb_product_get(&stored, conn, told.id, told.livemode, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found(look, stored, stored ? stored->updated_at : 0,
          stored ? number(stored->updated_at, pool) : NULL, told.name);
    if (stored) {
        compare(look, "name", stored->name, told.name);
        compare_flag(look, "active", stored->active, told.active);
        compare(look, "plan", stored->plan,
                told.metadata_plan ? told.metadata_plan : stored->plan);
    }
    return APR_SUCCESS;
}

static apr_status_t look_price(look_t *look, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_price_t *stored = NULL;
    sb_price_facts_t told;
    sb_status_e status = sb_event_price(&told, look->result, look->object, pool);

    if (!ours(look, status, told.id, told.livemode)) {
        return APR_SUCCESS;
    }
    look->drift->event = "price.updated";
    apr_status_t rv = sb_price_get(&stored, conn, told.id, told.livemode, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found(look, stored, stored ? stored->updated_at : 0,
          stored ? number(stored->updated_at, pool) : NULL, told.product);
    if (stored) {
        compare_flag(look, "active", stored->active, told.active);
        compare_number(look, "amount", stored->amount, told.amount);
        compare(look, "currency", stored->currency, told.currency);
        compare(look, "interval", stored->interval, told.interval);
        compare_number(look, "interval_count", stored->interval_count,
                       told.interval_count);
        compare(look, "product", stored->product,
                told.product ? told.product : stored->product);
        compare(look, "lookup_key", stored->lookup_key,
                told.lookup_key ? told.lookup_key : stored->lookup_key);
    }
    return APR_SUCCESS;
}

/* --- invoices ------------------------------------------------------------------------------------- */

/* The addresses are left out: Stripe makes new ones from time to time. */
static apr_status_t look_invoice(look_t *look, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_invoice_t *stored = NULL;
    sb_invoice_facts_t told;
    sb_status_e status = sb_event_invoice(&told, look->result, look->object, pool);

    if (!ours(look, status, told.id, told.livemode) || !told.id) {
        return APR_SUCCESS;
    }
    look->drift->event = told.paid ? "invoice.paid" : "invoice.updated";
    apr_status_t rv = sb_invoice_get(&stored, conn, told.id, told.livemode, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found(look, stored, stored ? stored->event_created : 0,
          stored ? number(stored->event_created, pool) : NULL, told.status);
    if (stored) {
        compare(look, "status", stored->status, told.status);
        compare_number(look, "amount_due", stored->amount_due, told.amount_due);
        compare_number(look, "amount_paid", stored->amount_paid, told.amount_paid);
        compare(look, "number", stored->number,
                told.number ? told.number : stored->number);
        compare_number(look, "attempt_count", stored->attempt_count, told.attempt_count);
        compare_number(look, "next_payment_attempt", stored->next_payment_attempt,
                       told.next_payment_attempt);
    }
    return APR_SUCCESS;
}

/* --- disputes ------------------------------------------------------------------------------------- */

static apr_status_t look_dispute(look_t *look, sb_conn_t *conn, apr_pool_t *pool)
{
    sb_dispute_t *stored = NULL;
    sb_dispute_facts_t told;
    sb_status_e status = sb_event_dispute(&told, look->result, look->object, pool);

    if (!ours(look, status, told.id, sb_json_bool(look->object, "livemode", false))) {
        return APR_SUCCESS;
    }
    look->drift->event = "charge.dispute.updated";
    apr_status_t rv = sb_dispute_get(&stored, conn, told.id, look->drift->livemode, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found(look, stored, stored ? stored->told_at : 0,
          stored ? number(stored->told_at, pool) : NULL, told.status);
    if (stored) {
        compare(look, "status", stored->status, told.status);
        compare_number(look, "amount", stored->amount, told.amount);
        compare(look, "reason", stored->reason, told.reason);
    }
    return APR_SUCCESS;
}

/* --- all ------------------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    apr_status_t (*look)(look_t *look, sb_conn_t *conn, apr_pool_t *pool);
} types[] = {
    {"subscriptions", look_subscription}, {"customers", look_customer},
    {"products", look_product},           {"prices", look_price},
    {"invoices", look_invoice},           {"disputes", look_dispute},
};

static apr_status_t look_at(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    look_t *look = baton;

    *look->drift = (sb_drift_t){
        .type = look->drift->type,
        .repairable = true,
        .stamp = "",
        .differences = apr_array_make(pool, 2, sizeof(sb_difference_t)),
    };
    look->pool = pool;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (strcmp(types[i].type, look->drift->type) == 0) {
            return types[i].look(look, conn, pool);
        }
    }
    look->status = sb_result_set(look->result, SB_INVALID, "bad_object",
                                 "There is no such list.", NULL);
    return APR_SUCCESS;
}

sb_status_e sb_drift_find(sb_drift_t *drift, sb_result_t *result, sb_service_t *service,
                          const char *type, const json_t *object, apr_pool_t *pool)
{
    look_t look = {
        .service = service, .drift = drift, .object = object, .result = result};

    drift->type = type;
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_PAGE, look_at, &look, result, pool);
    return status != SB_OK ? status : look.status;
}

/* Names what was seen and what it replaces: to be let in again it takes another statement in between. */
static const char *event_id(const sb_drift_t *drift, const json_t *object,
                            apr_pool_t *pool)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    const void *parts[] = {text, "\n", drift->stamp};
    const apr_size_t lengths[] = {text ? strlen(text) : 0, 1, strlen(drift->stamp)};
    char digest[SB_HMAC_HEX_LENGTH + 1];
    bool made = text && sb_hmac_sha256_hex(digest, drift->type, strlen(drift->type),
                                           parts, lengths, 3);

    free(text);
    return made ? apr_psprintf(pool, "sync:%.120s:%.32s", drift->id, digest) : NULL;
}

sb_status_e sb_drift_repair(bool *applied, sb_result_t *result, sb_service_t *service,
                            const sb_drift_t *drift, const json_t *object,
                            apr_pool_t *pool)
{
    const sb_event_t event = {
        .id = event_id(drift, object, pool),
        .type = drift->event,
        .created = drift->stated_at,
        .livemode = drift->livemode,
        .api_version = SB_STRIPE_VERSION,
        .kind = sb_stripe_list_kind(drift->type),
        .object_id = drift->id,
        .object = object,
    };
    sb_ingest_t outcome;

    *applied = false;
    if (!event.id) {
        return sb_result_set(result, SB_INTERNAL, "no_memory", "Out of memory.", NULL);
    }
    sb_status_e status =
        sb_ingest_fact(&outcome, result, service, &event, SB_SOURCE_SYNC, pool);
    *applied = status == SB_OK && strcmp(outcome.state, "ignored") != 0;
    return status;
}
