/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_EXPORT_H
#define SB_WEB_EXPORT_H

#include "web/module.h"

/* What the application behind a door learns about who passed (SubbillExport), and that nobody but
 * us can tell it. */

/* Notes what a granted verdict says about the user of sb_holding_of(), for this request's environment and,
 * later, its headers, where SubbillExport is on. */
void sb_export_granted(request_rec *r, const sb_holding_t *holding,
                       const sb_verdict_t *verdict);

/* The feature keys of every plan held, then those of Stripe's that the catalogue or a door names, joined by
 * commas, each once, "" for none: the catalogue's own text where that says it all, else made in the pool of
 * the client's own request. */
const char *sb_export_entitlements(request_rec *r, const sb_holding_t *holding);

void sb_export_hooks(apr_pool_t *pool);

#endif
