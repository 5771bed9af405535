/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/stripe_event.h"

#include "base/json.h"
#include "domain/stripe_fields.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <string.h>

/* Where a fact lives has moved with the API's versions (NOTES: basil moved the period to the items
 * and the subscription of an invoice below "parent"). No reader asks for the version: it looks at
 * the newer place, then at the older one. Stripe only ever sends one of them. */

#define TYPE_MAX     190 /* as long as the column */
#define VERSION_MAX  64
#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

static sb_status_e not_an_event(sb_result_t *result, const char *message)
{
    return sb_result_set(result, SB_INVALID, "not_an_event", message, NULL);
}

static bool type_valid(const char *type)
{
    return *type && strlen(type) <= TYPE_MAX &&
           type[strspn(type, "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] == '\0';
}

static bool digits_read(int *value, const char **p, int n)
{
    *value = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        *value = *value * 10 + (**p - '0');
    }
    return true;
}

static bool byte_read(const char **p, char a, char b)
{
    if (**p != a && **p != b) {
        return false;
    }
    (*p)++;
    return true;
}

/* RFC 3339, as in thin events: 2026-11-26T09:00:00.000Z or with an offset. -1: it is none. */
static apr_int64_t rfc3339_read(const char *p)
{
    apr_time_exp_t parts = {.tm_usec = 0};
    int year, month, hours, minutes, sign;
    apr_time_t time;

    if (!digits_read(&year, &p, 4) || !byte_read(&p, '-', '-') ||
        !digits_read(&month, &p, 2) || !byte_read(&p, '-', '-') ||
        !digits_read(&parts.tm_mday, &p, 2) || !byte_read(&p, 'T', 't') ||
        !digits_read(&parts.tm_hour, &p, 2) || !byte_read(&p, ':', ':') ||
        !digits_read(&parts.tm_min, &p, 2) || !byte_read(&p, ':', ':') ||
        !digits_read(&parts.tm_sec, &p, 2)) {
        return -1;
    }
    if (*p == '.') {
        apr_size_t fraction = strspn(p + 1, "0123456789");
        if (fraction == 0) {
            return -1;
        }
        p += 1 + fraction;
    }
    if (byte_read(&p, 'Z', 'z')) {
        sign = 0;
        hours = minutes = 0;
    }
    else {
        sign = *p == '-' ? -1 : 1;
        if (!byte_read(&p, '+', '-') || !digits_read(&hours, &p, 2) ||
            !byte_read(&p, ':', ':') || !digits_read(&minutes, &p, 2)) {
            return -1;
        }
    }
    if (*p || year < 1970 || month < 1 || month > 12 || parts.tm_mday < 1 ||
        parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
        parts.tm_sec > 60 || hours > 23 || minutes > 59) {
        return -1;
    }
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_gmtoff = sign * (hours * 3600 + minutes * 60);
    if (apr_time_exp_gmt_get(&time, &parts) != APR_SUCCESS || time < 0) {
        return -1;
    }
    return apr_time_sec(time);
}

static sb_status_e thin_parse(sb_event_t *event, sb_result_t *result, const json_t *json)
{
    const char *created = sb_json_text(json, "created");

    event->thin = true;
    event->created = created ? rfc3339_read(created) : -1;
    if (event->created < 0) {
        return not_an_event(result, "The thin event has no valid time of creation.");
    }
    event->kind = sb_json_text(json, "related_object.type");
    event->object_id = sb_json_text(json, "related_object.id");
    if (event->object_id && !sb_stripe_id_valid(event->object_id)) {
        return not_an_event(result, "The thin event's related object has no valid id.");
    }
    return SB_OK;
}

/* Ids of some objects are their makers' choice (coupons, products): any short text will do for the
 * log; readers check what they use. */
static const char *object_id(const json_t *object)
{
    const char *id = sb_json_text(object, "id");

    return id && *id && strlen(id) <= 255 ? id : NULL;
}

static sb_status_e parse(sb_event_t *event, sb_result_t *result, const json_t *json,
                         bool ours)
{
    const char *kind = sb_json_text(json, "object");
    const json_t *livemode = sb_json_get(json, "livemode");

    *event = (sb_event_t){
        .id = sb_json_text(json, "id"),
        .type = sb_json_text(json, "type"),
        .api_version = sb_json_text(json, "api_version"),
        .account = sb_json_text(json, "account"),
        .livemode = json_is_true(livemode),
    };
    bool thin = kind && strcmp(kind, "v2.core.event") == 0;
    if (!thin && (!kind || strcmp(kind, "event") != 0)) {
        return not_an_event(result, "The body is JSON, but not an event of Stripe's.");
    }
    if (!event->id || (!ours && !sb_stripe_id_valid(event->id))) {
        return not_an_event(result, "The event has no valid id.");
    }
    if (!event->type || !type_valid(event->type)) {
        return not_an_event(result, "The event has no valid type.");
    }
    if (event->api_version && strlen(event->api_version) > VERSION_MAX) {
        return not_an_event(result, "The event has no valid API version.");
    }
    if (!json_is_boolean(livemode)) {
        return not_an_event(result, "The event does not say whether it is live.");
    }
    if (event->account && !sb_stripe_id_valid(event->account)) {
        return not_an_event(result, "The event's account is not an id.");
    }
    if (thin) {
        return thin_parse(event, result, json);
    }
    event->created = sb_json_int(json, "created", -1);
    if (event->created < 0 || event->created > SB_FIELD_TIME_MAX) {
        return not_an_event(result, "The event has no valid time of creation.");
    }
    event->object = sb_json_get(json, "data.object");
    if (!json_is_object(event->object)) {
        return not_an_event(result, "The event holds no object.");
    }
    const json_t *previous = sb_json_get(json, "data.previous_attributes");
    event->previous = json_is_object(previous) ? previous : NULL;
    event->kind = sb_json_text(event->object, "object");
    event->object_id = object_id(event->object);
    return SB_OK;
}

sb_status_e sb_event_parse(sb_event_t *event, sb_result_t *result, const json_t *json,
                           apr_pool_t *pool)
{
    return parse(event, result, json, false);
}

sb_status_e sb_event_parse_kept(sb_event_t *event, sb_result_t *result,
                                const json_t *json, apr_pool_t *pool)
{
    sb_status_e status = parse(event, result, json, true);

    event->seen = sb_json_int(json, "seen", 0);
    event->seen_event = sb_json_text(json, "seen_event");
    return status;
}

static sb_status_e status_of(bool ok)
{
    return ok ? SB_OK : SB_INVALID;
}

sb_status_e sb_event_checkout_session(sb_checkout_facts_t *facts, sb_result_t *result,
                                      const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "checkout.session"};
    const sb_field_t texts[] = {
        {"mode", SB_FIELD_TEXT, &facts->mode},
        {"status", SB_FIELD_TEXT, &facts->status},
        {"payment_status", SB_FIELD_TEXT, &facts->payment_status},
        {"customer", SB_FIELD_ID, &facts->customer},
        {"subscription", SB_FIELD_ID, &facts->subscription},
        {"invoice", SB_FIELD_ID, &facts->invoice},
        {"payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"client_reference_id", SB_FIELD_TEXT, &facts->client_reference_id},
        {"metadata.subbill_user", SB_FIELD_TEXT, &facts->metadata_user},
        {"metadata.subbill_checkout", SB_FIELD_TEXT, &facts->metadata_checkout},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"url", SB_FIELD_TEXT, &facts->url},
        {"customer_email", SB_FIELD_TEXT, &facts->email},
        {"customer_details.email", SB_FIELD_TEXT, &facts->email},
    };

    *facts = (sb_checkout_facts_t){.livemode = sb_json_bool(object, "livemode", false)};
    return status_of(sb_field_kind(&fields, object) &&
                     sb_field_required(&fields, object, "id", SB_FIELD_ID, &facts->id) &&
                     sb_field_texts(&fields, object, texts, COUNT(texts)) &&
                     sb_field_int(&fields, object, "amount_total", 0, SB_FIELD_AMOUNT_MAX,
                                  &facts->amount_total) &&
                     sb_field_time(&fields, object, "created", &facts->created) &&
                     sb_field_time(&fields, object, "expires_at", &facts->expires_at));
}

static bool invoice_numbers(const sb_fields_t *fields, const json_t *object,
                            sb_invoice_facts_t *facts)
{
    const struct {
        const char *path;
        apr_int64_t *out;
    } amounts[] =
        {
            {"amount_due", &facts->amount_due},
            {"amount_paid", &facts->amount_paid},
            {"amount_remaining", &facts->amount_remaining},
            {"total", &facts->total}, /* credit can make these negative */
        },
      times[] = {
          {"created", &facts->created},
          {"status_transitions.paid_at", &facts->paid_at},
          {"next_payment_attempt", &facts->next_payment_attempt},
          {"period_start", &facts->period_start},
          {"period_end", &facts->period_end},
      };

    for (int i = 0; i < COUNT(amounts); i++) {
        if (!sb_field_int(fields, object, amounts[i].path, -SB_FIELD_AMOUNT_MAX,
                          SB_FIELD_AMOUNT_MAX, amounts[i].out)) {
            return false;
        }
    }
    for (int i = 0; i < COUNT(times); i++) {
        if (!sb_field_time(fields, object, times[i].path, times[i].out)) {
            return false;
        }
    }
    return sb_field_int(fields, object, "attempt_count", 0, APR_INT32_MAX,
                        &facts->attempt_count);
}

sb_status_e sb_event_invoice(sb_invoice_facts_t *facts, sb_result_t *result,
                             const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "invoice"};
    const sb_field_t texts[] = {
        {"id", SB_FIELD_ID, &facts->id},
        {"customer", SB_FIELD_ID, &facts->customer},
        {"subscription", SB_FIELD_ID, &facts->subscription},
        {"parent.subscription_details.subscription", SB_FIELD_ID, &facts->subscription},
        {"status", SB_FIELD_TEXT, &facts->status},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"hosted_invoice_url", SB_FIELD_TEXT, &facts->hosted_url},
        {"invoice_pdf", SB_FIELD_TEXT, &facts->pdf_url},
        {"number", SB_FIELD_TEXT, &facts->number},
        {"billing_reason", SB_FIELD_TEXT, &facts->billing_reason},
        {"payments.data.0.payment.payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"payment_intent", SB_FIELD_ID, &facts->payment_intent},
        {"subscription_details.metadata.subbill_user", SB_FIELD_TEXT,
         &facts->metadata_user},
        {"parent.subscription_details.metadata.subbill_user", SB_FIELD_TEXT,
         &facts->metadata_user},
    };

    *facts = (sb_invoice_facts_t){.livemode = sb_json_bool(object, "livemode", false)};
    if (!sb_field_kind(&fields, object) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts)) ||
        !invoice_numbers(&fields, object, facts)) {
        return SB_INVALID;
    }
    /* The flag was dropped with basil; before, it also meant paid outside of Stripe. */
    facts->paid = (facts->status && strcmp(facts->status, "paid") == 0) ||
                  sb_json_bool(object, "paid", false);
    return SB_OK;
}

sb_status_e sb_event_customer(sb_customer_facts_t *facts, sb_result_t *result,
                              const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "customer"};
    const sb_field_t texts[] = {
        {"email", SB_FIELD_TEXT, &facts->email},
        {"name", SB_FIELD_TEXT, &facts->name},
        {"invoice_settings.default_payment_method", SB_FIELD_ID, &facts->payment_method},
        {"metadata.subbill_user", SB_FIELD_TEXT, &facts->metadata_user},
    };

    *facts = (sb_customer_facts_t){.livemode = sb_json_bool(object, "livemode", false),
                                   .deleted = sb_json_bool(object, "deleted", false)};
    return status_of(sb_field_kind(&fields, object) &&
                     sb_field_required(&fields, object, "id", SB_FIELD_ID, &facts->id) &&
                     sb_field_texts(&fields, object, texts, COUNT(texts)) &&
                     sb_field_time(&fields, object, "created", &facts->created));
}

/* The amount of one unit, where there is one: not for tiers, and not below the minor unit. */
static bool price_amount(const sb_fields_t *fields, const json_t *object,
                         sb_price_facts_t *facts)
{
    const char *scheme = sb_json_text(object, "billing_scheme");

    facts->amount = -1;
    if (scheme && strcmp(scheme, "tiered") == 0) {
        return true;
    }
    return sb_field_int(fields, object, "amount", 0, SB_FIELD_AMOUNT_MAX,
                        &facts->amount) &&
           sb_field_int(fields, object, "unit_amount", 0, SB_FIELD_AMOUNT_MAX,
                        &facts->amount);
}

sb_status_e sb_event_price(sb_price_facts_t *facts, sb_result_t *result,
                           const json_t *object, apr_pool_t *pool)
{
    /* An object "plan" is the same thing in the words of before 2020. */
    const char *kind = sb_json_text(object, "object");
    const sb_fields_t fields = {pool, result,
                                kind && strcmp(kind, "plan") == 0 ? "plan" : "price"};
    const sb_field_t texts[] = {
        {"product", SB_FIELD_OWN_ID, &facts->product},
        {"currency", SB_FIELD_TEXT, &facts->currency},
        {"interval", SB_FIELD_TEXT, &facts->interval},
        {"recurring.interval", SB_FIELD_TEXT, &facts->interval},
        {"lookup_key", SB_FIELD_TEXT, &facts->lookup_key},
        {"product.metadata.subbill_plan", SB_FIELD_TEXT, &facts->metadata_plan},
        {"metadata.subbill_plan", SB_FIELD_TEXT, &facts->metadata_plan},
    };
    apr_int64_t count = 0;

    *facts = (sb_price_facts_t){.livemode = sb_json_bool(object, "livemode", false),
                                .active = sb_json_bool(object, "active", true)};
    if (!sb_field_kind(&fields, object) ||
        !sb_field_required(&fields, object, "id", SB_FIELD_OWN_ID, &facts->id) ||
        !sb_field_texts(&fields, object, texts, COUNT(texts)) ||
        !price_amount(&fields, object, facts) ||
        !sb_field_int(&fields, object, "interval_count", 1, APR_INT32_MAX, &count) ||
        !sb_field_int(&fields, object, "recurring.interval_count", 1, APR_INT32_MAX,
                      &count)) {
        return SB_INVALID;
    }
    facts->interval_count = facts->interval && count == 0 ? 1 : (int)count;
    return SB_OK;
}

sb_status_e sb_event_product(sb_product_facts_t *facts, sb_result_t *result,
                             const json_t *object, apr_pool_t *pool)
{
    const sb_fields_t fields = {pool, result, "product"};
    const sb_field_t texts[] = {
        {"name", SB_FIELD_TEXT, &facts->name},
        {"metadata.subbill_plan", SB_FIELD_TEXT, &facts->metadata_plan},
    };

    *facts = (sb_product_facts_t){.livemode = sb_json_bool(object, "livemode", false),
                                  .active = sb_json_bool(object, "active", true)};
    return status_of(
        sb_field_kind(&fields, object) &&
        sb_field_required(&fields, object, "id", SB_FIELD_OWN_ID, &facts->id) &&
        sb_field_texts(&fields, object, texts, COUNT(texts)));
}
