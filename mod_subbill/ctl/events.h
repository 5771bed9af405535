/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_EVENTS_H
#define SB_CTL_EVENTS_H

#include "ctl/output.h"
#include "store/events.h"

/* One event as the commands tell of it: {"id","type","state","reason","source","object","livemode",
 * "created","received","attempts","api_version"}, times in Unix seconds. */
json_t *sb_event_json(const sb_event_row_t *event, apr_pool_t *pool);

/* A table of such objects; says so when there are none. */
void sb_events_print(const sb_ctl_t *ctl, const json_t *events);

#endif
