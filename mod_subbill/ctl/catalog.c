/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/output.h"
#include "ctl/session.h"
#include "ctl/settings.h"
#include "text/money.h"

#include <apr_strings.h>
#include <string.h>

/* "plans[2].prices[0].amount: what is wrong" cut in two; messages about the whole file have no path. */
static const char *path_of(const char *message, apr_pool_t *pool)
{
    const char *colon = strstr(message, ": ");
    apr_size_t length = strcspn(message, " ");

    return colon && length == (apr_size_t)(colon - message) + 1
               ? apr_pstrmemdup(pool, message, length - 1)
               : NULL;
}

static sb_exit_e print_finding(const sb_ctl_t *ctl, const char *file,
                               const sb_result_t *result)
{
    const char *path = path_of(result->message, ctl->pool);
    const char *what = path ? result->message + strlen(path) + 2 : result->message;

    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        json_t *finding = json_object();
        json_object_set_new(finding, "path", sb_json_of(path, ctl->pool));
        json_object_set_new(finding, "message", sb_json_of(what, ctl->pool));
        json_object_set_new(finding, "hint", sb_json_of(result->hint, ctl->pool));
        sb_print_json(json_pack("{s:o, s:b, s:[o], s:[]}", "file",
                                sb_json_of(file, ctl->pool), "valid", 0, "findings",
                                finding, "plans"));
        return SB_EXIT_FAILED;
    }
    sb_print(ctl, "%s is not valid:", file);
    sb_print(ctl, "  %s", result->message);
    if (result->hint) {
        sb_print(ctl, "  (%s)", result->hint);
    }
    return SB_EXIT_FAILED;
}

/* --- a valid one ---------------------------------------------------------------------------- */

static json_t *id_json(const sb_mode_id_t *id, apr_pool_t *pool)
{
    json_t *json = json_object();

    json_object_set_new(json, "test", sb_json_of(id->test, pool));
    json_object_set_new(json, "live", sb_json_of(id->live, pool));
    return json;
}

static json_t *price_json(const sb_catalog_price_t *price, apr_pool_t *pool)
{
    json_t *json = json_object();

    json_object_set_new(json, "id", id_json(&price->id, pool));
    json_object_set_new(json, "lookup_key", sb_json_of(price->lookup_key, pool));
    json_object_set_new(json, "interval", sb_json_of(price->interval, pool));
    json_object_set_new(json, "interval_count", json_integer(price->interval_count));
    json_object_set_new(json, "currency", sb_json_of(price->currency, pool));
    json_object_set_new(json, "amount", json_integer((json_int_t)price->amount));
    json_object_set_new(json, "plan_id",
                        price->plan_id ? json_integer(price->plan_id) : json_null());
    return json;
}

static json_t *plan_json(const sb_catalog_plan_t *plan, apr_pool_t *pool)
{
    json_t *json = json_object();
    json_t *prices = json_array();

    for (int i = 0; i < plan->prices_n; i++) {
        json_array_append_new(prices, price_json(&plan->prices[i], pool));
    }
    json_object_set_new(json, "plan", sb_json_of(plan->key, pool));
    json_object_set_new(json, "name",
                        sb_json_of(sb_catalog_text(&plan->name, NULL), pool));
    json_object_set_new(json, "group", sb_json_of(plan->group, pool));
    json_object_set_new(json, "rank", json_integer(plan->rank));
    json_object_set_new(json, "free", json_boolean(plan->free));
    json_object_set_new(json, "default", json_boolean(plan->is_default));
    json_object_set_new(json, "hidden", json_boolean(plan->hidden));
    json_object_set_new(json, "trial_days", json_integer(plan->trial_days));
    json_object_set_new(json, "contact", sb_json_of(plan->contact, pool));
    json_object_set_new(json, "product", id_json(&plan->product, pool));
    json_object_set_new(json, "prices", prices);
    return json;
}

static const char *price_text(const sb_catalog_price_t *price, apr_pool_t *pool)
{
    const char *amount = sb_money_format(price->amount, price->currency, "en", pool);

    return price->interval_count == 1
               ? apr_psprintf(pool, "%s/%s", amount, price->interval)
               : apr_psprintf(pool, "%s/%d %ss", amount, price->interval_count,
                              price->interval);
}

static const char *prices_text(const sb_catalog_plan_t *plan, apr_pool_t *pool)
{
    const char *text = plan->free ? "free" : plan->contact ? plan->contact : "";

    for (int i = 0; i < plan->prices_n; i++) {
        text = apr_pstrcat(pool, text, *text ? ", " : "",
                           price_text(&plan->prices[i], pool), NULL);
    }
    return text;
}

static const char *marks_text(const sb_catalog_plan_t *plan)
{
    if (plan->is_default) {
        return plan->hidden ? "default, hidden" : "default";
    }
    return plan->hidden ? "hidden" : NULL;
}

static void print_plans(const sb_ctl_t *ctl, const sb_catalog_t *catalog)
{
    static const char *const heads[] = {"PLAN",  "NAME",  "GROUP", "RANK",
                                        "TRIAL", "MARKS", "PRICES"};
    sb_table_t *table = sb_table_create(ctl, heads, 7);

    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        const char *const cells[] = {
            plan->key,
            sb_catalog_text(&plan->name, NULL),
            plan->group,
            apr_itoa(ctl->pool, plan->rank),
            plan->trial_days ? apr_psprintf(ctl->pool, "%d days", plan->trial_days)
                             : NULL,
            marks_text(plan),
            prices_text(plan, ctl->pool),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

static void print_valid(const sb_ctl_t *ctl, const char *file,
                        const sb_catalog_t *catalog)
{
    if (!sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print(ctl, "%s is valid: %d plan%s.", file, catalog->plans_n,
                 catalog->plans_n == 1 ? "" : "s");
        print_plans(ctl, catalog);
        return;
    }
    json_t *plans = json_array();
    for (int i = 0; i < catalog->plans_n; i++) {
        json_array_append_new(plans, plan_json(&catalog->plans[i], ctl->pool));
    }
    sb_print_json(json_pack("{s:o, s:b, s:[], s:o}", "file", sb_json_of(file, ctl->pool),
                            "valid", 1, "findings", "plans", plans));
}

sb_exit_e sb_command_catalog_check(sb_ctl_t *ctl)
{
    const sb_settings_t *settings;
    const char *file = ctl->words_n ? ctl->words[0] : NULL;
    sb_catalog_t *catalog;
    sb_result_t result;

    if (!file) {
        sb_exit_e status = sb_ctl_settings(&settings, ctl);
        if (status != SB_EXIT_OK) {
            return status;
        }
        file = settings->catalog_path;
    }
    if (!file) {
        return sb_fail(ctl, SB_EXIT_CONFIG, "not_configured",
                       "Write SubbillCatalog /etc/subbill/catalog.json, or name a file.",
                       "No catalogue is configured.");
    }
    sb_exit_e status = sb_ctl_catalog(&catalog, &result, ctl, file);
    if (status == SB_EXIT_FAILED) {
        return print_finding(ctl, file, &result);
    }
    if (status == SB_EXIT_OK) {
        print_valid(ctl, file, catalog);
    }
    return status;
}
