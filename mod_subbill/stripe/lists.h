/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_LISTS_H
#define SB_STRIPE_LISTS_H

#include "stripe/client.h"

/* Lists, page by page (docs.stripe.com/api/pagination). Stripe lists the newest first. */

#define SB_STRIPE_PAGE_MAX 100 /* Stripe's limit per page */

typedef struct sb_stripe_list_t {
    const char *of; /* "events", "subscriptions" (those that are over too), "customers",
                       "products", "prices", "invoices" or "disputes" */
    int limit;      /* 1…SB_STRIPE_PAGE_MAX */
    const char
        *after; /* the page of what is older than this id; NULL: from the newest on */
    const char
        *before; /* the page of what is next newer than this id; NULL, or after NULL */
    apr_int64_t since; /* created then or later, Unix seconds; 0: all */
} sb_stripe_list_t;

typedef struct sb_stripe_page_t {
    const json_t
        *data; /* objects of the right kind with an id, the newest first; lives in pool */
    int n;
    bool more; /* there is another page in the direction that was asked for */
} sb_stripe_page_t;

/* One page. Failures: as sb_stripe_call(); a cursor that Stripe no longer knows is SB_NOT_FOUND; an
 * answer that is no such list is SB_UPSTREAM "stripe_bad_answer". */
sb_status_e sb_stripe_list(sb_stripe_page_t *page, sb_result_t *result,
                           sb_stripe_t *stripe, const sb_stripe_list_t *list,
                           apr_pool_t *pool);

/* The kind of object in that list: "event", "subscription", …; NULL: there is no such list. */
const char *sb_stripe_list_kind(const char *of);

#endif
