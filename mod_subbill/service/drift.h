/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_DRIFT_H
#define SB_SERVICE_DRIFT_H

#include "service/service.h"

#include <jansson.h>

/* What is stored about one object of Stripe's, held against what Stripe says. */

typedef struct sb_difference_t {
    const char *field;  /* "missing_here", "status", "current_period_end", … */
    const char *stored; /* NULL: nothing */
    const char *told;   /* NULL: nothing */
} sb_difference_t;

typedef struct sb_drift_t {
    const char *type; /* the list: "subscriptions", … */
    const char *id;
    bool livemode;
    bool known; /* there is a row */
    bool
        repairable; /* letting the object in can end the difference; false: an operator's matter */
    apr_int64_t
        stated_at;     /* when Stripe told what is stored; unknown: when it was made */
    const char *stamp; /* changes whenever another statement is stored */
    const char *event; /* the type of event that the object amounts to */
    apr_array_header_t *differences; /* sb_difference_t */
} sb_drift_t;

/* Compares. No differences: all is well, or the object is none of our business (another mode, a
 * customer that names no user). type: a list that sync knows.
 *   SB_INVALID      "bad_object": it cannot be read
 *   SB_UNAVAILABLE  the database */
sb_status_e sb_drift_find(sb_drift_t *drift, sb_result_t *result, sb_service_t *service,
                          const char *type, const json_t *object, apr_pool_t *pool);

/* Lets the object in as an event of source SB_SOURCE_SYNC, dated as what was stored when drift was found, so
 * that whatever has been told since then wins: *applied is false then. Its id names what was seen and
 * what it replaces.
 * Failures: those of sb_ingest_fact(). */
sb_status_e sb_drift_repair(bool *applied, sb_result_t *result, sb_service_t *service,
                            const sb_drift_t *drift, const json_t *object,
                            apr_pool_t *pool);

#endif
