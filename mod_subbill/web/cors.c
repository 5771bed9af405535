/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/cors.h"

#include "domain/return_url.h"
#include "web/handlers.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

static const char cors_filter[] = "SUBBILL_CORS";

#define EXPOSED "Retry-After, WWW-Authenticate, X-Subbill-Reason"

/* Seconds a browser may remember what a preflight said; Chromium takes no more than two hours. */
#define PREFLIGHT_MAX_AGE "7200"

enum { NAMES_MAX = 2048 }; /* bytes of a list that is repeated */

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

/* Kept as browsers write it, so that nothing is parsed here. */
static bool in_cors(const request_rec *r, const char *origin)
{
    const apr_array_header_t *listed = sb_server_of(r->server)->settings->cors;

    for (int i = 0; i < listed->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(listed, i, const char *), origin) == 0) {
            return true;
        }
    }
    return false;
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
    return in_cors(r, origin);
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
        apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers", EXPOSED);
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

static bool is_preflight(const request_rec *r)
{
    return r->method_number == M_OPTIONS && !r->main &&
           apr_table_get(r->headers_in, "Origin") &&
           apr_table_get(r->headers_in, "Access-Control-Request-Method");
}

/* Preflights of our own routes carry no login, so they are answered before one is asked for. */
static int answer_own_preflight(request_rec *r)
{
    const char *route;

    if (!is_preflight(r)) {
        return DECLINED;
    }
    route = sb_route_of(r, NULL);
    if (!route || !sb_handler_cors(route)) {
        return DECLINED;
    }
    sb_cors_options(r, sb_handler_allow(route));
    return DONE; /* httpd sends what stands in the headers */
}

/* --- behind a door -------------------------------------------------------------------------- */

/* A list of names that may be repeated to a browser: letters, digits and what names are made of. */
static const char *names_asked(const request_rec *r, const char *header)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789!#$%&'*+-.^_`|~, ";
    const char *asked = apr_table_get(r->headers_in, header);

    return asked && *asked && strlen(asked) <= NAMES_MAX &&
                   strspn(asked, allowed) == strlen(asked)
               ? asked
               : NULL;
}

/* What lies behind the door is not asked, so what is allowed is what was asked for: the door itself
 * decides about the request that follows. */
bool sb_cors_gated_preflight(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    apr_table_t *headers = r->err_headers_out;
    const char *asked;

    if (!sb_server_of(r->server)->settings->cors->nelts || !is_preflight(r)) {
        return false;
    }
    apr_table_mergen(headers, "Vary",
                     "Origin, Access-Control-Request-Method, "
                     "Access-Control-Request-Headers");
    if (in_cors(r, origin)) {
        apr_table_setn(headers, "Access-Control-Allow-Origin", origin);
        apr_table_setn(headers, "Access-Control-Allow-Credentials", "true");
        asked = names_asked(r, "Access-Control-Request-Method");
        if (asked) {
            apr_table_setn(headers, "Access-Control-Allow-Methods", asked);
        }
        asked = names_asked(r, "Access-Control-Request-Headers");
        if (asked) {
            apr_table_setn(headers, "Access-Control-Allow-Headers", asked);
        }
        apr_table_setn(headers, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
    }
    r->status = HTTP_NO_CONTENT;
    return true;
}

/* Our own routes answer for themselves. */
static bool has_gate(request_rec *r)
{
    return sb_dir_of(r)->gate && sb_dir_of(r)->dry_run <= 0 && !sb_route_of(r, NULL);
}

/* The first hook that knows every section that holds here and comes before anybody asks for a name. */
static int answer_preflight(request_rec *r)
{
    return r->method_number == M_OPTIONS && has_gate(r) && sb_cors_gated_preflight(r)
               ? DONE
               : DECLINED;
}

/* A door stood here, or before an internal redirect, even where httpd's login answered before it. */
static bool is_gated(request_rec *r)
{
    for (; r; r = r->prev) {
        const sb_request_t *request =
            ap_get_module_config(r->request_config, &subbill_module);
        if ((request && request->gated) || has_gate(r)) {
            return true;
        }
    }
    return false;
}

static const char *either(const request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_out, name);

    return value ? value : apr_table_get(r->err_headers_out, name);
}

static void unset_both(request_rec *r, const char *name)
{
    apr_table_unset(r->headers_out, name);
    apr_table_unset(r->err_headers_out, name);
}

/* Late, so that what the backend says of its own about a listed origin is replaced and not doubled;
 * only the names it exposes are kept beside ours. */
static apr_status_t filter_cors(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *exposed = either(r, "Access-Control-Expose-Headers");

    apr_table_mergen(r->headers_out, "Vary", "Origin");
    if (origin && in_cors(r, origin)) {
        unset_both(r, "Access-Control-Allow-Origin");
        unset_both(r, "Access-Control-Allow-Credentials");
        unset_both(r, "Access-Control-Expose-Headers");
        apr_table_setn(r->headers_out, "Access-Control-Allow-Origin", origin);
        apr_table_setn(r->headers_out, "Access-Control-Allow-Credentials", "true");
        apr_table_setn(r->headers_out, "Access-Control-Expose-Headers",
                       exposed && !strchr(exposed, '*')
                           ? apr_pstrcat(r->pool, EXPOSED, ", ", exposed, NULL)
                           : EXPOSED);
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

static void insert_cors(request_rec *r)
{
    if (!r->main && sb_server_of(r->server)->settings->cors->nelts && is_gated(r)) {
        ap_add_output_filter(cors_filter, NULL, r, r->connection);
    }
}

void sb_cors_hooks(apr_pool_t *pool)
{
    /* Before anybody asks who it is, and before routes.c takes the path. */
    ap_hook_map_to_storage(answer_own_preflight, NULL, NULL, APR_HOOK_REALLY_FIRST - 1);
    /* Before any check of access: preflights carry no login. */
    ap_hook_header_parser(answer_preflight, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Whether there was a door is known by now; refusals have a filter chain of their own. */
    ap_hook_insert_filter(insert_cors, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(insert_cors, NULL, NULL, APR_HOOK_LAST);
    /* After everything that sets headers. */
    ap_register_output_filter(cors_filter, filter_cors, NULL,
                              (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}
