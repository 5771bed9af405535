/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_CORS_H
#define SB_WEB_CORS_H

#include "web/module.h"

/* Front ends on other origins (Fetch, https://fetch.spec.whatwg.org/#http-cors-protocol): those of
 * SubbillReturnURLs may call our JSON routes with credentials. */

/* Whether Origin is the site's own: that of SubbillBaseURL, or the host the request came to. */
bool sb_origin_own(request_rec *r, const char *origin);

/* Whether Origin is one of SubbillReturnURLs. */
bool sb_origin_listed(request_rec *r, const char *origin);

/* Tells a browser that the page of a listed origin may read the answer, whatever it will be. */
void sb_cors_mark(request_rec *r);

/* Answers OPTIONS: what the route allows and, for a listed origin, what a preflight asks. */
int sb_cors_options(request_rec *r, const char *allow);

/* Hook (map_to_storage): preflights carry no login, so they are answered before one is asked for. */
int sb_cors_preflight(request_rec *r);

#endif
