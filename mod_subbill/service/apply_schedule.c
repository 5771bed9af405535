/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A schedule that somebody made elsewhere, in the portal or the Dashboard, is a planned change like ours. What it does
 * when its time comes is told by the subscription itself; here is only what the account page announces. */
#include "service/apply.h"

#include "base/json.h"
#include "store/planned.h"

#include <string.h>

/* The first phase that starts at this moment or later, or NULL. */
static const json_t *phase_from(const json_t *schedule, apr_int64_t moment)
{
    const json_t *phase;
    size_t i;

    json_array_foreach(json_object_get(schedule, "phases"), i, phase)
    {
        if (moment && sb_json_int(phase, "start_date", -1) >= moment) {
            return phase;
        }
    }
    return NULL;
}

/* The phase to tell about: the one that follows the running one. A schedule that has lost it tells of the running
 * one, which is no plan, but newer than the plan that was told before. One that was just made has not got
 * its phases yet, and there was none to lose. */
static const json_t *phase_told(bool *planned, const json_t *schedule, const char *type)
{
    const json_t *next =
        phase_from(schedule, sb_json_int(schedule, "current_phase.end_date", 0));

    *planned = next != NULL;
    return next || strcmp(type, "subscription_schedule.created") == 0
               ? next
               : phase_from(schedule,
                            sb_json_int(schedule, "current_phase.start_date", 0));
}

static const char *price_of(const json_t *item)
{
    const char *price = sb_json_id(json_object_get(item, "price"));

    return price && strlen(price) <= 255 ? price : NULL;
}

/* The item that stands for a plan of ours, else the first. */
static const json_t *leading_item(const sb_catalog_plan_t **plan, const sb_apply_t *apply,
                                  const json_t *phase)
{
    const sb_catalog_t *catalog = apply->service->catalog;
    const json_t *items = json_object_get(phase, "items"), *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        const sb_plan_clues_t clues = {.price = price_of(item)};
        *plan = sb_catalog_plan_at(
            catalog, sb_catalog_map(catalog, apply->service->settings->live, &clues));
        if (*plan) {
            return item;
        }
    }
    return json_array_get(items, 0);
}

apr_status_t sb_apply_schedule(sb_apply_t *apply)
{
    const json_t *object = apply->event->object;
    const char *id = sb_json_text(object, "id");
    const char *status = sb_json_text(object, "status");
    const char *subscription = sb_json_id(json_object_get(object, "subscription"));
    bool live = apply->service->settings->live;
    const sb_catalog_plan_t *plan = NULL;
    bool is_planned;

    if (!id || !sb_stripe_id_valid(id) || !status) {
        return sb_apply_end(apply, SB_APPLY_FAILED, "bad_object",
                            "no usable id or status");
    }
    if (sb_json_bool(object, "livemode", live) != live) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "livemode_mismatch", NULL);
    }
    if (strcmp(status, "active") != 0 && strcmp(status, "not_started") != 0) {
        return sb_planned_end(apply->conn, id, live, apply->pool);
    }
    const json_t *phase = phase_told(&is_planned, object, apply->event->type);
    const json_t *item = phase ? leading_item(&plan, apply, phase) : NULL;
    const char *price = item ? price_of(item) : NULL;
    if (!subscription || !sb_stripe_id_valid(subscription) || !price) {
        return sb_apply_end(apply, SB_APPLY_IGNORED, "nothing_planned", NULL);
    }
    const sb_planned_t planned = {
        .subscription = subscription,
        .livemode = live,
        .schedule = id,
        .plan = plan ? plan->key : NULL,
        .price = price,
        .quantity = sb_json_int(item, "quantity", 1),
        .effective_at = is_planned ? sb_json_int(phase, "start_date", 0) : 0,
        .told_at = apply->event->created,
    };
    return sb_planned_save(apply->conn, &planned, apply->pool);
}
