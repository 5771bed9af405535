/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_STRIPE_FIELDS_H
#define SB_DOMAIN_STRIPE_FIELDS_H

#include "base/result.h"

#include <jansson.h>
#include <stdbool.h>

/* Typed reading of Stripe's objects, for the readers of stripe_event.h. Each returns true when the
 * field is fine; a field that is missing or null leaves *out as it was. False after the first
 * error, which is in fields->result: SB_INVALID, "bad_object", and the field's name. */

typedef struct sb_fields_t {
    apr_pool_t *pool;
    sb_result_t *result;
    const char *kind; /* of the object, for messages: "subscription" */
} sb_fields_t;

typedef enum {
    SB_FIELD_ID,     /* an id that Stripe made */
    SB_FIELD_OWN_ID, /* one that the shop may have chosen: prices (once plans), products */
    SB_FIELD_TEXT    /* anything up to SB_FIELD_TEXT_MAX bytes */
} sb_field_kind_e;

#define SB_FIELD_TEXT_MAX 5000
#define SB_FIELD_TIME_MAX 253402300799 /* the end of the year 9999 */
#define SB_FIELD_AMOUNT_MAX                                                              \
    999999999999999 /* so that sums of a few stay far from 64 bits */

/* Always false. */
bool sb_field_fail(const sb_fields_t *fields, const char *path, const char *problem);

/* object is one and its "object" member names the kind. */
bool sb_field_kind(const sb_fields_t *fields, const json_t *object);

/* A text; ids may be expanded objects. */
bool sb_field_text(const sb_fields_t *fields, const json_t *object, const char *path,
                   sb_field_kind_e kind, const char **out);

/* The same, but it must be there. */
bool sb_field_required(const sb_fields_t *fields, const json_t *object, const char *path,
                       sb_field_kind_e kind, const char **out);

/* An integer in min…max. */
bool sb_field_int(const sb_fields_t *fields, const json_t *object, const char *path,
                  apr_int64_t min, apr_int64_t max, apr_int64_t *out);

/* Unix seconds. */
bool sb_field_time(const sb_fields_t *fields, const json_t *object, const char *path,
                   apr_int64_t *out);

/* One row of an object's table: which field goes to which member. */
typedef struct sb_field_t {
    const char *path;
    sb_field_kind_e kind;
    const char **text;
} sb_field_t;
bool sb_field_texts(const sb_fields_t *fields, const json_t *object,
                    const sb_field_t table[], int n);

#endif
