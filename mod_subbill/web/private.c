/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* No cache may keep what stands behind a door, or the refusal at it. httpd's own cache answers
 * before anybody is asked who he is, and those in front of it know no logins at all: so every gated
 * answer is private, every refusal is not stored, and whatever the backend said to shared caches is
 * dropped. This is said late, by a filter just before the headers are written, because the content
 * and mod_headers set theirs on the way, and because an included or redirected request may meet a
 * door only then. */
#include "web/module.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

/* Of this process, from child_init on. */
static ap_filter_rec_t *private_filter;
static ap_filter_rec_t *includes_filter; /* NULL: mod_include is not there */
static bool caching;                     /* mod_cache is there */

inline void sb_private_mark(request_rec *r)
{
    for (; r; r = sb_request_origin(r)) {
        sb_request_of(r)->gated = true;
        if (caching) {
            apr_table_setn(r->subprocess_env, "no-cache", "1"); /* mod_cache heeds it */
        }
    }
}

static bool token_is(const char *token, const char *name)
{
    apr_size_t length = strlen(name);

    return strncasecmp(token, name, length) == 0 &&
           (!token[length] || token[length] == '=' || token[length] == ' ');
}

/* What the backend said about caching, less what would let a shared cache keep it. */
static const char *private_cache_control(request_rec *r, const char *given)
{
    static const char *const dropped[] = {"public",
                                          "private",
                                          "s-maxage",
                                          "proxy-revalidate",
                                          "stale-while-revalidate",
                                          "stale-if-error"};
    const char *kept = "private";
    char *rest;
    char *copy = apr_pstrdup(r->pool, given ? given : "");

    for (char *token = apr_strtok(copy, ",", &rest); token;
         token = apr_strtok(NULL, ",", &rest)) {
        bool drop = false;
        while (apr_isspace(*token)) {
            token++;
        }
        for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++) {
            drop = drop || token_is(token, dropped[i]);
        }
        if (!drop && *token) {
            kept = apr_pstrcat(r->pool, kept, ", ", token, NULL);
        }
    }
    return kept;
}

/* What may tell a shared cache to keep an answer, beside Cache-Control and what ends so (CDN-Cache-Control and
 * those of each maker, RFC 9213). */
static const char *const spoken[] = {"Pragma", "Edge-Control", "Surrogate-Control",
                                     "X-Accel-Expires"};

static bool is_for_caches(const char *name)
{
    static const char ending[] = "Cache-Control";
    apr_size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(spoken) / sizeof(*spoken); i++) {
        if (strcasecmp(name, spoken[i]) == 0) {
            return true;
        }
    }
    return length >= sizeof(ending) - 1 &&
           strcasecmp(name + length - (sizeof(ending) - 1), ending) == 0;
}

static bool goes_on(const char *name, char second, char third, char fourth)
{
    return name[1] == second && name[2] == third && name[3] == fourth;
}

/* Names that nearly every answer has and that are none of those, as httpd itself writes them: Content-…, ETag,
 * Last-Modified, Accept-Ranges, Vary, Date, Server, Set-Cookie. */
static bool is_usual(const char *name)
{
    switch (name[0]) {
    case 'L':
        return goes_on(name, 'a', 's', 't') && name[4] == '-';
    case 'E':
        return goes_on(name, 'T', 'a', 'g') && !name[4];
    case 'A':
        return goes_on(name, 'c', 'c', 'e') && name[4] == 'p';
    case 'C':
        return goes_on(name, 'o', 'n', 't') && name[4] == 'e';
    case 'V':
        return goes_on(name, 'a', 'r', 'y') && !name[4];
    case 'D':
        return goes_on(name, 'a', 't', 'e') && !name[4];
    case 'S':
        return (goes_on(name, 'e', 'r', 'v') && name[4] == 'e') ||
               (goes_on(name, 'e', 't', '-') && name[4] == 'C' && name[5] == 'o');
    default:
        return false;
    }
}

/* One pass over a few names is cheaper than asking for each; nearly always there is none. */
static bool speaks(const apr_table_t *headers)
{
    const apr_array_header_t *elements = apr_table_elts(headers);
    const apr_table_entry_t *entry = (const apr_table_entry_t *)elements->elts;

    for (const apr_table_entry_t *end = entry + elements->nelts; entry < end; entry++) {
        if (!is_usual(entry->key) &&
            (is_for_caches(entry->key) || strcasecmp(entry->key, "Expires") == 0)) {
            return true;
        }
    }
    return false;
}

static void silence(apr_table_t *headers)
{
    const apr_array_header_t *elements = apr_table_elts(headers);

    for (int i = 0; i < elements->nelts;) {
        const char *name = APR_ARRAY_IDX(elements, i, apr_table_entry_t).key;
        if (is_for_caches(name)) {
            apr_table_unset(headers, name); /* what follows moves up */
            i = 0;
        }
        else {
            i++;
        }
    }
}

/* Every value that stands in either table of a response. */
static const char *said(const request_rec *r)
{
    const char *given = apr_table_getm(r->pool, r->headers_out, "Cache-Control");
    const char *given_error =
        apr_table_getm(r->pool, r->err_headers_out, "Cache-Control");

    return given && given_error ? apr_pstrcat(r->pool, given, ", ", given_error, NULL)
           : given              ? given
                                : given_error;
}

/* Where nobody has said how long the answer may be kept, it is to be asked for again each time, and the
 * gate with it. Where somebody has, the browser's own cache is told who it was for. */
static void make_private(request_rec *r, bool refused)
{
    const char *control = refused ? "no-store" : "private, no-cache";
    bool kept = speaks(r->headers_out);

    kept =
        (!apr_is_empty_table(r->err_headers_out) && speaks(r->err_headers_out)) || kept;
    if (kept && !refused) {
        control = private_cache_control(r, said(r));
    }
    if (kept) {
        silence(r->headers_out);
        silence(r->err_headers_out);
    }
    apr_table_addn(r->headers_out, "Cache-Control", control);
    if (kept || refused) {
        apr_table_mergen(r->headers_out, "Vary", "Cookie, Authorization");
    }
    if (refused) {
        apr_table_unset(r->headers_out, "ETag");
        apr_table_unset(r->headers_out, "Last-Modified");
        apr_table_unset(r->headers_out, "Expires");
        apr_table_unset(r->err_headers_out, "Expires");
    }
}

static apr_status_t filter_private(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    bool gated = false, refused = false;

    /* An error or a redirect may have come before the door was asked: the site's login must not be kept
     * for those who have one. */
    for (request_rec *q = r; q; q = q->prev) {
        const sb_request_t *request =
            ap_get_module_config(q->request_config, &subbill_module);
        bool failed = ap_is_HTTP_ERROR(q->status);
        bool elsewhere = ap_is_HTTP_REDIRECT(q->status) && q->status != HTTP_NOT_MODIFIED;
        gated = gated || (request && request->gated) ||
                ((failed || elsewhere) && (sb_gate_of(q) || sb_dir_of(q)->required));
        refused = refused || (request && request->refused && failed);
    }
    if (gated) {
        make_private(
            r, refused || ap_is_HTTP_ERROR(r->status) ||
                   (ap_is_HTTP_REDIRECT(r->status) && r->status != HTTP_NOT_MODIFIED));
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

/* mod_include sends the head of a page before it looks at what the page includes, too late to learn
 * of a door: where there are gates, no page with includes is shared. */
static bool may_include(request_rec *r)
{
    if (!includes_filter || !(ap_allow_options(r) & OPT_INCLUDES)) {
        return false;
    }
    for (const ap_filter_t *f = r->output_filters; f; f = f->next) {
        /* Those of mod_filter stand for others, which are chosen when the page comes. */
        if (f->frec == includes_filter || f->frec->providers) {
            return true;
        }
    }
    return false;
}

static void insert_private(request_rec *r)
{
    if (!r->main && sb_gates_in_use()) {
        if (may_include(r)) {
            sb_private_mark(r);
        }
        ap_add_output_filter_handle(private_filter, NULL, r, r->connection);
    }
}

void sb_private_open(void)
{
    includes_filter = ap_get_output_filter_handle("INCLUDES");
    caching = ap_find_linked_module("mod_cache.c") != NULL;
}

void sb_private_hooks(apr_pool_t *pool)
{
    /* After all others have added theirs. */
    ap_hook_insert_filter(insert_private, NULL, NULL, APR_HOOK_LAST);
    /* Errors have their own filter chain. */
    ap_hook_insert_error_filter(insert_private, NULL, NULL, APR_HOOK_LAST);
    /* After everything that sets headers, before they are written. */
    private_filter = ap_register_output_filter("SUBBILL_PRIVATE", filter_private, NULL,
                                               (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}
