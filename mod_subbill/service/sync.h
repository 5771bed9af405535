/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_SYNC_H
#define SB_SERVICE_SYNC_H

#include "service/drift.h"
#include "service/service.h"

/* Everything that Stripe lists, held against what is stored, and repaired. The types: "customers", "products",
 * "prices", "subscriptions" (those that are over too), "invoices" and "disputes" (those of ours that are under
 * way, asked for by their ids).
 *
 * What is missing here is let in as it was listed. What differs is read once more by itself first, and let in
 * dated as it was stored before: so a webhook that arrives meanwhile is never overwritten. A
 * subscription that still opens something here and that Stripe does not list is asked for by its id;
 * when Stripe does not know it, but does know its price, it is over. */

typedef struct sb_sync_difference_t {
    const char *type;
    const char *id;
    const char *field; /* of sb_difference_t, or "missing_at_stripe", "unreadable" */
    const char *stored;
    const char *told; /* by Stripe */
    bool repaired;
} sb_sync_difference_t;

/* Texts live as long as the call. */
typedef void (*sb_sync_report_fn)(void *baton, const sb_sync_difference_t *difference);

typedef struct sb_sync_t {
    const char *const *types; /* n of them, in this order; n 0: all */
    int n;
    bool dry_run; /* reports and changes nothing */
    sb_sync_report_fn report;
    void *baton;

    int seen, differing, repaired; /* objects */
} sb_sync_t;

/* Reads every page of every type and comes back when all is done; waits where Stripe asks for it.
 *   SB_INVALID      "unknown_type"
 *   else            as sb_listing_page(), sb_drift_repair(): what was repaired until then stays */
sb_status_e sb_sync_run(sb_sync_t *sync, sb_result_t *result, sb_service_t *service,
                        apr_pool_t *pool);

/* Wishes for the same as one SB_JOB_SYNC per type; the differences go to the log. SB_INVALID
 * "unknown_type"; SB_UNAVAILABLE: the database. */
sb_status_e sb_sync_start(sb_result_t *result, sb_service_t *service,
                          const char *const *types, int n, apr_pool_t *pool);

#endif
