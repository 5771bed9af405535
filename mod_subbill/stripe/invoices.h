/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_INVOICES_H
#define SB_STRIPE_INVOICES_H

#include "stripe/subscriptions.h"

/* Invoices that do not exist (docs.stripe.com/api/invoices/create_preview): nothing is kept anywhere. Failures and
 * the lifetime of *invoice: as sb_stripe_call(). */

/* The next one of this subscription. SB_NOT_FOUND "no_upcoming_invoice": there will be none. */
sb_status_e sb_stripe_invoice_upcoming(json_t **invoice, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *subscription,
                                       apr_pool_t *pool);

/* What sb_stripe_subscription_switch() would charge at once. */
sb_status_e sb_stripe_invoice_of_switch(json_t **invoice, sb_result_t *result,
                                        sb_stripe_t *stripe, const char *subscription,
                                        const sb_stripe_switch_t *to, apr_pool_t *pool);

#endif
