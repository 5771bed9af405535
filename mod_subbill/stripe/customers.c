/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/customers.h"

sb_status_e sb_stripe_customer_create(json_t **customer, sb_result_t *result,
                                      sb_stripe_t *stripe,
                                      const sb_stripe_customer_t *create,
                                      const char *idempotency_key, apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);

    sb_form_add(params, "metadata[" SB_STRIPE_METADATA_USER "]", create->user);
    sb_form_add(params, "email", create->email);
    sb_form_add(params, "preferred_locales[0]", create->locale);
    return sb_stripe_call_for(customer, result, stripe, "customer", "POST",
                              "/v1/customers", params, idempotency_key, pool);
}

sb_status_e sb_stripe_customer_retrieve(json_t **customer, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *id,
                                        apr_pool_t *pool)
{
    const char *path = sb_stripe_path(result, "/v1/customers/", id, pool);

    *customer = NULL;
    if (!path) {
        return SB_INVALID;
    }
    sb_status_e status = sb_stripe_call_for(customer, result, stripe, "customer", "GET",
                                            path, NULL, NULL, pool);
    /* A deleted customer still has an object, which nothing can be sold to. */
    if (status == SB_OK && sb_json_bool(*customer, "deleted", false)) {
        *customer = NULL;
        return sb_result_set(result, SB_NOT_FOUND, "customer_deleted",
                             "This customer was deleted at the payment service.", NULL);
    }
    return status;
}
