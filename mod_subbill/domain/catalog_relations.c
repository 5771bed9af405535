/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/catalog_relations.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

/* Everything that must be unique goes through one table: a kind of name and the name, mapped to the
 * path where it was seen first, so that the message can name both places. */

typedef struct check_t {
    const sb_reader_t *reader;
    apr_hash_t *seen; /* "kind\nname" -> path */
} check_t;

static bool unique(const check_t *check, const char *kind, const char *name,
                   const char *path, const char *hint)
{
    if (!name) {
        return true;
    }
    const char *key = apr_pstrcat(check->reader->pool, kind, "\n", name, NULL);
    const char *first = apr_hash_get(check->seen, key, APR_HASH_KEY_STRING);
    if (first) {
        return sb_reader_fail(check->reader, path, hint,
                              "the %s \"%s\" is already used at %s", kind, name, first);
    }
    apr_hash_set(check->seen, key, APR_HASH_KEY_STRING, path);
    return true;
}

/* An id of one mode may stand in only one place; the same text for both modes is one use. */
static bool id_unique(const check_t *check, const char *what, const sb_mode_id_t *id,
                      const char *path, const char *hint)
{
    apr_pool_t *pool = check->reader->pool;

    return unique(check, apr_pstrcat(pool, what, " (test)", NULL), id->test, path,
                  hint) &&
           unique(check, apr_pstrcat(pool, what, " (live)", NULL), id->live, path, hint);
}

static bool price_check(const check_t *check, const sb_catalog_plan_t *plan,
                        const sb_catalog_price_t *price, const char *path)
{
    apr_pool_t *pool = check->reader->pool;
    const char *number = price->plan_id ? apr_itoa(pool, price->plan_id) : NULL;
    const char *period =
        apr_psprintf(pool, "%s: every %d %s in %s", plan->key, price->interval_count,
                     price->interval, price->currency);

    if (plan->free && price->amount > 0) {
        return sb_reader_fail(
            check->reader, sb_reader_path(check->reader, path, "amount"),
            "Write 0, or take \"free\" away.",
            "must be 0 in a free plan; found %" APR_INT64_T_FMT, price->amount);
    }
    return id_unique(check, "price id", &price->id,
                     sb_reader_path(check->reader, path, "id"),
                     "Every price of Stripe's stands for one plan.") &&
           unique(check, "lookup key", price->lookup_key,
                  sb_reader_path(check->reader, path, "lookup_key"), NULL) &&
           unique(check, "plan_id", number,
                  sb_reader_path(check->reader, path, "plan_id"), NULL) &&
           unique(check, "period", period, path,
                  "A plan has one price per interval and currency.");
}

static bool free_plan_check(const check_t *check, const sb_catalog_plan_t *plan,
                            const char *path)
{
    const sb_reader_t *reader = check->reader;

    if (plan->trial_days > 0) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, "trial_days"),
                              "Take it away.", "makes no sense in a free plan");
    }
    if (!plan->early_access) {
        return true;
    }
    if (!plan->free || !plan->is_default) {
        const char *key = plan->free ? "default" : "free";
        return sb_reader_fail(reader, sb_reader_path(reader, path, key), "Take it away.",
                              "contradicts \"early_access\", which is free and given to "
                              "everybody who is logged in");
    }
    if (plan->prices_n > 0 || plan->product.test || plan->product.live) {
        const char *key = plan->prices_n > 0 ? "prices" : "product";
        return sb_reader_fail(reader, sb_reader_path(reader, path, key),
                              "Take \"early_access\" away when the plan becomes "
                              "chargeable.",
                              "must not be given with \"early_access\", which has no "
                              "object at Stripe");
    }
    return true;
}

static bool plan_check(const check_t *check, const sb_catalog_plan_t *plan)
{
    const sb_reader_t *reader = check->reader;
    apr_pool_t *pool = reader->pool;
    const char *path = sb_reader_item(reader, "plans", (size_t)plan->index);
    const char *rank = apr_psprintf(pool, "%s: %d", plan->group, plan->rank);

    if (!unique(check, "plan", plan->key, sb_reader_path(reader, path, "plan"), NULL) ||
        !unique(check, "rank", rank, sb_reader_path(reader, path, "rank"),
                "Give every plan of a group a rank of its own; the higher one opens what "
                "the lower one opens.") ||
        !id_unique(
            check, "product", &plan->product, sb_reader_path(reader, path, "product"),
            "A product stands for one plan; leave it out where plans share one.")) {
        return false;
    }
    if ((plan->free || plan->early_access) && !free_plan_check(check, plan, path)) {
        return false;
    }
    if (plan->is_default && !plan->free) {
        return sb_reader_fail(reader, sb_reader_path(reader, path, "default"),
                              "Add \"free\": true, or take \"default\" away.",
                              "only a free plan can be held by everybody");
    }
    if (plan->is_default &&
        !unique(
            check, "default plan of group", plan->group,
            sb_reader_path(reader, path, plan->early_access ? "early_access" : "default"),
            "A group has one plan for those who bought nothing.")) {
        return false;
    }
    if (!plan->free && plan->prices_n == 0 && !plan->contact) {
        return sb_reader_fail(
            reader, path, "Add \"prices\", or \"contact\", or \"free\": true.",
            "the plan \"%s\" can neither be bought nor asked for", plan->key);
    }
    path = sb_reader_path(reader, path, "prices");
    for (int i = 0; i < plan->prices_n; i++) {
        if (!price_check(check, plan, &plan->prices[i],
                         sb_reader_item(reader, path, (size_t)i))) {
            return false;
        }
    }
    return true;
}

bool sb_catalog_relations(const sb_reader_t *reader, const sb_catalog_t *catalog)
{
    check_t check = {.reader = reader, .seen = apr_hash_make(reader->pool)};

    for (int i = 0; i < catalog->plans_n; i++) {
        if (!plan_check(&check, &catalog->plans[i])) {
            return false;
        }
    }
    return true;
}
