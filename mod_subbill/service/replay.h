/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_REPLAY_H
#define SB_SERVICE_REPLAY_H

#include "service/ingest.h"

/* An event that is stored but not finished, once more: a failed one whose cause was mended, a thin one
 * whose object has to be read. outcome->state is what it is in afterwards; "duplicate" when it was
 * finished before. SB_NOT_FOUND "unknown_event"; SB_CONFLICT "no_body": nothing is stored to apply. Else
 * as sb_ingest_event(), and for thin events sb_refresh_object(). */
sb_status_e sb_replay_event(sb_ingest_t *outcome, sb_result_t *result,
                            sb_service_t *service, const char *id, apr_pool_t *pool);

/* Wishes for a job for every event that was received and whose lease is over: whoever was to work on it
 * is gone. */
sb_status_e sb_replay_stuck(sb_result_t *result, sb_service_t *service, apr_pool_t *pool);

#endif
