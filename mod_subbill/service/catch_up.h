/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_CATCH_UP_H
#define SB_SERVICE_CATCH_UP_H

#include "service/service.h"

/* Events that no webhook brought: while this server, its database or its address was gone, or the endpoint was
 * off. They are read from Stripe's own list, which keeps them for 30 days, and come in by the same
 * door as deliveries, with SB_SOURCE_EVENTS; what had arrived already is a duplicate. The job is
 * SB_JOB_CATCH_UP, its subject: */
#define SB_CATCH_UP_SUBJECT "events"

/* Wishes for that job when it is time: after every start, when neither a delivery came nor the list was
 * read for SubbillCatchUp seconds, and once a day. Not while one waits or runs; one that was given up rests
 * as long. Cheap, to be called every half minute. SB_OK also without a key or with SubbillCatchUp 0.
 *   SB_UNAVAILABLE  the database */
sb_status_e sb_catch_up_tend(sb_result_t *result, sb_service_t *service, bool after_start,
                             apr_pool_t *pool);

#endif
