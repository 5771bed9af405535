/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_MONEY_H
#define SB_STRIPE_MONEY_H

#include "stripe/client.h"

/* Lists that no webhook holds whole. *list is a page of Stripe's: data, has_more. Failures and its lifetime:
 * as sb_stripe_call(), and SB_INVALID "bad_id". */

/* The invoices that a payment intent paid. Stripe cannot be asked so about a charge without one. */
sb_status_e sb_stripe_invoice_payments(json_t **list, sb_result_t *result,
                                       sb_stripe_t *stripe, const char *intent,
                                       apr_pool_t *pool);

/* The features a customer may use, at most 100 after the one with this id (NULL: from the beginning). */
sb_status_e sb_stripe_active_entitlements(json_t **list, sb_result_t *result,
                                          sb_stripe_t *stripe, const char *customer,
                                          const char *after, apr_pool_t *pool);

#endif
