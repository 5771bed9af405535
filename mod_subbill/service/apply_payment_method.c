/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* What a customer pays with. Attached, changed by the customer or renewed by the bank: the newer telling stays;
 * detached is final, since Stripe lets nobody attach it again. */
#include "service/apply.h"

#include "base/json.h"
#include "domain/stripe_money.h"
#include "store/payment_methods.h"

#include <string.h>

/* Once detached the object does not say any more whose it was. */
static const char *owner_before(const sb_apply_t *apply)
{
    const char *id = sb_json_id(sb_json_get(apply->event->previous, "customer"));

    return id && sb_stripe_id_valid(id) ? id : NULL;
}

apr_status_t sb_apply_payment_method(sb_apply_t *apply)
{
    bool detached = strcmp(apply->event->type, "payment_method.detached") == 0;
    sb_payment_method_facts_t facts;
    sb_payment_method_t *stored = NULL;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_event_payment_method(&facts, &result, apply->event->object, apply->pool) !=
        SB_OK) {
        return sb_apply_end(apply, SB_APPLY_FAILED, result.code, result.message);
    }
    sb_payment_method_t told = {
        .id = facts.id,
        .livemode = apply->event->livemode,
        .customer = facts.customer ? facts.customer : owner_before(apply),
        .type = facts.type,
        .brand = facts.brand,
        .last4 = facts.last4,
        .exp_month = facts.exp_month,
        .exp_year = facts.exp_year,
        .created_at = facts.created,
        .detached_at = detached ? apply->event->created : 0,
        .told_at = apply->event->created,
        .source = apply->source,
    };
    apr_status_t rv =
        sb_payment_method_lock(&stored, apply->conn, told.id, told.livemode, apply->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (stored && told.told_at < stored->told_at) {
        sb_payment_method_t kept = *stored;
        kept.customer = kept.customer ? kept.customer : told.customer;
        kept.detached_at = kept.detached_at ? kept.detached_at : told.detached_at;
        told = kept;
    }
    else if (stored && stored->detached_at) {
        told.detached_at = stored->detached_at;
    }
    return sb_payment_method_save(apply->conn, &told, apply->pool);
}
