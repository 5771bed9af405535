/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/cors.h"

#include "domain/return_url.h"
#include "web/handlers.h"

#include <apr_strings.h>

/* Seconds a browser may remember what a preflight said; Chromium takes no more than two hours. */
#define PREFLIGHT_MAX_AGE "7200"

bool sb_origin_own(request_rec *r, const char *origin)
{
    const char *base = sb_server_of(r->server)->settings->base_url;
    const char *own = base ? sb_url_origin(base, r->pool) : NULL;
    const char *host = apr_table_get(r->headers_in, "Host");

    if (own && strcmp(own, origin) == 0) {
        return true;
    }
    /* A browser sends the host it talks to, which no foreign page can choose; several names for
     * one site are common. */
    const char *authority = strstr(origin, "://");
    return host && authority && strcasecmp(authority + 3, host) == 0;
}

bool sb_origin_listed(request_rec *r, const char *origin)
{
    const apr_array_header_t *listed = sb_server_of(r->server)->settings->return_urls;

    for (int i = 0; i < listed->nelts; i++) {
        const char *one = sb_url_origin(APR_ARRAY_IDX(listed, i, const char *), r->pool);
        if (one && strcmp(one, origin) == 0) {
            return true;
        }
    }
    return false;
}

static const char *listed_origin(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");

    return origin && sb_origin_listed(r, origin) ? origin : NULL;
}

/* In err_headers_out, so that refusals by httpd itself can be read by the front end as well. */
void sb_cors_mark(request_rec *r)
{
    const char *origin = listed_origin(r);

    apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    if (origin) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", origin);
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials", "true");
        apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers",
                       "Retry-After");
    }
}

int sb_cors_options(request_rec *r, const char *allow)
{
    sb_cors_mark(r);
    if (listed_origin(r) &&
        apr_table_get(r->headers_in, "Access-Control-Request-Method")) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Methods", allow);
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Accept, Accept-Language");
        apr_table_setn(r->err_headers_out, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
    }
    apr_table_setn(r->headers_out, "Allow", allow);
    r->status = HTTP_NO_CONTENT;
    return OK;
}

int sb_cors_preflight(request_rec *r)
{
    const char *route;

    if (r->method_number != M_OPTIONS || r->main ||
        !apr_table_get(r->headers_in, "Origin") ||
        !apr_table_get(r->headers_in, "Access-Control-Request-Method")) {
        return DECLINED;
    }
    route = sb_route_of(r, NULL);
    if (!route || !sb_handler_cors(route)) {
        return DECLINED;
    }
    sb_cors_options(r, sb_handler_allow(route));
    return DONE; /* httpd sends what stands in the headers */
}
