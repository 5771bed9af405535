/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Variables and headers about who passed a door. An application believes them, so whoever is not us
 * must not be able to write, or to remove, one: every inbound header that CGI would take for one of
 * ours goes as soon as a request is read, on every path of a host that is configured, gated or not;
 * `Connection` cannot name ours for dropping; trailers, which httpd may merge into the headers after
 * we have written ours, are cleaned as they arrive. Ours are written when all others have written
 * theirs.
 *
 * The environment is set as soon as the door has decided, so that rewrites, includes and log formats
 * see it. On a hit of the cache all its texts exist already: the catalogue's, and the user's name. */
#include "web/export.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

static const char trailer_filter[] = "SUBBILL_TRAILERS";

static const char *const headers[] = {"X-Subbill-User", "X-Subbill-Plan",
                                      "X-Subbill-Status", "X-Subbill-Entitlements",
                                      "X-Subbill-Reason"};

/* --- inbound -------------------------------------------------------------------------------- */

/* Whether CGI's fold of name (letters alike, everything that is neither letter nor digit alike)
 * begins as ours do. */
static bool is_ours(const char *name, apr_size_t length)
{
    static const char prefix[] = "X_SUBBILL_";

    if ((*name != 'x' && *name != 'X') || length < sizeof(prefix) - 1) {
        return false;
    }
    for (size_t i = 1; i < sizeof(prefix) - 1; i++) {
        char folded = apr_isalnum(name[i]) ? (char)apr_toupper(name[i]) : '_';
        if (folded != prefix[i]) {
            return false;
        }
    }
    return true;
}

static void drop_ours(apr_table_t *table)
{
    const apr_array_header_t *entries = apr_table_elts(table);

    for (int i = 0; i < entries->nelts;) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;
        if (is_ours(name, strlen(name))) {
            apr_table_unset(table,
                            name); /* all of this spelling, and what follows moves up */
            i = 0;
        }
        else {
            i++;
        }
    }
}

/* A name listed in Connection would be dropped by a proxy together with our value. */
static void protect_ours(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);
    const char *kept = NULL;
    bool named = false;
    char *rest;

    if (!value) {
        return;
    }
    for (char *token = apr_strtok(apr_pstrdup(r->pool, value), ", \t;", &rest); token;
         token = apr_strtok(NULL, ", \t;", &rest)) {
        if (is_ours(token, strlen(token))) {
            named = true;
        }
        else {
            kept = kept ? apr_pstrcat(r->pool, kept, ", ", token, NULL) : token;
        }
    }
    if (named && kept) {
        apr_table_setn(r->headers_in, name, kept);
    }
    else if (named) {
        apr_table_unset(r->headers_in, name);
    }
}

/* One walk over the names, most of which differ in their first letter. */
static int scrub(request_rec *r)
{
    const apr_array_header_t *entries = apr_table_elts(r->headers_in);
    bool found = false, connection = false, chunked = false;

    if (!sb_server_configured(sb_server_of(r->server))) {
        return DECLINED;
    }
    for (int i = 0; i < entries->nelts; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;
        switch (*name) {
        case 'x':
        case 'X':
            found = found || is_ours(name, strlen(name));
            break;
        case 'c':
        case 'C':
            connection = connection || strcasecmp(name, "Connection") == 0;
            break;
        case 't':
        case 'T':
            chunked = chunked || strcasecmp(name, "Transfer-Encoding") == 0;
            break;
        }
    }
    if (found) {
        drop_ours(r->headers_in);
    }
    if (connection) {
        protect_ours(r, "Connection");
    }
    if (chunked || r->connection->master) {
        ap_add_input_filter(trailer_filter, NULL, r, r->connection);
    }
    return DECLINED;
}

/* --- outbound ------------------------------------------------------------------------------- */

static void add_key(apr_array_header_t *keys, const char *key)
{
    for (int i = 0; i < keys->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(keys, i, const char *), key) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(keys, const char *) = key;
}

/* Every key of the plans held, and of the bits. */
static const char *joined(const sb_catalog_t *catalog, const sb_holding_t *holding,
                          apr_pool_t *pool)
{
    apr_array_header_t *keys = apr_array_make(pool, 8, sizeof(const char *));

    for (apr_uint64_t rest = holding->plans; rest; rest &= rest - 1) {
        const sb_catalog_plan_t *plan = &catalog->plans[__builtin_ctzll(rest)];
        for (int i = 0; i < plan->entitlements_n; i++) {
            add_key(keys, plan->entitlements[i]);
        }
    }
    for (apr_uint64_t rest = holding->keys; rest; rest &= rest - 1) {
        add_key(keys, catalog->keys[__builtin_ctzll(rest)]);
    }
    return apr_array_pstrcat(pool, keys, ',');
}

const char *sb_export_entitlements(request_rec *r, const sb_holding_t *holding)
{
    const sb_catalog_t *catalog = sb_server_of(r->server)->catalog;
    const sb_catalog_plan_t *only = NULL;
    apr_uint64_t rest = catalog ? holding->plans : 0;

    for (; rest; rest &= rest - 1) {
        const sb_catalog_plan_t *plan = &catalog->plans[__builtin_ctzll(rest)];
        if (plan->entitlements_n && only) {
            break;
        }
        only = plan->entitlements_n ? plan : only;
    }
    if (rest || (holding->keys & ~(only ? only->entitled : 0))) {
        return joined(catalog, holding, sb_request_top(r)->pool);
    }
    return only ? only->entitlements_text : "";
}

static void tell_environment(request_rec *r, const sb_told_t *told)
{
    apr_table_t *environment = r->subprocess_env;

    apr_table_setn(environment, "SUBBILL_USER", told->user);
    apr_table_setn(environment, "SUBBILL_PLAN", told->plan);
    apr_table_setn(environment, "SUBBILL_STATUS", told->status);
    apr_table_setn(environment, "SUBBILL_ENTITLEMENTS", told->entitlements);
}

void sb_export_granted(request_rec *r, const sb_holding_t *holding,
                       const sb_verdict_t *verdict)
{
    const sb_catalog_t *catalog = sb_server_of(r->server)->catalog;
    sb_subscription_status_e status;
    sb_told_t *told;

    told = &sb_request_of(r)->told;
    status = sb_holding_status(holding, verdict->plan);
    told->user = sb_request_of(sb_request_top(r))->holder;
    told->plan = verdict->plan >= 0 ? catalog->plans[verdict->plan].key : "";
    told->status = status == SB_STATUS_UNKNOWN ? "" : sb_subscription_status_word(status);
    told->entitlements = sb_export_entitlements(r, holding);
    tell_environment(r, told);
}

/* httpd asks no authorization twice: a request made from one with the same configuration was let in
 * by what let that one in. */
static const sb_told_t *told_of(request_rec *r)
{
    for (request_rec *q = r; q && q->per_dir_config == r->per_dir_config;
         q = sb_request_origin(q)) {
        const sb_request_t *request =
            ap_get_module_config(q->request_config, &subbill_module);
        if (request && request->told.user) {
            return &request->told;
        }
    }
    return NULL;
}

/* HTTP trims the ends of a value, and a trimmed name may be somebody else's. */
static bool survives_trimming(const char *user)
{
    return *user != ' ' && user[strlen(user) - 1] != ' ';
}

static void tell_headers(request_rec *r, const sb_told_t *told)
{
    const char *const values[] = {told->user, told->plan, told->status,
                                  told->entitlements, sb_reason_word(SB_REASON_OK)};

    sb_request_of(sb_request_top(r))->told_headers = true;
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        if (i || survives_trimming(told->user)) {
            apr_table_setn(r->headers_in, headers[i], values[i]);
        }
    }
}

/* An internal request has its headers in common with the one it was made from: what was told to one
 * application is no business of another that was not to be told. */
static int tell(request_rec *r)
{
    sb_request_settle(r);
    const sb_request_t *top =
        ap_get_module_config(sb_request_top(r)->request_config, &subbill_module);
    sb_export_e export = sb_dir_of(r)->export;
    const sb_told_t *told = NULL;

    if (top && top->told_headers) {
        drop_ours(r->headers_in);
    }
    if (export > SB_EXPORT_OFF && (export == SB_EXPORT_HEADERS || sb_request_origin(r))) {
        told = told_of(r);
    }
    if (told && sb_request_origin(r)) {
        tell_environment(r, told);
    }
    if (told && export == SB_EXPORT_HEADERS) {
        tell_headers(r, told);
    }
    return DECLINED;
}

/* --- trailers ------------------------------------------------------------------------------- */

/* With MergeTrailers they land among the headers, behind our back and behind our own. */
static apr_status_t filter_trailers(ap_filter_t *f, apr_bucket_brigade *bb,
                                    ap_input_mode_t mode, apr_read_type_e block,
                                    apr_off_t most)
{
    request_rec *r = f->r;
    apr_status_t rv = ap_get_brigade(f->next, bb, mode, block, most);

    if (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(bb) &&
        APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb))) {
        const sb_told_t *told =
            sb_dir_of(r)->export == SB_EXPORT_HEADERS ? told_of(r) : NULL;
        drop_ours(r->trailers_in);
        drop_ours(r->headers_in);
        if (told) {
            tell_headers(r, told);
        }
    }
    return rv;
}

void sb_export_hooks(apr_pool_t *pool)
{
    /* Before anybody looks at a header, SetEnvIf say. */
    ap_hook_post_read_request(scrub, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* After everybody else has written headers and variables, mod_headers and mod_env too. */
    ap_hook_fixups(tell, NULL, NULL, APR_HOOK_REALLY_LAST);
    /* Where trailers have been read already. */
    ap_register_input_filter(trailer_filter, filter_trailers, NULL, AP_FTYPE_CONTENT_SET);
}
