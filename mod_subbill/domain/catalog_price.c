/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/catalog_price.h"

#include "domain/currency.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define ID_MAX         255
#define LOOKUP_KEY_MAX 200 /* Stripe's own limit */

static const char *const intervals[] = {"day", "week", "month", "year", NULL};
static const int interval_counts_max[] = {1095, 156, 36, 3}; /* three years each */

static const struct {
    const char *prefix;
    const char *what;
    const char *placeholder_hint;
} kinds[] = {
    [SB_ID_PRICE] =
        {"price_", "a price's id, \"price_\" and then letters and digits",
         "Copy the real id from Stripe's Dashboard: Product catalogue, the "
         "product, the price, \"Copy price ID\"; or write lookup_key instead."},
    [SB_ID_PRODUCT] = {"prod_", "a product's id, \"prod_\" and then letters and digits",
                       "Copy the real id from Stripe's Dashboard: Product catalogue, the "
                       "product, \"Copy product ID\"; or leave product out."},
};

static bool all_x(const char *text)
{
    return *text && text[strspn(text, "xX")] == '\0';
}

/* Ids that were written to be replaced: price_XXX, price_..., price_premium_monthly (A10). Stripe
 * puts only letters and digits behind the prefix. */
static bool placeholder(const char *tail)
{
    return *tail == '\0' || strstr(tail, "XXX") || strchr(tail, '.') ||
           strstr(tail, "…") || strchr(tail, '_') || all_x(tail);
}

static bool alphanumeric(const char *text)
{
    for (; *text; text++) {
        if (!((*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
              (*text >= 'A' && *text <= 'Z'))) {
            return false;
        }
    }
    return true;
}

static bool id_text_read(const sb_reader_t *reader, const char *path, const json_t *value,
                         sb_id_kind_e kind, const char **out)
{
    const char *prefix = kinds[kind].prefix;
    const char *text = NULL;

    if (!sb_reader_string(reader, path, value, ID_MAX, &text)) {
        return false;
    }
    if (kind == SB_ID_PRICE && strncmp(text, "plan_", 5) == 0) {
        prefix = "plan_"; /* prices made before 2020 */
    }
    apr_size_t length = strlen(prefix);
    if (strncmp(text, prefix, length) != 0) {
        const char *hint =
            kind == SB_ID_PRICE && strncmp(text, "prod_", 5) == 0
                ? "That is the product's id; a product has one id per price as well: "
                  "Dashboard, Product catalogue, the product, the price, \"Copy price "
                  "ID\"."
                : NULL;
        return sb_reader_fail(reader, path, hint, "must be %s; %s", kinds[kind].what,
                              sb_reader_found(reader, value));
    }
    if (placeholder(text + length)) {
        return sb_reader_fail(reader, path, kinds[kind].placeholder_hint,
                              "is a placeholder; %s", sb_reader_found(reader, value));
    }
    if (!alphanumeric(text + length)) {
        return sb_reader_fail(reader, path, NULL, "must be %s; %s", kinds[kind].what,
                              sb_reader_found(reader, value));
    }
    *out = text;
    return true;
}

bool sb_catalog_id_read(const sb_reader_t *reader, const char *path, const json_t *value,
                        sb_id_kind_e kind, sb_mode_id_t *id)
{
    static const char *const modes[] = {"test", "live", NULL};
    const char **members[] = {&id->test, &id->live};

    if (!value) {
        return true;
    }
    if (!json_is_object(value)) {
        bool ok = id_text_read(reader, path, value, kind, &id->test);
        id->live = id->test;
        return ok;
    }
    if (!sb_reader_object(reader, path, value, modes)) {
        return false;
    }
    for (int i = 0; modes[i]; i++) {
        const json_t *text = json_object_get(value, modes[i]);
        if (text && !id_text_read(reader, sb_reader_path(reader, path, modes[i]), text,
                                  kind, members[i])) {
            return false;
        }
    }
    if (!id->test && !id->live) {
        return sb_reader_fail(reader, path, NULL, "must hold \"test\", \"live\" or both");
    }
    return true;
}

bool sb_catalog_currency_read(const sb_reader_t *reader, const char *path,
                              const json_t *value, const char **out)
{
    char code[4] = "";
    const char *text = json_string_value(value);

    if (!value) {
        return true;
    }
    if (text && strlen(text) == 3) {
        for (int i = 0; i < 3; i++) {
            code[i] = (char)apr_tolower(text[i]);
        }
    }
    if (!sb_currency_known(code)) {
        return sb_reader_fail(
            reader, path, NULL,
            "must be a currency of ISO 4217 in three letters, e.g. \"eur\"; %s",
            sb_reader_found(reader, value));
    }
    *out = apr_pstrdup(reader->pool, code);
    return true;
}

static bool interval_read(const sb_reader_t *reader, const char *path,
                          const json_t *value, sb_catalog_price_t *price)
{
    apr_int64_t count = 1;
    int which = 0;

    if (!json_object_get(value, "interval")) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, "interval"), NULL,
                              "is missing; write day, week, month or year");
    }
    if (!sb_reader_choice(reader, path, value, "interval", intervals, &price->interval)) {
        return false;
    }
    while (intervals[which] != price->interval) {
        which++;
    }
    int max = interval_counts_max[which];
    const char *meaning = apr_psprintf(
        reader->pool, "a whole number from 1 to %d (three years at most)", max);
    if (!sb_reader_int(reader, path, value, "interval_count", meaning, 1, max, &count)) {
        return false;
    }
    price->interval_count = (int)count;
    return true;
}

static bool amount_read(const sb_reader_t *reader, const char *path, const json_t *value,
                        sb_catalog_price_t *price)
{
    const char *where = sb_reader_path(reader, path, "amount");

    if (!json_object_get(value, "amount")) {
        return sb_reader_fail(reader, where, NULL,
                              "is missing; write an integer in minor units, e.g. 299 for "
                              "2.99");
    }
    if (!sb_reader_int(reader, path, value, "amount",
                       "an integer in minor units, e.g. 299 for 2.99, from 0 to 99999999",
                       0, SB_CATALOG_AMOUNT_MAX, &price->amount)) {
        return false;
    }
    int step = sb_currency_step(price->currency);
    if (price->amount % step) {
        return sb_reader_fail(reader, where, NULL,
                              "must be a multiple of %d in the currency %s; found "
                              "%" APR_INT64_T_FMT,
                              step, price->currency, price->amount);
    }
    return true;
}

bool sb_catalog_price_read(const sb_reader_t *reader, const char *path,
                           const json_t *value, const char *currency,
                           sb_catalog_price_t *price)
{
    static const char *const keys[] = {"id",       "interval", "interval_count",
                                       "currency", "amount",   "lookup_key",
                                       "plan_id",  NULL};
    const json_t *lookup_key;
    apr_int64_t plan_id = 0;

    *price = (sb_catalog_price_t){.currency = currency};
    if (!sb_reader_object(reader, path, value, keys) ||
        !sb_catalog_id_read(reader, sb_reader_path(reader, path, "id"),
                            json_object_get(value, "id"), SB_ID_PRICE, &price->id) ||
        !interval_read(reader, path, value, price) ||
        !sb_catalog_currency_read(reader, sb_reader_path(reader, path, "currency"),
                                  json_object_get(value, "currency"), &price->currency)) {
        return false;
    }
    if (!price->currency) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, "currency"),
                              "Or write a currency at the top for all prices.",
                              "is missing; write it in three letters, e.g. \"eur\"");
    }
    if (!amount_read(reader, path, value, price) ||
        !sb_reader_int(reader, path, value, "plan_id",
                       "a whole number from 1 to 2147483647", 1, APR_INT32_MAX,
                       &plan_id)) {
        return false;
    }
    price->plan_id = (int)plan_id;
    lookup_key = json_object_get(value, "lookup_key");
    if (lookup_key &&
        !sb_reader_string(reader, sb_reader_path(reader, path, "lookup_key"), lookup_key,
                          LOOKUP_KEY_MAX, &price->lookup_key)) {
        return false;
    }
    if (!price->id.test && !price->id.live && !price->lookup_key) {
        return sb_reader_fail(
            reader, path, kinds[SB_ID_PRICE].placeholder_hint,
            "needs an \"id\" or a \"lookup_key\" to be found at Stripe by");
    }
    return true;
}
