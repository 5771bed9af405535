/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_RETURNING_H
#define SB_SERVICE_RETURNING_H

#include "service/service.h"

/* The buyer is back from Stripe's page, perhaps before the webhook: the session is fetched and fulfilled
 * through the webhook's own code, so that nobody who has paid finds the door closed. */

typedef enum {
    SB_RETURN_OPEN,       /* not paid (yet): the buyer turned back or is still at it */
    SB_RETURN_PROCESSING, /* done at Stripe's page, the money or our records are on their way */
    SB_RETURN_PAID,       /* the door is open */
    SB_RETURN_FAILED /* expired, or the payment failed */
} sb_return_state_e;

typedef struct sb_return_t {
    sb_return_state_e state;
    bool owner; /* the viewer bought it; only then may plan and price be shown */
    const char *user;
    const sb_catalog_plan_t *plan;   /* NULL: not in the catalogue any more */
    const sb_catalog_price_t *price; /* or NULL */
    const char *subscription;        /* sub_…, or NULL */
    const char *
        success_url; /* where the client wants its buyers, checked when stored; or NULL */
    const char *cancel_url; /* or NULL */
} sb_return_t;

/* "open", "processing", "paid", "failed". */
const char *sb_return_state_word(sb_return_state_e state);

/* viewer NULL: nobody is logged in. SB_NOT_FOUND "unknown_session" unless this server made the session
 * (T09). When Stripe cannot be reached the answer comes from the database. */
sb_status_e sb_return_complete(sb_return_t *out, sb_result_t *result,
                               sb_service_t *service, const char *session_id,
                               const char *viewer, apr_pool_t *pool);

#endif
