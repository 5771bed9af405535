/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/objects.h"

#include <string.h>

static const struct {
    const char *kind;
    const char *path;
} places[] = {
    {"subscription", "/v1/subscriptions/"},
    {"customer", "/v1/customers/"},
    {"invoice", "/v1/invoices/"},
    {"checkout.session", "/v1/checkout/sessions/"},
    {"price", "/v1/prices/"},
    {"product", "/v1/products/"},
    {"payment_intent", "/v1/payment_intents/"},
    {"charge", "/v1/charges/"},
    {"refund", "/v1/refunds/"},
    {"dispute", "/v1/disputes/"},
};

sb_status_e sb_stripe_object_retrieve(json_t **object, sb_result_t *result,
                                      sb_stripe_t *stripe, const char *kind,
                                      const char *id, apr_pool_t *pool)
{
    *object = NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        if (strcmp(places[i].kind, kind) == 0) {
            const char *path = sb_stripe_path(result, places[i].path, id, pool);
            return path ? sb_stripe_call_for(object, result, stripe, kind, "GET", path,
                                             NULL, NULL, pool)
                        : SB_INVALID;
        }
    }
    return sb_result_set(result, SB_INTERNAL, "bad_call",
                         "This kind of object cannot be read.", NULL);
}
