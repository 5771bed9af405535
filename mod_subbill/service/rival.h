/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_RIVAL_H
#define SB_SERVICE_RIVAL_H

#include "service/service.h"
#include "store/checkouts.h"

/* A session that must not be paid any more, because another one is about to be. Inside service/ only. */

/* Ends rival, which has a session, at Stripe and in our table. *complete becomes true, and is never
 * set back, when it turns out that it was paid or ended before: what it brought is applied then.
 * Errors as sb_stripe_call(): the session may still be payable. */
sb_status_e sb_rival_end(bool *complete, sb_result_t *result, sb_service_t *service,
                         const sb_checkout_t *rival, apr_pool_t *pool);

#endif
