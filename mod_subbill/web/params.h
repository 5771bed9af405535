/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_PARAMS_H
#define SB_WEB_PARAMS_H

#include "web/exchange.h"

#include <stddef.h>

/* What a POST may carry, as a table: the same names and types whether it comes as a form or as
 * JSON. */

typedef enum {
    SB_PARAM_TEXT,    /* const char * */
    SB_PARAM_INTEGER, /* apr_int64_t */
    SB_PARAM_BOOLEAN  /* bool; true or false, 1 or 0 in a form */
} sb_param_e;

typedef struct sb_param_t {
    const char *name;
    sb_param_e type;
    size_t offset; /* of the member in the struct that is filled */
} sb_param_t;

/* The same from the query string, whose other names are somebody else's: before sb_params_read(), for what may
 * stand in either. */
sb_status_e sb_params_query(void *out, sb_result_t *result, const sb_exchange_t *x,
                            const sb_param_t params[], int n);

/* Fills the members of out that the body of x names; the others, and those given as "" in a form or
 * null in JSON, keep what they are. Texts live as long as the request. SB_INVALID "bad_request"
 * with a sentence for an unknown name, a wrong type, a number out of range, a name given twice. */
sb_status_e sb_params_read(void *out, sb_result_t *result, const sb_exchange_t *x,
                           const sb_param_t params[], int n);

/* Stripe's word for an interval that others call "monthly", "yearly" …; other words, and NULL, as they are. */
const char *sb_param_interval(const char *said);

#endif
