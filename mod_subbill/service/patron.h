/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_PATRON_H
#define SB_SERVICE_PATRON_H

#include "service/service.h"

/* The Stripe customer who pays for a user. Inside service/ only. */

/* Finds the user's customer, or makes one at Stripe, stamped with the user, and binds it here before
 * anything is sold to it. gone: a customer that Stripe does not know any more: it is
 * marked so and replaced; or NULL. *customer lives in pool. */
sb_status_e sb_patron_ensure(const char **customer, sb_result_t *result,
                             sb_service_t *service, const char *user, const char *email,
                             const char *locale, const char *gone, apr_pool_t *pool);

/* Whether this failed call says that the customer is missing; error: the call's *out. */
bool sb_patron_missing(sb_status_e status, const json_t *error);

#endif
