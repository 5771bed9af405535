/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/stripe_money.h"

#include "domain/thing.h"

#include "base/json.h"
#include "domain/payment.h"
#include "domain/stripe_fields.h"

#include <apr_strings.h>
#include <string.h>

/* Until 2022-11-15 a payment intent listed its charges, since then it names the latest; until basil it and
 * its charge named their invoice, since then only an invoice payment does. */

#define WORD_MAX         64   /* as long as the columns */
#define LOOKUP_KEY_MAX   255  /* likewise */
#define ENTITLEMENTS_MAX 5000 /* of one customer */
#define COUNT(table)     ((int)(sizeof(table) / sizeof(table[0])))

static sb_status_e status_of(bool ok)
{
    return ok ? SB_OK : SB_INVALID;
}

/* A word that does not fit its column is none that this version knows. */
static const char *word(const char *text)
{
    return text && strlen(text) <= WORD_MAX ? text : NULL;
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool amount_read(const sb_fields_t *fields, const json_t *object, const char *path,
                        apr_int64_t *out)
{
    return sb_field_int(fields, object, path, 0, SB_FIELD_AMOUNT_MAX, out);
}

/* What everything that moves money has: id, amount, time. */
static bool movement_read(const sb_fields_t *fields, const json_t *object,
                          const char **id, apr_int64_t *amount, apr_int64_t *created)
{
    return sb_field_kind(fields, object) &&
           sb_field_required(fields, object, "id", SB_FIELD_ID, id) &&
           amount_read(fields, object, "amount", amount) &&
           sb_field_time(fields, object, "created", created);
}

/* requires_payment_method is both the beginning and what comes after a failure. */
static const char *intent_status(const sb_intent_facts_t *facts, const char *status,
                                 bool failed)
{
    if (is(status, "succeeded")) {
        return SB_PAYMENT_SUCCEEDED;
    }
    if (is(status, "canceled")) {
        return SB_PAYMENT_CANCELED;
    }
    if (is(status, "processing")) {
        return SB_PAYMENT_PROCESSING;
    }
    return failed || facts->failure_code ? SB_PAYMENT_FAILED : SB_PAYMENT_PENDING;
}

sb_status_e sb_event_payment_intent(sb_intent_facts_t *facts, sb_result_t *result,
                                    const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "payment_intent"};
    const char *status = NULL;
    apr_int64_t received = 0;
    const sb_field_t texts[] = {
        {"customer", SB_FIELD_ID, &facts->customer},
        {"invoice", SB_FIELD_ID, &facts->invoice},
        {"charges.data.0", SB_FIELD_ID, &facts->charge},
        {"latest_charge", SB_FIELD_ID, &facts->charge},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"last_payment_error.code", SB_FIELD_TEXT, &facts->failure_code},
        {"last_payment_error.message", SB_FIELD_TEXT, &facts->failure_message},
        {"status", SB_FIELD_TEXT, &status},
    };

    *facts = (sb_intent_facts_t){.id = NULL};
    if (!movement_read(&fields, object, &facts->id, &facts->amount, &facts->created) ||
        !amount_read(&fields, object, "amount_received", &received) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts))) {
        return SB_INVALID;
    }
    facts->amount = received > 0 ? received : facts->amount;
    facts->status = intent_status(
        facts, status, json_is_object(sb_json_get(object, "last_payment_error")));
    bool failed = is(facts->status, SB_PAYMENT_FAILED);
    facts->failure_code = failed ? word(facts->failure_code) : NULL;
    facts->failure_message = failed ? facts->failure_message : NULL;
    return SB_OK;
}

sb_status_e sb_event_charge(sb_charge_facts_t *facts, sb_result_t *result,
                            const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "charge"};
    const char *status = NULL;
    const sb_field_t texts[] = {
        {"customer", SB_FIELD_ID, &facts->customer},
        {"payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"invoice", SB_FIELD_ID, &facts->invoice},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"failure_code", SB_FIELD_TEXT, &facts->failure_code},
        {"failure_message", SB_FIELD_TEXT, &facts->failure_message},
        {"status", SB_FIELD_TEXT, &status},
    };

    *facts = (sb_charge_facts_t){.id = NULL};
    if (!movement_read(&fields, object, &facts->id, &facts->amount, &facts->created) ||
        !amount_read(&fields, object, "amount_refunded", &facts->amount_refunded) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts))) {
        return SB_INVALID;
    }
    facts->status = is(status, "succeeded") ? SB_PAYMENT_SUCCEEDED
                    : is(status, "failed")  ? SB_PAYMENT_FAILED
                                            : SB_PAYMENT_PROCESSING;
    facts->failure_code = word(facts->failure_code);
    return SB_OK;
}

sb_status_e sb_event_refund(sb_refund_facts_t *facts, sb_result_t *result,
                            const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "refund"};
    const sb_field_t texts[] = {
        {"payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"charge", SB_FIELD_ID, &facts->charge},
        {"status", SB_FIELD_TEXT, &facts->status},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"reason", SB_FIELD_TEXT, &facts->reason},
        {"failure_reason", SB_FIELD_TEXT, &facts->failure_reason},
    };

    *facts = (sb_refund_facts_t){.id = NULL};
    if (!movement_read(&fields, object, &facts->id, &facts->amount, &facts->created) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts))) {
        return SB_INVALID;
    }
    facts->status = word(facts->status);
    facts->reason = word(facts->reason);
    facts->failure_reason = word(facts->failure_reason);
    return SB_OK;
}

sb_status_e sb_event_dispute(sb_dispute_facts_t *facts, sb_result_t *result,
                             const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "dispute"};
    const sb_field_t texts[] = {
        {"payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"charge", SB_FIELD_ID, &facts->charge},
        {"status", SB_FIELD_TEXT, &facts->status},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"reason", SB_FIELD_TEXT, &facts->reason},
    };

    *facts = (sb_dispute_facts_t){.id = NULL};
    if (!movement_read(&fields, object, &facts->id, &facts->amount, &facts->created) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts))) {
        return SB_INVALID;
    }
    if (!facts->payment_intent && !facts->charge) {
        return status_of(sb_field_fail(&fields, "charge", "is missing"));
    }
    facts->status = word(facts->status);
    facts->reason = word(facts->reason);
    return SB_OK;
}

sb_status_e sb_event_invoice_payment(sb_invoice_payment_facts_t *facts,
                                     sb_result_t *result, const json_t *object,
                                     apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "invoice_payment"};
    const sb_field_t texts[] = {
        {"payment.payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"payment.charge", SB_FIELD_ID, &facts->charge},
    };

    *facts = (sb_invoice_payment_facts_t){.id = NULL};
    return status_of(
        sb_field_kind(&fields, object) &&
        sb_field_required(&fields, object, "id", SB_FIELD_ID, &facts->id) &&
        sb_field_required(&fields, object, "invoice", SB_FIELD_ID, &facts->invoice) &&
        sb_field_texts(&fields, object, texts, COUNT(texts)));
}

sb_status_e sb_event_payment_method(sb_payment_method_facts_t *facts, sb_result_t *result,
                                    const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "payment_method"};
    const sb_field_t texts[] = {
        {"customer", SB_FIELD_ID, &facts->customer},
        {"type", SB_FIELD_TEXT, &facts->type},
        {"card.brand", SB_FIELD_TEXT, &facts->brand},
    };

    *facts = (sb_payment_method_facts_t){.id = NULL};
    if (!sb_field_kind(&fields, object) ||
        !sb_field_required(&fields, object, "id", SB_FIELD_ID, &facts->id) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts)) ||
        !sb_field_int(&fields, object, "card.exp_month", 1, 12, &facts->exp_month) ||
        !sb_field_int(&fields, object, "card.exp_year", 1970, 9999, &facts->exp_year) ||
        !sb_field_time(&fields, object, "created", &facts->created)) {
        return SB_INVALID;
    }
    facts->type = word(facts->type);
    facts->brand = word(facts->brand);
    /* Each type keeps its details below its own name. */
    const json_t *details = facts->type ? json_object_get(object, facts->type) : NULL;
    if (!sb_field_text(&fields, details, "last4", SB_FIELD_TEXT, &facts->last4)) {
        return SB_INVALID;
    }
    facts->last4 = word(facts->last4);
    return SB_OK;
}

static bool told_before(const sb_entitlement_summary_t *summary, const char *lookup_key)
{
    for (int i = 0; i < summary->n; i++) {
        if (strcmp(summary->entitlements[i].lookup_key, lookup_key) == 0) {
            return true;
        }
    }
    return false;
}

static bool entitlement_read(const sb_fields_t *fields, const json_t *object,
                             sb_entitlement_facts_t *facts)
{
    *facts = (sb_entitlement_facts_t){.lookup_key = NULL};
    return sb_field_required(fields, object, "lookup_key", SB_FIELD_TEXT,
                             &facts->lookup_key) &&
           (strlen(facts->lookup_key) <= LOOKUP_KEY_MAX ||
            sb_field_fail(fields, "lookup_key", "is too long")) &&
           sb_field_text(fields, object, "feature", SB_FIELD_ID, &facts->feature);
}

sb_status_e sb_event_entitlement_summary(sb_entitlement_summary_t *summary,
                                         sb_result_t *result, const json_t *object,
                                         apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "entitlements.active_entitlement_summary"};
    const json_t *list = sb_json_get(object, "entitlements.data");
    size_t n = json_array_size(list);

    *summary = (sb_entitlement_summary_t){
        .complete = !sb_json_bool(object, "entitlements.has_more", true)};
    if (!sb_field_kind(&fields, object) ||
        !sb_field_required(&fields, object, "customer", SB_FIELD_ID,
                           &summary->customer)) {
        return SB_INVALID;
    }
    if (!json_is_array(list) || n > ENTITLEMENTS_MAX) {
        return status_of(
            sb_field_fail(&fields, "entitlements", "is no list of its size"));
    }
    sb_entitlement_facts_t *all = apr_palloc(pool, sizeof(*all) * (n + 1));
    summary->entitlements = all;
    for (size_t i = 0; i < n; i++) {
        if (!entitlement_read(&fields, json_array_get(list, i), &all[summary->n])) {
            return SB_INVALID;
        }
        /* A key that no door can name is none for us. */
        summary->n += sb_thing_key_fits(all[summary->n].lookup_key) &&
                      !told_before(summary, all[summary->n].lookup_key);
    }
    return SB_OK;
}
