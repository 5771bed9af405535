/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_CHANGE_H
#define SB_DOMAIN_CHANGE_H

#include "domain/catalog.h"
#include "domain/subscription.h"

/* From one plan, price and quantity to another: is it more or less, and from when on. */

typedef enum { SB_CHANGE_NONE, SB_CHANGE_UPGRADE, SB_CHANGE_DOWNGRADE } sb_change_e;

typedef struct sb_change_side_t {
    const sb_catalog_plan_t *plan; /* NULL: belongs to none */
    const char *price;             /* id */
    const char *interval;          /* "month" … */
    int interval_count;
    apr_int64_t amount; /* minor units per seat; -1: unknown */
    apr_int64_t quantity;
} sb_change_side_t;

/* "none", "upgrade", "downgrade". */
const char *sb_change_word(sb_change_e change);

/* A higher rank is an upgrade; of the same rank a longer interval; of the same interval more seats; with as many
 * seats a higher amount. The opposite of each is a downgrade, and so is what cannot be told. */
sb_change_e sb_change_compare(const sb_change_side_t *from, const sb_change_side_t *to);

/* What the plan that is left says; one that belongs to no catalogue: upgrades now, downgrades later. */
sb_catalog_moment_e sb_change_moment(const sb_catalog_plan_t *from, sb_change_e change);

/* now, or the end of what is paid for (of the trial, while there is one). */
apr_int64_t sb_change_effective_at(sb_catalog_moment_e moment,
                                   const sb_subscription_t *sub, apr_int64_t now);

/* How many seats plan to gives to somebody who comes from plan from (NULL: of none), wants wanted (0: no wish) and has
 * current: *quantity. A plan without seats is bought once, but who has it already keeps what there is.
 * False: not possible. */
bool sb_change_quantity(apr_int64_t *quantity, const sb_catalog_plan_t *from,
                        const sb_catalog_plan_t *to, apr_int64_t wanted,
                        apr_int64_t current);

#endif
