/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_METRICS_H
#define SB_WEB_METRICS_H

#include "web/module.h"

/* What the gates of all processes have decided since the last start or reload, for `SetHandler
 * subbill-metrics`: the text format of Prometheus. Counting costs one addition in shared memory. */

typedef enum {
    SB_METRIC_STALE, /* let in by what was known before the database went away (SubbillStale) */
    SB_METRIC_ON_ERROR, /* let in because nothing could be decided (SubbillOnError allow) */
    SB_METRIC_QUERIES, /* questions that no cache could answer */
    SB_METRIC_CUT,     /* running responses that were ended (SubbillRevokeRunning) */
    SB_METRIC_COUNT
} sb_metric_e;

/* For the parent, before it forks; gone with pconf. */
apr_status_t sb_metrics_open(apr_pool_t *pconf);

/* From any thread; which of the copies is counted in goes by spread, a connection's number say. */
void sb_metrics_count(sb_metric_e metric, long spread);
void sb_metrics_decided(sb_reason_e reason, bool rehearsed, long spread);

/* The handler. */
int sb_metrics_answer(request_rec *r);

#endif
