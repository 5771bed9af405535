/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_THING_H
#define SB_DOMAIN_THING_H

#include "domain/reason.h"

#include <apr.h>
#include <stdbool.h>

/* What a door asks for by a key. */
typedef enum {
    SB_THING_NONE,        /* plans have doors of their own */
    SB_THING_ENTITLEMENT, /* a feature, by its lookup key */
    SB_THING_PURCHASE,    /* bought once and for ever: an SKU */
    SB_THING_CREDIT       /* units left of a meter */
} sb_thing_e;

#define SB_THING_KEY_MAX 128 /* bytes */

/* Whether a key can be one: 1 to SB_THING_KEY_MAX bytes of UTF-8 without control characters. */
bool sb_thing_key_fits(const char *key);

/* A number of units, decimal digits only; -1: it is none, or has more than 15 of them. */
apr_int64_t sb_thing_units(const char *text);

/* Why a door stays closed to who has none of it, or not enough. */
sb_reason_e sb_thing_lacking(sb_thing_e thing);

#endif
