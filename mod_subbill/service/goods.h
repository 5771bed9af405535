/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_GOODS_H
#define SB_SERVICE_GOODS_H

#include "domain/thing.h"
#include "service/service.h"

/* What a user owns beside subscriptions, by an operator's word: things bought elsewhere or given, and credit. */

typedef struct sb_goods_request_t {
    const char *user;
    sb_thing_e thing;  /* SB_THING_PURCHASE or SB_THING_CREDIT */
    const char *key;   /* the SKU, or the meter */
    apr_int64_t units; /* of the meter; a purchase: 1, or 0 to take it back */
    const char *who;   /* the operator */
    bool dry_run;
} sb_goods_request_t;

/* *before: the units that there were until now, a purchase 0 or 1; when they are the same, nothing is written.
 * SB_INVALID "bad_identity", "bad_key"; SB_UNAVAILABLE: the database. */
sb_status_e sb_goods_set(apr_int64_t *before, sb_result_t *result, sb_service_t *service,
                         const sb_goods_request_t *request, apr_pool_t *pool);

#endif
