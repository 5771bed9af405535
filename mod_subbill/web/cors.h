/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_CORS_H
#define SB_WEB_CORS_H

#include "web/module.h"

/* Front ends on other origins (Fetch, https://fetch.spec.whatwg.org/#http-cors-protocol): those of
 * SubbillCORS may call our JSON routes and what stands behind doors, with credentials; those of
 * SubbillReturnURLs our JSON routes. */

/* Whether Origin is the site's own: that of SubbillBaseURL, or the host the request came to. */
bool sb_origin_own(request_rec *r, const char *origin);

/* Whether Origin may call our own routes: one of SubbillCORS or SubbillReturnURLs. */
bool sb_origin_listed(request_rec *r, const char *origin);

/* Tells a browser that the page of a listed origin may read the answer, whatever it will be. */
void sb_cors_mark(request_rec *r);

/* Answers OPTIONS: what the route allows and, for a listed origin, what a preflight asks. */
int sb_cors_options(request_rec *r, const char *allow);

/* Whether this is a preflight of something behind a door, on a host with SubbillCORS: then it has been
 * answered, and the hook returns DONE. The caller knows that there is a door. */
bool sb_cors_gated_preflight(request_rec *r);

void sb_cors_hooks(apr_pool_t *pool);

#endif
