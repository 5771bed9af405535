/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_OFFER_H
#define SB_SERVICE_OFFER_H

#include "service/checkout.h"

/* What a request for a checkout amounts to, once it was held against the catalogue: nothing that a
 * client sends reaches Stripe but through here (T10). Inside service/ only. */

typedef struct sb_offer_t {
    const sb_catalog_plan_t *plan;
    const sb_catalog_price_t *price;
    apr_int64_t quantity;
    int trial_days;          /* before it is known whether the user has had one */
    const char *success_url; /* absolute and checked, or NULL */
    const char *cancel_url;
    const char *locale;
} sb_offer_t;

/* Errors as sb_checkout_start(). */
sb_status_e sb_offer_find(sb_offer_t *offer, sb_result_t *result,
                          const sb_service_t *service,
                          const sb_checkout_request_t *request, apr_pool_t *pool);

/* url, else what the configuration says, else fallback, as an absolute address that this site may send
 * people to; NULL when there is neither. SB_INVALID "bad_return_url". */
sb_status_e sb_offer_url(const char **checked, sb_result_t *result,
                         const sb_service_t *service, const char *url,
                         const char *configured, const char *fallback, apr_pool_t *pool);

#endif
