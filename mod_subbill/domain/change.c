/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/change.h"

#include <string.h>

const char *sb_change_word(sb_change_e change)
{
    return change == SB_CHANGE_UPGRADE     ? "upgrade"
           : change == SB_CHANGE_DOWNGRADE ? "downgrade"
                                           : "none";
}

/* Only to compare with: months and years are taken as 30 and 365 days. */
static int days_of(const sb_change_side_t *side)
{
    static const struct {
        const char *interval;
        int days;
    } lengths[] = {{"day", 1}, {"week", 7}, {"month", 30}, {"year", 365}};

    for (size_t i = 0; side->interval && i < sizeof(lengths) / sizeof(*lengths); i++) {
        if (strcmp(lengths[i].interval, side->interval) == 0) {
            return lengths[i].days * side->interval_count;
        }
    }
    return 0;
}

static sb_change_e direction(apr_int64_t from, apr_int64_t to)
{
    return to > from ? SB_CHANGE_UPGRADE : SB_CHANGE_DOWNGRADE;
}

sb_change_e sb_change_compare(const sb_change_side_t *from, const sb_change_side_t *to)
{
    if (from->plan && to->plan && from->plan->rank != to->plan->rank) {
        return direction(from->plan->rank, to->plan->rank);
    }
    if (days_of(from) != days_of(to)) {
        return direction(days_of(from), days_of(to));
    }
    if (from->quantity != to->quantity) {
        return direction(from->quantity, to->quantity);
    }
    if (from->price && to->price && strcmp(from->price, to->price) == 0) {
        return SB_CHANGE_NONE;
    }
    return direction(from->amount, to->amount);
}

sb_catalog_moment_e sb_change_moment(const sb_catalog_plan_t *from, sb_change_e change)
{
    if (change == SB_CHANGE_UPGRADE) {
        return from ? from->upgrade : SB_MOMENT_NOW;
    }
    return from ? from->downgrade : SB_MOMENT_PERIOD_END;
}

apr_int64_t sb_change_effective_at(sb_catalog_moment_e moment,
                                   const sb_subscription_t *sub, apr_int64_t now)
{
    if (moment == SB_MOMENT_NOW) {
        return now;
    }
    return sub->status == SB_STATUS_TRIALING && sub->trial_end ? sub->trial_end
                                                               : sub->current_period_end;
}

bool sb_change_quantity(apr_int64_t *quantity, const sb_catalog_plan_t *from,
                        const sb_catalog_plan_t *to, apr_int64_t wanted,
                        apr_int64_t current)
{
    apr_int64_t kept = current > 0 ? current : 1;

    if (!to->seats_min) {
        *quantity = from == to ? kept : 1;
        return !wanted || wanted == *quantity;
    }
    *quantity = wanted ? wanted : kept;
    if (!wanted && *quantity < to->seats_min) {
        *quantity = to->seats_min;
    }
    if (!wanted && *quantity > to->seats_max) {
        *quantity = to->seats_max;
    }
    return *quantity >= to->seats_min && *quantity <= to->seats_max;
}
