/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_TRIALS_H
#define SB_SERVICE_TRIALS_H

#include "service/service.h"

/* The trial that a user has once, for ever, by an operator's word: for people who had theirs elsewhere. */

typedef struct sb_trial_request_t {
    const char *user;
    const char *who; /* the operator */
    bool dry_run;
} sb_trial_request_t;

/* *changed: the user has no trial from now on (with dry_run: would have none); false: it was used before, and
 * what is written about it stays. Nobody who is in a trial loses it. SB_INVALID "bad_identity";
 * SB_UNAVAILABLE: the database. */
sb_status_e sb_trial_use(bool *changed, sb_result_t *result, sb_service_t *service,
                         const sb_trial_request_t *request, apr_pool_t *pool);

#endif
