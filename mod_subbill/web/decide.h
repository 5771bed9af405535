/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_DECIDE_H
#define SB_WEB_DECIDE_H

#include "web/module.h"

/* From a request and a door to a verdict, by cache or database; it has no effect on the request. */

typedef struct sb_decision_t {
    sb_verdict_t verdict;
    const char *user; /* NULL: nobody had to be asked about, or nobody is known */
    const sb_holding_t *holding; /* what he holds; NULL: nobody had to know */
    bool stale; /* it goes by what was known before the database went away */
} sb_decision_t;

void sb_decide(sb_decision_t *decision, request_rec *r, const sb_gate_t *gate);

/* What is to be asked again while the response runs, by sb_gate_ask(): texts and rule live as long as the
 * client's own request. Credit is no part of it: what has begun has been counted. */
void sb_decide_again_about(sb_opened_t *opened, request_rec *r, const sb_gate_t *gate,
                           const char *user);

#endif
