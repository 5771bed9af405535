/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_REBUILD_H
#define SB_SERVICE_REBUILD_H

#include "service/service.h"
#include "store/events.h"

/* The tables that mirror Stripe are made of the rows of `event`, and can be made again: after a loss, or to
 * see whether they are right. */

typedef struct sb_rebuild_t {
    bool dry_run; /* given: everything is read, nothing is written */

    int events; /* gone through */
    int applied; /* of them, those that said something about this site; with dry_run: would be */
    int waiting; /* of them, those that wait for Stripe and get their job again, or would */
    int bodies;  /* missing ones: what they said is lost */
    int changed; /* ended in another state than before, done instead of failed, say */
    sb_event_table_t *tables; /* and what they held before */
    int tables_n;
    apr_int64_t rows; /* of all of them; a rebuild wants 0 */
} sb_rebuild_t;

/* Applies every stored event of this mode once more in the order they arrived in, with the time it had then.
 * The rows of customer, subscription, price, product, invoice, payment and trial must be gone and are
 * made; those of checkout, account and link_audit are what this site itself knew, and are read. Stripe
 * is not asked: what was waiting for Stripe, or had failed, gets its job again.
 *   SB_CONFLICT     "not_empty": there are rows; nothing was done. Not with dry_run
 *   SB_UNAVAILABLE  the database; empty the tables and begin again */
sb_status_e sb_rebuild_run(sb_rebuild_t *rebuild, sb_result_t *result,
                           sb_service_t *service, apr_pool_t *pool);

#endif
