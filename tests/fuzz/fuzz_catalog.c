/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/catalog.h"
#include "fuzz.h"

#include <string.h>

/* Input: the text of a catalogue. */

static void texts_check(const sb_text_t *text)
{
    static const char *const languages[] = {NULL, "de", "de-AT", "x", ""};

    for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
        sb_fuzz_holds((sb_catalog_text(text, languages[i]) != NULL) == (text->n > 0),
                      "what was written has a text for everybody");
    }
}

static void price_check(const sb_catalog_t *catalog, const sb_catalog_plan_t *plan, int i)
{
    const sb_catalog_price_t *price = &plan->prices[i];

    sb_fuzz_holds(price->plan == plan->index && price->position == i,
                  "a price knows its place");
    sb_fuzz_holds(price->amount >= 0 && price->amount <= SB_CATALOG_AMOUNT_MAX,
                  "amounts are within Stripe's bounds");
    sb_fuzz_holds(price->currency && strlen(price->currency) == 3 && price->interval &&
                      price->interval_count > 0,
                  "a price has currency and interval");
    for (int live = 0; live < 2; live++) {
        const char *id = sb_catalog_price_id(price, live);
        sb_fuzz_holds(!id || sb_catalog_price_by_id(catalog, id, live) == price,
                      "a price is found by its id");
    }
    sb_fuzz_holds(!price->lookup_key ||
                      sb_catalog_price_by_lookup_key(catalog, price->lookup_key) == price,
                  "a price is found by its key");
    sb_fuzz_holds(!price->plan_id ||
                      sb_catalog_price_by_plan_id(catalog, price->plan_id) == price,
                  "a price is found by its number");
}

static void plan_check(const sb_catalog_t *catalog, const sb_catalog_plan_t *plan, int i)
{
    sb_fuzz_holds(plan->index == i && sb_catalog_plan(catalog, plan->key) == plan,
                  "a plan is found by its key");
    sb_fuzz_holds(strcmp(plan->key, "any") != 0 && strcmp(plan->key, "off") != 0,
                  "a plan is no word of the gate's");
    sb_fuzz_holds(sb_catalog_required_mask(catalog, plan) & APR_UINT64_C(1) << i,
                  "a plan opens its own doors");
    texts_check(&plan->name);
    texts_check(&plan->description);
    for (int j = 0; j < plan->features_n; j++) {
        texts_check(&plan->features[j]);
    }
    for (int j = 0; j < plan->prices_n; j++) {
        price_check(catalog, plan, j);
    }
    sb_catalog_price_of(plan, "month", NULL);
    sb_catalog_price_of(plan, NULL, "eur");
    const sb_catalog_plan_t *fallback = sb_catalog_default_plan(catalog, plan->group);
    sb_fuzz_holds(!plan->is_default || fallback == plan,
                  "a group has one default plan at most");
}

/* T30, T47: what an operator wrote, or somebody who may write the catalogue's file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_result_t result = {.status = SB_OK};
    sb_catalog_t *catalog;

    if (sb_catalog_parse(&catalog, &result, (const char *)data, size, pool) != SB_OK) {
        sb_fuzz_holds(result.code && strcmp(result.code, "bad_catalog") == 0 &&
                          result.message && *result.message,
                      "a refusal says where and why");
        return 0;
    }
    sb_fuzz_holds(catalog->plans_n >= 0 && catalog->plans_n <= SB_CATALOG_PLANS_MAX,
                  "plans fit a bitmap");
    for (int i = 0; i < catalog->plans_n; i++) {
        plan_check(catalog, &catalog->plans[i], i);
    }
    const sb_plan_clues_t clues = {.price = "price_1",
                                   .lookup_key = "basic_monthly",
                                   .remembered = "pro",
                                   .product = "prod_1",
                                   .metadata_plan = "basic"};
    int plan = sb_catalog_map(catalog, false, &clues);
    sb_fuzz_holds(plan >= -1 && plan < catalog->plans_n,
                  "a price maps to a plan or none");
    return 0;
}
