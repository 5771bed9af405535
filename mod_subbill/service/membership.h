/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_MEMBERSHIP_H
#define SB_SERVICE_MEMBERSHIP_H

#include "service/account.h"

/* Free default plans, early access among them, without any object at Stripe (A9). The gate gives them to
 * everybody who is logged in and writes nothing; the pages write down since when. */

/* A user is here for the first time, or for the first time since the catalogue has another default plan: makes
 * the account and its memberships. email may be NULL. Doing it again changes nothing. */
sb_status_e sb_membership_activate(sb_result_t *result, sb_service_t *service,
                                   const char *user, const char *email, apr_pool_t *pool);

/* Whether something is to be activated for whoever is seen here. */
bool sb_membership_missing(const sb_account_view_t *view, const sb_catalog_t *catalog);

#endif
