/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_PORTAL_H
#define SB_SERVICE_PORTAL_H

#include "service/service.h"

/* Stripe's customer portal for a user. */

typedef struct sb_portal_request_t {
    const char *user; /* required */
    const char
        *return_url; /* the client's wish, unchecked; NULL: SubbillPortalReturnURL */
    const char *return_page; /* absolute: where to when neither says; our account page */
    const char *
        flow; /* NULL, "payment_method_update", "subscription_cancel", "subscription_update" */
    const char *locale; /* or NULL */
} sb_portal_request_t;

/* *url is good for one visit, now. SB_NOT_FOUND "no_customer"; SB_INVALID "bad_return_url",
 * "bad_flow"; SB_CONFLICT "no_subscription" for a flow that needs one; SB_UPSTREAM
 * "portal_not_configured" (B40); else as sb_stripe_call(). */
sb_status_e sb_portal_open(const char **url, sb_result_t *result, sb_service_t *service,
                           const sb_portal_request_t *request, apr_pool_t *pool);

#endif
