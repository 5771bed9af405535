/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_PORTAL_SESSIONS_H
#define SB_STRIPE_PORTAL_SESSIONS_H

#include "stripe/client.h"

/* Sessions of the customer portal (docs.stripe.com/api/customer_portal/sessions). */

typedef struct sb_stripe_portal_t {
    const char *customer;   /* required, cus_… */
    const char *return_url; /* required */
    const char *locale;     /* or NULL */
    /* NULL, or where the portal opens: "payment_method_update", "subscription_cancel",
     * "subscription_update"; the last two need subscription. */
    const char *flow;
    const char *subscription; /* sub_…, or NULL */
} sb_stripe_portal_t;

/* The answer's url is good for one visit, soon: redirect at once. Failures and the
 * lifetime of *session: as sb_stripe_call(), and SB_UPSTREAM "portal_not_configured"
 * while the account has no portal configuration in this mode (B40), SB_INVALID
 * "bad_flow". */
sb_status_e sb_stripe_portal_create(json_t **session, sb_result_t *result,
                                    sb_stripe_t *stripe, const sb_stripe_portal_t *create,
                                    apr_pool_t *pool);

#endif
