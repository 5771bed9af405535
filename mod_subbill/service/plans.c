/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/plans.h"

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *prices(const sb_catalog_plan_t *plan, bool livemode)
{
    json_t *list = json_array();

    for (int i = 0; i < plan->prices_n; i++) {
        const sb_catalog_price_t *price = &plan->prices[i];
        const char *id = sb_catalog_price_id(price, livemode);
        json_t *json = json_object();
        json_object_set_new(json, "interval", json_string(price->interval));
        json_object_set_new(json, "interval_count", json_integer(price->interval_count));
        json_object_set_new(json, "currency", json_string(price->currency));
        json_object_set_new(json, "amount", json_integer((json_int_t)price->amount));
        json_object_set_new(json, "id", text_or_null(id ? id : price->lookup_key));
        json_object_set_new(json, "plan_id",
                            price->plan_id ? json_integer(price->plan_id) : json_null());
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *features(const sb_catalog_plan_t *plan, const char *lang)
{
    json_t *list = json_array();

    for (int i = 0; i < plan->features_n; i++) {
        json_array_append_new(list,
                              text_or_null(sb_catalog_text(&plan->features[i], lang)));
    }
    return list;
}

static json_t *limits(const sb_catalog_plan_t *plan)
{
    json_t *json = json_object();

    for (int i = 0; i < plan->limits_n; i++) {
        const sb_catalog_limit_t *limit = &plan->limits[i];
        json_object_set_new(json, limit->name,
                            limit->unlimited ? json_null()
                            : limit->text    ? json_string(limit->text)
                                             : json_integer((json_int_t)limit->number));
    }
    return json;
}

static json_t *plan_json(const sb_catalog_plan_t *plan, bool livemode, const char *lang)
{
    json_t *json = json_object();

    json_object_set_new(json, "plan", json_string(plan->key));
    json_object_set_new(json, "name", text_or_null(sb_catalog_text(&plan->name, lang)));
    json_object_set_new(json, "description",
                        text_or_null(sb_catalog_text(&plan->description, lang)));
    json_object_set_new(json, "group", json_string(plan->group));
    json_object_set_new(json, "rank", json_integer(plan->rank));
    json_object_set_new(json, "free", json_boolean(plan->free));
    json_object_set_new(json, "features", features(plan, lang));
    json_object_set_new(json, "limits", limits(plan));
    json_object_set_new(json, "trial_days", json_integer(plan->trial_days));
    json_object_set_new(json, "contact", text_or_null(plan->contact));
    json_object_set_new(json, "prices", prices(plan, livemode));
    return json;
}

json_t *sb_plans_json(const sb_service_t *service, const char *lang, apr_pool_t *pool)
{
    const sb_catalog_t *catalog = service->catalog;
    json_t *json = json_object();
    json_t *list = json_array();

    for (int i = 0; i < catalog->plans_n; i++) {
        if (!catalog->plans[i].hidden) {
            json_array_append_new(
                list, plan_json(&catalog->plans[i], service->settings->live, lang));
        }
    }
    json_object_set_new(json, "plans", list);
    json_object_set_new(json, "packs", json_array());
    return sb_service_own(json, pool);
}
