/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_GONE_H
#define SB_SERVICE_GONE_H

#include "service/service.h"
#include "store/subscriptions.h"

/* A subscription of ours that Stripe may no longer know. */

typedef struct sb_gone_t {
    const sb_subscription_t *stored; /* NULL: nothing is stored */
    const char *status;              /* of what is stored, or NULL */
    const char *stamp;               /* as sb_drift_t's */
    bool over;  /* nothing is stored, or it is final: nothing to do */
    bool ended; /* by sb_gone_end() */
} sb_gone_t;

/* What is stored, before Stripe is asked. SB_UNAVAILABLE: the database. */
sb_status_e sb_gone_look(sb_gone_t *gone, sb_result_t *result, sb_service_t *service,
                         const char *id, apr_pool_t *pool);

/* Stripe answered that it does not know it. When it knows its price this is the right account, and the
 * subscription ends here with an event of source SB_SOURCE_SYNC; else nothing is done but a
 * warning: the key may be another account's. dry_run: nothing is done at all.
 * Failures: those of sb_listing_object() and sb_ingest_fact(). */
sb_status_e sb_gone_end(sb_gone_t *gone, sb_result_t *result, sb_service_t *service,
                        bool dry_run, apr_pool_t *pool);

#endif
