/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_INVOICES_H
#define SB_SERVICE_INVOICES_H

#include "service/account.h"
#include "service/service.h"
#include "store/invoices.h"

/* What a user was charged, from our tables; and what will be charged next, from Stripe. */

#define SB_INVOICES_MAX 100

/* Newest first, at most limit; drafts are left out. */
sb_status_e sb_invoices_list(sb_invoice_t **invoices, int *n, sb_result_t *result,
                             sb_service_t *service, const char *user, int limit,
                             apr_pool_t *pool);

/* An array; the caller owns the reference. Members: id, number, status, currency, amount_due, amount_paid, created,
 * hosted_url, pdf_url. Addresses that are not http(s) are null (T27). */
json_t *sb_invoices_json(const sb_invoice_t *invoices, int n);

/* An address from Stripe as a JSON text: null unless it is http(s) (T27). */
json_t *sb_invoice_link(const char *url);

/* Whether what somebody holds (or NULL) leads to another invoice, as far as our tables know. */
bool sb_invoices_expected(const sb_held_t *held);

/* The next invoice as Stripe would write it now: amount_due, currency, date, subscription, lines (description, amount).
 * pool owns *document. SB_NOT_FOUND "no_upcoming_invoice"; else as sb_stripe_call(). */
sb_status_e sb_invoices_upcoming(json_t **document, sb_result_t *result,
                                 sb_service_t *service, const char *user, int grace_days,
                                 apr_pool_t *pool);

#endif
