/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_ASSERTED_H
#define SB_SERVICE_ASSERTED_H

#include "service/apply.h"

/* What changes the tables although no event of Stripe's says so: the customer this server has made, the one
 * that Stripe misses, the one an operator has moved, a trial, goods and credit by an operator's word. Each is kept as an event
 * like any other, so that the tables can be rebuilt. Inside service/ only. */

#define SB_SOURCE_CHECKOUT "checkout"

typedef enum {
    SB_ASSERTED_MADE,  /* for this user, who keeps what is bound already */
    SB_ASSERTED_GONE,  /* it is no more; user may be NULL */
    SB_ASSERTED_MOVED, /* to this user, whoever had it */
    SB_ASSERTED_TRIAL, /* the user has had it, elsewhere for example; customer is NULL */
    SB_ASSERTED_PURCHASE, /* the user owns key, or does not any more (units 0); customer is NULL */
    SB_ASSERTED_CREDIT /* the user has so many units of the meter key; customer is NULL */
} sb_asserted_e;

typedef struct sb_asserted_t {
    sb_asserted_e what;
    const char *customer;
    const char *user;
    const char *who; /* for link_audit and the event's body */
    const char *key; /* an SKU or a meter, else NULL */
    apr_int64_t units;
    bool livemode;
} sb_asserted_t;

/* Inside a transaction: keeps it as an event of this moment and does it. */
apr_status_t sb_asserted_store(sb_conn_t *conn, const sb_asserted_t *asserted,
                               apr_pool_t *pool);

/* The function that does it once more, or NULL: the event is none of these, or somebody else claims it. */
sb_apply_fn sb_asserted_find(const char *type, const char *source);

#endif
