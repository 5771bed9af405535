/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_LINKS_H
#define SB_SERVICE_LINKS_H

#include "service/service.h"

/* Binding a Stripe customer to a user by an operator's word, for shops that come with customers. */

typedef struct sb_link_request_t {
    const char *user;
    const char *customer; /* cus_… */
    const char *who;      /* the operator, for the audit */
    bool force;   /* also when it takes the customer or the user's present one away */
    bool offline; /* do not ask Stripe whether the customer exists */
    bool dry_run;
} sb_link_request_t;

typedef struct sb_link_t {
    bool changed;              /* with dry_run: would be; false: it was so before */
    const char *from_user;     /* who held the customer before, or NULL */
    const char *from_customer; /* the user's other living customer, or NULL */
    int subscriptions;         /* of the user afterwards */
} sb_link_t;

/* SB_INVALID "bad_identity", "bad_id"; SB_NOT_FOUND "resource_missing", "customer_deleted" by Stripe;
 * SB_CONFLICT "customer_bound_elsewhere", "user_has_customer" without force, link tells which. */
sb_status_e sb_link_set(sb_link_t *link, sb_result_t *result, sb_service_t *service,
                        const sb_link_request_t *request, apr_pool_t *pool);

#endif
