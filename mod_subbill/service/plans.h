/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_PLANS_H
#define SB_SERVICE_PLANS_H

#include "service/service.h"

/* The answer of GET plans in a language, owned by pool: {"plans":[{"plan","name","description","group",
 * "rank","free","features","limits","trial_days","contact","prices":[{"interval","interval_count",
 * "currency","amount","id","plan_id"}]}],"packs":[]}. Hidden plans are left out; a price's id is
 * that of the mode, else its lookup key; plan_id and contact may be null. */
json_t *sb_plans_json(const sb_service_t *service, const char *lang, apr_pool_t *pool);

#endif
