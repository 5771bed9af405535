/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Prices and products are mirrored so that one that left the catalogue still maps to the plan its
 * buyers hold. What is for sale is the catalogue's business alone. */
#include "service/apply.h"

#include "store/prices.h"

#include <string.h>

static bool is_deletion(const sb_apply_t *apply)
{
    const char *dot = strrchr(apply->event->type, '.');

    return dot && strcmp(dot, ".deleted") == 0;
}

apr_status_t sb_apply_price(sb_apply_t *apply)
{
    const sb_catalog_t *catalog = apply->service->catalog;
    sb_price_facts_t facts;
    sb_price_t *stored = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_price(&facts, &result, apply->event->object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    apr_status_t rv =
        sb_price_lock(&stored, apply->conn, facts.id, facts.livemode, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (stored && stored->updated_at > apply->event->created) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
    }
    const sb_plan_clues_t clues = {
        .price = facts.id,
        .lookup_key = facts.lookup_key,
        .remembered = stored ? stored->plan : NULL,
        .product = facts.product,
        .metadata_plan = facts.metadata_plan,
    };
    const sb_catalog_plan_t *plan =
        sb_catalog_plan_at(catalog, sb_catalog_map(catalog, facts.livemode, &clues));
    const sb_price_t price = {
        .id = facts.id,
        .livemode = facts.livemode,
        .product = facts.product,
        .plan = plan ? plan->key : facts.metadata_plan,
        .currency = facts.currency,
        .amount = facts.amount,
        .interval = facts.interval,
        .interval_count = facts.interval_count,
        .active = facts.active && !is_deletion(apply),
        .lookup_key = facts.lookup_key,
        .source = apply->source,
        .updated_at = apply->event->created,
    };
    return sb_price_save(apply->conn, &price, apply->pool);
}

apr_status_t sb_apply_product(sb_apply_t *apply)
{
    sb_product_facts_t facts;
    sb_product_t *stored = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_product(&facts, &result, apply->event->object, apply->pool) != SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    apr_status_t rv =
        sb_product_lock(&stored, apply->conn, facts.id, facts.livemode, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (stored && stored->updated_at > apply->event->created) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "superseded", NULL);
    }
    const sb_product_t product = {
        .id = facts.id,
        .livemode = facts.livemode,
        .name = facts.name,
        .plan = facts.metadata_plan,
        .active = facts.active && !is_deletion(apply),
        .source = apply->source,
        .updated_at = apply->event->created,
    };
    return sb_product_save(apply->conn, &product, apply->pool);
}
