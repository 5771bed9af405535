/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/catalog.h"

#include <string.h>

/* Lookups in a catalogue that is complete and correct. A catalogue is small (64 plans at most), so
 * a walk over it in memory order beats any index; the gate never comes here, it works on bitmaps
 * made at start. */

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

const sb_catalog_plan_t *sb_catalog_plan_at(const sb_catalog_t *catalog, int index)
{
    return index >= 0 && index < catalog->plans_n ? &catalog->plans[index] : NULL;
}

const sb_catalog_plan_t *sb_catalog_plan(const sb_catalog_t *catalog, const char *key)
{
    for (int i = 0; i < catalog->plans_n; i++) {
        if (same(catalog->plans[i].key, key)) {
            return &catalog->plans[i];
        }
    }
    return NULL;
}

const sb_catalog_plan_t *sb_catalog_default_plan(const sb_catalog_t *catalog,
                                                 const char *group)
{
    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        if (plan->is_default && same(plan->group, group)) {
            return plan;
        }
    }
    return NULL;
}

int sb_catalog_key(const sb_catalog_t *catalog, const char *key)
{
    for (int i = 0; i < catalog->keys_n; i++) {
        if (same(catalog->keys[i], key)) {
            return i;
        }
    }
    return -1;
}

int sb_catalog_key_add(sb_catalog_t *catalog, const char *key)
{
    int number = sb_catalog_key(catalog, key);

    if (number < 0 && catalog->keys_n < SB_CATALOG_KEYS_MAX) {
        number = catalog->keys_n++;
        catalog->keys[number] = key;
    }
    return number;
}

const char *sb_catalog_price_id(const sb_catalog_price_t *price, bool livemode)
{
    return livemode ? price->id.live : price->id.test;
}

typedef bool (*price_match_fn)(const sb_catalog_price_t *price, const void *wanted);

static const sb_catalog_price_t *price_find(const sb_catalog_t *catalog,
                                            price_match_fn match, const void *wanted)
{
    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *plan = &catalog->plans[i];
        for (int k = 0; k < plan->prices_n; k++) {
            if (match(&plan->prices[k], wanted)) {
                return &plan->prices[k];
            }
        }
    }
    return NULL;
}

static bool match_test_id(const sb_catalog_price_t *price, const void *wanted)
{
    return same(price->id.test, wanted);
}

static bool match_live_id(const sb_catalog_price_t *price, const void *wanted)
{
    return same(price->id.live, wanted);
}

static bool match_lookup_key(const sb_catalog_price_t *price, const void *wanted)
{
    return same(price->lookup_key, wanted);
}

static bool match_plan_id(const sb_catalog_price_t *price, const void *wanted)
{
    return price->plan_id == *(const int *)wanted;
}

const sb_catalog_price_t *sb_catalog_price_by_id(const sb_catalog_t *catalog,
                                                 const char *id, bool livemode)
{
    return price_find(catalog, livemode ? match_live_id : match_test_id, id);
}

const sb_catalog_price_t *sb_catalog_price_by_lookup_key(const sb_catalog_t *catalog,
                                                         const char *lookup_key)
{
    return price_find(catalog, match_lookup_key, lookup_key);
}

const sb_catalog_price_t *sb_catalog_price_by_plan_id(const sb_catalog_t *catalog,
                                                      int plan_id)
{
    return plan_id > 0 ? price_find(catalog, match_plan_id, &plan_id) : NULL;
}

const sb_catalog_price_t *sb_catalog_price_of(const sb_catalog_plan_t *plan,
                                              const char *interval, const char *currency)
{
    const sb_catalog_price_t *second = NULL;

    for (int i = 0; i < plan->prices_n; i++) {
        const sb_catalog_price_t *price = &plan->prices[i];
        if ((interval && !same(price->interval, interval)) ||
            (currency && !same(price->currency, currency))) {
            continue;
        }
        if (price->interval_count == 1) {
            return price;
        }
        if (!second) {
            second = price;
        }
    }
    return second;
}

/* Does the entry's language stand for lang: equal, or its part before the first hyphen. */
static bool lang_is(const char *entry, const char *lang, apr_size_t length)
{
    return entry && strlen(entry) == length && strncasecmp(entry, lang, length) == 0;
}

static const char *text_in(const sb_text_t *text, const char *lang, apr_size_t length)
{
    for (int i = 0; i < text->n; i++) {
        if (lang_is(text->entries[i].lang, lang, length)) {
            return text->entries[i].text;
        }
    }
    return NULL;
}

const char *sb_catalog_text(const sb_text_t *text, const char *lang)
{
    const char *found = NULL;

    if (text->n == 0) {
        return NULL;
    }
    if (lang) {
        found = text_in(text, lang, strlen(lang));
        if (!found) {
            found = text_in(text, lang, strcspn(lang, "-_"));
        }
    }
    for (int i = 0; !found && i < text->n; i++) {
        if (!text->entries[i].lang) {
            found = text->entries[i].text;
        }
    }
    if (!found) {
        found = text_in(text, "en", 2);
    }
    return found ? found : text->entries[0].text;
}

apr_uint64_t sb_catalog_required_mask(const sb_catalog_t *catalog,
                                      const sb_catalog_plan_t *plan)
{
    apr_uint64_t mask = 0;

    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_catalog_plan_t *other = &catalog->plans[i];
        if (same(other->group, plan->group) && other->rank >= plan->rank) {
            mask |= (apr_uint64_t)1 << i;
        }
    }
    return mask;
}

static int plan_of_product(const sb_catalog_t *catalog, const char *product,
                           bool livemode)
{
    for (int i = 0; i < catalog->plans_n; i++) {
        const sb_mode_id_t *id = &catalog->plans[i].product;
        if (same(livemode ? id->live : id->test, product)) {
            return i;
        }
    }
    return -1;
}

static int plan_of_key(const sb_catalog_t *catalog, const char *key)
{
    const sb_catalog_plan_t *plan = key ? sb_catalog_plan(catalog, key) : NULL;

    return plan ? plan->index : -1;
}

int sb_catalog_map(const sb_catalog_t *catalog, bool livemode,
                   const sb_plan_clues_t *clues)
{
    const sb_catalog_price_t *price = NULL;
    int plan;

    if (clues->price) {
        price = sb_catalog_price_by_id(catalog, clues->price, livemode);
    }
    if (!price && clues->lookup_key) {
        price = sb_catalog_price_by_lookup_key(catalog, clues->lookup_key);
    }
    if (price) {
        return price->plan;
    }
    plan = plan_of_key(catalog, clues->remembered);
    if (plan < 0 && clues->product) {
        plan = plan_of_product(catalog, clues->product, livemode);
    }
    return plan >= 0 ? plan : plan_of_key(catalog, clues->metadata_plan);
}
