/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/schedules.h"

#include <apr_strings.h>
#include <string.h>

#define KIND "subscription_schedule"

sb_status_e sb_stripe_schedule_create(json_t **schedule, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *subscription,
                                      const char *key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "from_subscription", subscription);
    return sb_stripe_call_for(schedule, result, stripe, KIND, "POST",
                              "/v1/subscription_schedules", params, key, pool);
}

sb_status_e sb_stripe_schedule_retrieve(json_t **schedule, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscription_schedules/", id, pool);

    *schedule = NULL;
    return path ? sb_stripe_call_for(schedule, result, stripe, KIND, "GET", path, NULL,
                                     NULL, pool)
                : SB_INVALID;
}

static void ids_add(sb_form_t *params, const char *prefix, const char *name,
                    const json_t *list, apr_pool_t *pool)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        sb_form_add(params, apr_psprintf(pool, "%s[%s][%d]", prefix, name, (int)i),
                    sb_json_id(entry));
    }
}

/* A discount that exists is named by its own id, one to come by its coupon or code. */
static void discounts_add(sb_form_t *params, const char *prefix, const json_t *list,
                          apr_pool_t *pool)
{
    static const char *const names[] = {"discount", "promotion_code", "coupon"};
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
            const char *id = sb_json_id(json_object_get(entry, names[k]));
            if (id) {
                sb_form_add(
                    params,
                    apr_psprintf(pool, "%s[discounts][%d][%s]", prefix, (int)i, names[k]),
                    id);
                break;
            }
        }
    }
}

/* A setting as Stripe told it, in the names under which it takes it. What is null is not set, and why automatic
 * tax is off is told only. */
static void setting_add(sb_form_t *params, const char *name, const json_t *value,
                        apr_pool_t *pool)
{
    const char *key;
    json_t *member;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_object_foreach((json_t *)value, key, member)
        {
            if (strcmp(key, "disabled_reason") != 0) {
                setting_add(params, apr_psprintf(pool, "%s[%s]", name, key), member,
                            pool);
            }
        }
        break;
    case JSON_ARRAY:
        json_array_foreach(value, i, member)
        {
            setting_add(params, apr_psprintf(pool, "%s[%d]", name, (int)i), member, pool);
        }
        break;
    case JSON_STRING:
        sb_form_add(params, name, json_string_value(value));
        break;
    case JSON_INTEGER:
        sb_form_add_int(params, name, json_integer_value(value));
        break;
    case JSON_REAL: /* a share in percent, with two decimal places at most */
        sb_form_add(params, name, apr_psprintf(pool, "%.2f", json_real_value(value)));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        sb_form_add_bool(params, name, json_is_true(value));
        break;
    case JSON_NULL:
        break;
    }
}

static void settings_add(sb_form_t *params, const char *prefix, const json_t *object,
                         const char *const *names, apr_pool_t *pool)
{
    for (; *names; names++) {
        const json_t *value = json_object_get(object, *names);
        if (value) {
            setting_add(params, apr_psprintf(pool, "%s[%s]", prefix, *names), value,
                        pool);
        }
    }
}

static void item_add(sb_form_t *params, const char *prefix, const json_t *item,
                     const sb_stripe_phases_t *replace, apr_pool_t *pool)
{
    static const char *const settings[] = {"billing_thresholds", "metadata", NULL};
    const char *price = sb_json_id(json_object_get(item, "price"));
    bool replaced = replace && price && strcmp(price, replace->old_price) == 0;
    const json_t *quantity = json_object_get(item, "quantity");

    sb_form_add(params, apr_pstrcat(pool, prefix, "[price]", NULL),
                replaced ? replace->price : price);
    if (replaced || json_is_integer(quantity)) {
        sb_form_add_int(params, apr_pstrcat(pool, prefix, "[quantity]", NULL),
                        replaced ? replace->quantity : json_integer_value(quantity));
    }
    ids_add(params, prefix, "tax_rates", json_object_get(item, "tax_rates"), pool);
    discounts_add(params, prefix, json_object_get(item, "discounts"), pool);
    settings_add(params, prefix, item, settings, pool);
}

/* What the running phase has; replace: with the one item replaced, or NULL. */
static void phase_add(sb_form_t *params, const char *prefix, const json_t *running,
                      const sb_stripe_phases_t *replace, apr_pool_t *pool)
{
    static const char *const settings[] = {"application_fee_percent",
                                           "automatic_tax",
                                           "billing_thresholds",
                                           "collection_method",
                                           "default_payment_method",
                                           "description",
                                           "invoice_settings",
                                           "metadata",
                                           "on_behalf_of",
                                           "transfer_data",
                                           NULL};
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(running, "items"), i, item)
    {
        item_add(params, apr_psprintf(pool, "%s[items][%d]", prefix, (int)i), item,
                 replace, pool);
    }
    ids_add(params, prefix, "default_tax_rates",
            json_object_get(running, "default_tax_rates"), pool);
    discounts_add(params, prefix, json_object_get(running, "discounts"), pool);
    settings_add(params, prefix, running, settings, pool);
}

sb_status_e sb_stripe_schedule_update(json_t **schedule, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *id,
                                      const sb_stripe_phases_t *phases, const char *key,
                                      apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscription_schedules/", id, pool);
    sb_form_t *params = sb_form_create(pool);

    *schedule = NULL;
    if (!path) {
        return SB_INVALID;
    }
    sb_form_add(params, "end_behavior", "release");
    sb_form_add(params, "proration_behavior", "none");
    sb_form_add_int(params, "phases[0][start_date]",
                    sb_json_int(phases->running, "start_date", 0));
    sb_form_add_int(params, "phases[0][end_date]", phases->until);
    if (phases->trial) {
        sb_form_add_bool(params, "phases[0][trial]", true);
    }
    phase_add(params, "phases[0]", phases->running, NULL, pool);
    sb_form_add(params, "phases[1][proration_behavior]", "none");
    sb_form_add(params, "phases[1][duration][interval]", phases->interval);
    sb_form_add_int(params, "phases[1][duration][interval_count]",
                    phases->interval_count);
    phase_add(params, "phases[1]", phases->running, phases, pool);
    return sb_stripe_call_for(schedule, result, stripe, KIND, "POST", path, params, key,
                              pool);
}

sb_status_e sb_stripe_schedule_release(json_t **schedule, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *id,
                                       const char *key, apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/subscription_schedules/", id, pool);

    *schedule = NULL;
    return path ? sb_stripe_call_for(schedule, result, stripe, KIND, "POST",
                                     apr_pstrcat(pool, path, "/release", NULL), NULL, key,
                                     pool)
                : SB_INVALID;
}
