/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/catalog.h"

#include "base/json.h"
#include "domain/catalog_price.h"
#include "domain/catalog_relations.h"

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* From the catalogue's text to its structs. Values are read top down, each where it stands, and the
 * first wrong one ends the reading; what only shows between values (something used twice, a plan
 * that cannot be bought) is checked afterwards in catalog_relations(), again in file order. */

#define DEPTH_MAX        16
#define TEXT_NAME_MAX    120 /* bytes */
#define DESCRIPTION_MAX  500
#define FEATURE_MAX      200
#define CONTACT_MAX      2000
#define LANGUAGES_MAX    32
#define FEATURES_MAX     32
#define LIMITS_MAX       64
#define ENTITLEMENTS_MAX 64
#define PRICES_MAX       64
#define RANK_MAX         1000000
#define TRIAL_DAYS_MAX   730 /* Stripe's own limit */

static bool lang_valid(const char *lang)
{
    apr_size_t part = 0;
    int parts = 1;

    for (const char *p = lang; *p; p++) {
        if (*p == '-') {
            if (part < 2) {
                return false;
            }
            part = 0;
            parts++;
        }
        else if (apr_isalpha(*p) || (parts > 1 && apr_isdigit(*p))) {
            part++;
        }
        else {
            return false;
        }
        if (part > (parts == 1 ? 3 : 8)) {
            return false;
        }
    }
    return part >= 2 && parts <= 3;
}

static bool text_read(const sb_reader_t *reader, const char *path, const json_t *value,
                      apr_size_t max, sb_text_t *text)
{
    sb_localised_t *entries;
    const char *lang;
    json_t *member;
    int n = 0;

    if (!json_is_object(value)) {
        entries = apr_pcalloc(reader->pool, sizeof(*entries));
        *text = (sb_text_t){.entries = entries, .n = 1};
        return sb_reader_string(reader, path, value, max, &entries->text);
    }
    if (json_object_size(value) == 0 || json_object_size(value) > LANGUAGES_MAX) {
        return sb_reader_fail(reader, path, NULL,
                              "must hold one to %d languages, e.g. {\"en\": …}",
                              LANGUAGES_MAX);
    }
    entries = apr_pcalloc(reader->pool, sizeof(*entries) * json_object_size(value));
    json_object_foreach((json_t *)value, lang, member)
    {
        const char *where = sb_reader_path(reader, path, lang);
        if (!lang_valid(lang)) {
            return sb_reader_fail(reader, where, NULL,
                                  "must be a language such as \"en\" or \"pt-BR\"");
        }
        if (!sb_reader_string(reader, where, member, max, &entries[n].text)) {
            return false;
        }
        char *folded = apr_pstrdup(reader->pool, lang);
        for (char *p = folded; *p; p++) {
            *p = (char)apr_tolower(*p);
        }
        entries[n++].lang = folded;
    }
    *text = (sb_text_t){.entries = entries, .n = n};
    return true;
}

static bool key_read(const sb_reader_t *reader, const char *path, const json_t *value,
                     const char *extra, const char **out)
{
    const char *text = json_string_value(value);

    if (!text || !sb_reader_key_valid(text, extra)) {
        return sb_reader_fail(reader, path, NULL,
                              "must be lower-case letters, digits, \"_\" and \"-\", "
                              "starting with a letter or digit, at most 64; %s",
                              sb_reader_found(reader, value));
    }
    *out = apr_pstrdup(reader->pool, text);
    return true;
}

static bool plan_key_read(const sb_reader_t *reader, const char *path,
                          const json_t *object, const char **out)
{
    const char *where = sb_reader_path(reader, path, "plan");
    const json_t *value = json_object_get(object, "plan");

    if (!value) {
        return sb_reader_fail(reader, where, NULL,
                              "is missing; write the key that gates name the plan by, "
                              "e.g. \"basic\"");
    }
    if (!key_read(reader, where, value, "", out)) {
        return false;
    }
    if (strcmp(*out, "any") == 0 || strcmp(*out, "off") == 0) {
        return sb_reader_fail(reader, where, "Choose another key.",
                              "must not be \"%s\", which SubbillGate gives a meaning of "
                              "its own",
                              *out);
    }
    return true;
}

static bool features_read(const sb_reader_t *reader, const char *path,
                          const json_t *object, sb_catalog_plan_t *plan)
{
    const char *where = sb_reader_path(reader, path, "features");
    const json_t *list;

    if (!sb_reader_array(reader, path, object, "features", FEATURES_MAX, &list)) {
        return false;
    }
    size_t n = json_array_size(list);
    sb_text_t *features = apr_pcalloc(reader->pool, sizeof(*features) * (n ? n : 1));
    for (size_t i = 0; i < n; i++) {
        if (!text_read(reader, sb_reader_item(reader, where, i), json_array_get(list, i),
                       FEATURE_MAX, &features[i])) {
            return false;
        }
    }
    plan->features = features;
    plan->features_n = (int)n;
    return true;
}

static bool limit_read(const sb_reader_t *reader, const char *path, const char *name,
                       const json_t *value, sb_catalog_limit_t *limit)
{
    if (!sb_reader_key_valid(name, ".")) {
        return sb_reader_fail(
            reader, path, NULL,
            "is no name for a limit: lower-case letters, digits, \"_\", "
            "\"-\" and \".\"");
    }
    limit->name = apr_pstrdup(reader->pool, name);
    if (json_is_null(value)) {
        limit->unlimited = true;
        return true;
    }
    if (json_is_string(value)) {
        return sb_reader_string(reader, path, value, TEXT_NAME_MAX, &limit->text);
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return sb_reader_fail(
            reader, path, "Unlimited is written null.",
            "must be a whole number from 0, a text such as \"5 GB\", or "
            "null; %s",
            sb_reader_found(reader, value));
    }
    limit->number = json_integer_value(value);
    return true;
}

static bool limits_read(const sb_reader_t *reader, const char *path, const json_t *object,
                        sb_catalog_plan_t *plan)
{
    const char *where = sb_reader_path(reader, path, "limits");
    json_t *value = json_object_get(object, "limits");
    const char *name;
    json_t *member;
    int n = 0;

    if (!value) {
        return true;
    }
    if (!json_is_object(value) || json_object_size(value) > LIMITS_MAX) {
        return sb_reader_fail(
            reader, where, NULL,
            "must be an object of at most %d limits, e.g. {\"projects\": "
            "5}; %s",
            LIMITS_MAX, sb_reader_found(reader, value));
    }
    sb_catalog_limit_t *limits =
        apr_pcalloc(reader->pool, sizeof(*limits) * (json_object_size(value) + 1));
    json_object_foreach(value, name, member)
    {
        if (!limit_read(reader, sb_reader_path(reader, where, name), name, member,
                        &limits[n++])) {
            return false;
        }
    }
    plan->limits = limits;
    plan->limits_n = n;
    return true;
}

static bool entitlements_read(const sb_reader_t *reader, const char *path,
                              const json_t *object, sb_catalog_plan_t *plan)
{
    const char *where = sb_reader_path(reader, path, "entitlements");
    const json_t *list;

    if (!sb_reader_array(reader, path, object, "entitlements", ENTITLEMENTS_MAX, &list)) {
        return false;
    }
    size_t n = json_array_size(list);
    const char **keys = apr_pcalloc(reader->pool, sizeof(*keys) * (n ? n : 1));
    const char *text = "";
    for (size_t i = 0; i < n; i++) {
        const char *item = sb_reader_item(reader, where, i);
        if (!key_read(reader, item, json_array_get(list, i), ".", &keys[i])) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(keys[k], keys[i]) == 0) {
                return sb_reader_fail(reader, item, NULL, "\"%s\" is already in the list",
                                      keys[i]);
            }
        }
        text = i ? apr_pstrcat(reader->pool, text, ",", keys[i], NULL) : keys[i];
    }
    plan->entitlements = keys;
    plan->entitlements_n = (int)n;
    plan->entitlements_text = text;
    return true;
}

static bool contact_valid(const char *contact)
{
    if (strpbrk(contact, " \"<>\\^`{|}")) {
        return false;
    }
    if (strncmp(contact, "mailto:", 7) == 0) {
        return strchr(contact + 7, '@') != NULL;
    }
    if (strncmp(contact, "https://", 8) == 0 || strncmp(contact, "http://", 7) == 0) {
        const char *host = strstr(contact, "://") + 3;
        return *host && *host != '/';
    }
    return contact[0] == '/' && contact[1] != '/';
}

static bool contact_read(const sb_reader_t *reader, const char *path,
                         const json_t *object, const char **out)
{
    const char *where = sb_reader_path(reader, path, "contact");
    const json_t *value = json_object_get(object, "contact");

    if (!value) {
        return true;
    }
    if (!sb_reader_string(reader, where, value, CONTACT_MAX, out)) {
        return false;
    }
    if (!contact_valid(*out)) {
        return sb_reader_fail(reader, where, NULL,
                              "must be an address such as mailto:sales@example.com, "
                              "https://example.com/contact or /contact; %s",
                              sb_reader_found(reader, value));
    }
    return true;
}

static bool prices_read(const sb_reader_t *reader, const char *path, const json_t *object,
                        const char *currency, sb_catalog_plan_t *plan)
{
    const char *where = sb_reader_path(reader, path, "prices");
    const json_t *list;

    if (!sb_reader_array(reader, path, object, "prices", PRICES_MAX, &list)) {
        return false;
    }
    size_t n = json_array_size(list);
    sb_catalog_price_t *prices = apr_pcalloc(reader->pool, sizeof(*prices) * (n ? n : 1));
    for (size_t i = 0; i < n; i++) {
        if (!sb_catalog_price_read(reader, sb_reader_item(reader, where, i),
                                   json_array_get(list, i), currency, &prices[i])) {
            return false;
        }
        prices[i].plan = plan->index;
        prices[i].position = (int)i;
    }
    plan->prices = prices;
    plan->prices_n = (int)n;
    return true;
}

static bool names_read(const sb_reader_t *reader, const char *path, const json_t *value,
                       sb_catalog_plan_t *plan)
{
    const json_t *name = json_object_get(value, "name");
    const json_t *description = json_object_get(value, "description");
    const json_t *group = json_object_get(value, "group");

    if (!name) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, "name"), NULL,
                              "is missing; write what buyers read, e.g. \"Basic\" or "
                              "{\"en\": …, \"de\": …}");
    }
    return text_read(reader, sb_reader_path(reader, path, "name"), name, TEXT_NAME_MAX,
                     &plan->name) &&
           (!description ||
            text_read(reader, sb_reader_path(reader, path, "description"), description,
                      DESCRIPTION_MAX, &plan->description)) &&
           (!group || key_read(reader, sb_reader_path(reader, path, "group"), group, "",
                               &plan->group));
}

/* "open" or "closed"; *closes stays as it is when the key is missing. */
static bool pause_read(const sb_reader_t *reader, const char *path, const json_t *object,
                       bool *closes)
{
    static const char *const words[] = {"open", "closed", NULL};
    const char *word = NULL;

    if (!sb_reader_choice(reader, path, object, "pause_collection", words, &word)) {
        return false;
    }
    if (word) {
        *closes = strcmp(word, "closed") == 0;
    }
    return true;
}

static bool moment_read(const sb_reader_t *reader, const char *path, const json_t *object,
                        const char *name, sb_catalog_moment_e *out)
{
    static const char *const words[] = {"now", "period_end", NULL};
    const char *word = NULL;

    if (!sb_reader_choice(reader, path, object, name, words, &word)) {
        return false;
    }
    if (word) {
        *out = strcmp(word, "now") == 0 ? SB_MOMENT_NOW : SB_MOMENT_PERIOD_END;
    }
    return true;
}

static bool change_read(const sb_reader_t *reader, const char *path, const json_t *object,
                        sb_catalog_plan_t *plan)
{
    static const char *const keys[] = {"upgrade", "downgrade", NULL};
    const char *where = sb_reader_path(reader, path, "change");
    const json_t *value = json_object_get(object, "change");

    plan->upgrade = SB_MOMENT_NOW;
    plan->downgrade = SB_MOMENT_PERIOD_END;
    return !value || (sb_reader_object(reader, where, value, keys) &&
                      moment_read(reader, where, value, "upgrade", &plan->upgrade) &&
                      moment_read(reader, where, value, "downgrade", &plan->downgrade));
}

/* true, or {"min": 2, "max": 50}. */
static bool seats_read(const sb_reader_t *reader, const char *path, const json_t *object,
                       sb_catalog_plan_t *plan)
{
    static const char *const keys[] = {"min", "max", NULL};
    const char *where = sb_reader_path(reader, path, "seats");
    const json_t *value = json_object_get(object, "seats");
    apr_int64_t min = 1, max = SB_CATALOG_SEATS_MAX;

    if (!value || json_is_false(value)) {
        return true;
    }
    if (!json_is_true(value) &&
        (!sb_reader_object(reader, where, value, keys) ||
         !sb_reader_int(reader, where, value, "min", "a whole number from 1 to 10000", 1,
                        SB_CATALOG_SEATS_MAX, &min) ||
         !sb_reader_int(reader, where, value, "max", "a whole number from min to 10000",
                        min, SB_CATALOG_SEATS_MAX, &max))) {
        return false;
    }
    plan->seats_min = (int)min;
    plan->seats_max = (int)max;
    return true;
}

static bool trial_card_read(const sb_reader_t *reader, const char *path,
                            const json_t *object, sb_catalog_plan_t *plan)
{
    static const char *const words[] = {"required", "none", NULL};
    const char *word = NULL;

    if (!sb_reader_choice(reader, path, object, "trial_card", words, &word)) {
        return false;
    }
    plan->trial_without_card = word && strcmp(word, "none") == 0;
    return true;
}

static bool plan_read(const sb_reader_t *reader, const char *path, const json_t *value,
                      const char *currency, sb_catalog_plan_t *plan)
{
    static const char *const keys[] = {"plan",
                                       "name",
                                       "description",
                                       "group",
                                       "rank",
                                       "free",
                                       "default",
                                       "features",
                                       "limits",
                                       "entitlements",
                                       "trial_days",
                                       "contact",
                                       "hidden",
                                       "product",
                                       "prices",
                                       "early_access",
                                       "trial_card",
                                       "pause",
                                       "change",
                                       "seats",
                                       "pause_collection",
                                       NULL};
    apr_int64_t rank = 0, trial_days = 0;

    plan->group = "default";
    if (!sb_reader_object(reader, path, value, keys) ||
        !plan_key_read(reader, path, value, &plan->key) ||
        !names_read(reader, path, value, plan) ||
        !sb_reader_int(reader, path, value, "rank", "a whole number from 0 to 1000000", 0,
                       RANK_MAX, &rank) ||
        !sb_reader_int(reader, path, value, "trial_days",
                       "a number of days from 0 to 730", 0, TRIAL_DAYS_MAX,
                       &trial_days) ||
        !sb_reader_bool(reader, path, value, "early_access", &plan->early_access) ||
        !pause_read(reader, path, value, &plan->pause_closes)) {
        return false;
    }
    plan->rank = (int)rank;
    plan->trial_days = (int)trial_days;
    plan->free = plan->is_default = plan->early_access;
    return sb_reader_bool(reader, path, value, "free", &plan->free) &&
           sb_reader_bool(reader, path, value, "default", &plan->is_default) &&
           sb_reader_bool(reader, path, value, "hidden", &plan->hidden) &&
           sb_reader_bool(reader, path, value, "pause", &plan->pause) &&
           trial_card_read(reader, path, value, plan) &&
           change_read(reader, path, value, plan) &&
           seats_read(reader, path, value, plan) &&
           features_read(reader, path, value, plan) &&
           limits_read(reader, path, value, plan) &&
           entitlements_read(reader, path, value, plan) &&
           contact_read(reader, path, value, &plan->contact) &&
           sb_catalog_id_read(reader, sb_reader_path(reader, path, "product"),
                              json_object_get(value, "product"), SB_ID_PRODUCT,
                              &plan->product) &&
           prices_read(reader, path, value, currency, plan);
}

static bool consent_read(const sb_reader_t *reader, const char *path, const json_t *value,
                         sb_catalog_checkout_t *checkout)
{
    static const char *const keys[] = {"terms_of_service", "promotions", NULL};
    static const char *const terms[] = {"required", "none", NULL};
    static const char *const promotions[] = {"auto", "none", NULL};

    return !value || (sb_reader_object(reader, path, value, keys) &&
                      sb_reader_choice(reader, path, value, "terms_of_service", terms,
                                       &checkout->consent_terms_of_service) &&
                      sb_reader_choice(reader, path, value, "promotions", promotions,
                                       &checkout->consent_promotions));
}

static bool checkout_read(const sb_reader_t *reader, const json_t *value,
                          sb_catalog_checkout_t *checkout)
{
    static const char *const keys[] = {"promotion_codes",
                                       "automatic_tax",
                                       "tax_id_collection",
                                       "billing_address_collection",
                                       "consent",
                                       "locale",
                                       NULL};
    static const char *const collections[] = {"auto", "required", NULL};
    const char *path = "checkout";

    if (!value) {
        return true;
    }
    if (!sb_reader_object(reader, path, value, keys) ||
        !sb_reader_bool(reader, path, value, "promotion_codes",
                        &checkout->promotion_codes) ||
        !sb_reader_bool(reader, path, value, "automatic_tax", &checkout->automatic_tax) ||
        !sb_reader_bool(reader, path, value, "tax_id_collection",
                        &checkout->tax_id_collection) ||
        !sb_reader_choice(reader, path, value, "billing_address_collection", collections,
                          &checkout->billing_address_collection) ||
        !consent_read(reader, "checkout.consent", json_object_get(value, "consent"),
                      checkout)) {
        return false;
    }
    const json_t *locale = json_object_get(value, "locale");
    const char *text = json_string_value(locale);
    if (locale && (!text || (strcmp(text, "auto") != 0 && !lang_valid(text)))) {
        return sb_reader_fail(reader, "checkout.locale", NULL,
                              "must be \"auto\" or a language such as \"de\"; %s",
                              sb_reader_found(reader, locale));
    }
    checkout->locale = text ? apr_pstrdup(reader->pool, text) : NULL;
    return true;
}

static const sb_catalog_price_t *default_by_plan(const sb_reader_t *reader,
                                                 const json_t *value,
                                                 const sb_catalog_t *catalog)
{
    static const char *const keys[] = {"plan", "interval", "currency", NULL};
    const char *key = sb_json_text(value, "plan");

    if (!sb_reader_object(reader, "default_price", value, keys)) {
        return NULL;
    }
    const sb_catalog_plan_t *plan = key ? sb_catalog_plan(catalog, key) : NULL;
    return plan ? sb_catalog_price_of(plan, sb_json_text(value, "interval"),
                                      sb_json_text(value, "currency"))
                : NULL;
}

/* One text may be an id of either mode; an object's two ids must name the same price. */
static const sb_catalog_price_t *default_by_id(const sb_catalog_t *catalog,
                                               const sb_mode_id_t *id, bool one_text)
{
    const sb_catalog_price_t *test =
        id->test ? sb_catalog_price_by_id(catalog, id->test, false) : NULL;
    const sb_catalog_price_t *live =
        id->live ? sb_catalog_price_by_id(catalog, id->live, true) : NULL;

    if (!one_text && ((id->test && !test) || (id->live && !live) ||
                      (id->test && id->live && test != live))) {
        return NULL;
    }
    return test ? test : live;
}

static bool default_price_read(const sb_reader_t *reader, const json_t *value,
                               sb_catalog_t *catalog)
{
    const char *text = json_string_value(value);
    const sb_catalog_price_t *price = NULL;
    sb_mode_id_t id = {NULL, NULL};

    if (!value) {
        return true;
    }
    if (text) {
        price = sb_catalog_price_by_lookup_key(catalog, text);
    }
    if (!price && json_object_get(value, "plan")) {
        price = default_by_plan(reader, value, catalog);
    }
    else if (!price) {
        if (!sb_catalog_id_read(reader, "default_price", value, SB_ID_PRICE, &id)) {
            return false;
        }
        price = default_by_id(catalog, &id, text != NULL);
    }
    if (!price && reader->result->status == SB_OK) {
        return sb_reader_fail(
            reader, "default_price",
            "Write the id or lookup key of a price below, or {\"plan\": "
            "…, \"interval\": …}.",
            "names no price of this catalogue; %s", sb_reader_found(reader, value));
    }
    catalog->default_price = price;
    return price != NULL;
}

static bool plans_read(const sb_reader_t *reader, const json_t *top,
                       sb_catalog_t *catalog)
{
    const json_t *list;

    if (!sb_reader_array(reader, "", top, "plans", SB_CATALOG_PLANS_MAX, &list)) {
        return false;
    }
    size_t n = json_array_size(list);
    if (n == 0) {
        return sb_reader_fail(reader, "plans", NULL,
                              "must be a list of at least one plan");
    }
    sb_catalog_plan_t *plans = apr_pcalloc(reader->pool, sizeof(*plans) * n);
    for (size_t i = 0; i < n; i++) {
        plans[i].index = (int)i;
        plans[i].pause_closes = catalog->pause_closes;
        if (!plan_read(reader, sb_reader_item(reader, "plans", i),
                       json_array_get(list, i), catalog->currency, &plans[i])) {
            return false;
        }
        for (int k = 0; k < plans[i].entitlements_n; k++) {
            int number = sb_catalog_key_add(catalog, plans[i].entitlements[k]);
            plans[i].entitled |= number < 0 ? 0 : (apr_uint64_t)1 << number;
        }
    }
    catalog->plans = plans;
    catalog->plans_n = (int)n;
    return true;
}

static bool top_read(const sb_reader_t *reader, const json_t *top, sb_catalog_t *catalog)
{
    static const char *const keys[] = {
        "$schema", "version",          "currency", "default_price", "usage", "checkout",
        "plans",   "pause_collection", NULL};
    static const char *const usages[] = {"flat", NULL};
    const char *usage = NULL, *schema = NULL;
    apr_int64_t version = 1;

    if (!sb_reader_object(reader, "", top, keys)) {
        return false;
    }
    const json_t *link = json_object_get(top, "$schema");
    if ((link && !sb_reader_string(reader, "$schema", link, CONTACT_MAX, &schema)) ||
        !sb_reader_int(reader, "", top, "version", "1", 1, 1, &version) ||
        !sb_catalog_currency_read(reader, "currency", json_object_get(top, "currency"),
                                  &catalog->currency) ||
        !sb_reader_choice(reader, "", top, "usage", usages, &usage) ||
        !pause_read(reader, "", top, &catalog->pause_closes) ||
        !checkout_read(reader, json_object_get(top, "checkout"), &catalog->checkout)) {
        return false;
    }
    catalog->version = (int)version;
    catalog->usage_flat = usage != NULL;
    return plans_read(reader, top, catalog) && sb_catalog_relations(reader, catalog) &&
           default_price_read(reader, json_object_get(top, "default_price"), catalog);
}

sb_status_e sb_catalog_parse(sb_catalog_t **catalog, sb_result_t *result,
                             const char *text, apr_size_t length, apr_pool_t *pool)
{
    sb_result_t local = {.status = SB_OK};
    const sb_reader_t reader = {
        .pool = pool, .result = result ? result : &local, .code = "bad_catalog"};
    sb_catalog_t *read = apr_pcalloc(pool, sizeof(*read));
    char error[200];
    json_t *top;

    *catalog = NULL;
    sb_result_clear(reader.result);
    if (!sb_json_parse(&top, error, sizeof(error), text, length, DEPTH_MAX)) {
        sb_reader_fail(&reader, "", "Check brackets, commas and quotation marks there.",
                       "%s", error);
        return SB_INVALID;
    }
    bool ok = top_read(&reader, top, read);
    json_decref(top);
    if (!ok) {
        return SB_INVALID;
    }
    *catalog = read;
    return SB_OK;
}
