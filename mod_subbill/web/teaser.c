/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Who has not paid gets 200 and a teaser: another document of this site, or the part of the page
 * itself before a marker. Nothing may come out of the rest, so this is built to fail closed.
 *
 * A document of its own is fetched by an internal redirect from within the hook that refuses, which
 * then says that the request is done: the page behind the door is not touched.
 *
 * With `marker` the page is made as for a payer, and a filter keeps all of it until it has seen the
 * marker; then what stands before it is sent, with a length and a tag made of just that, and the
 * rest is dropped as it comes. A page that is not plain HTML, is not 200, or has no marker near enough
 * is refused as without a teaser. To have one page and not many forms of it, ranges, conditions and
 * encodings asked for are forgotten, and HEAD is made as GET whose body is dropped at the end. The
 * filter is looked for once more before any handler runs; handlers that write past filters are not let
 * run at all. */
#include "web/teaser.h"

#include "base/crypto.h"

#include <apr_buckets.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#define MARKER "<!--paywall-->"

enum { FIRST_BYTES = 16384, MOST_BYTES = 1024 * 1024 };

static const char marker_filter[] = "SUBBILL_TEASER";

/* Of the request whose refusal became a teaser. */
struct sb_teaser_t {
    sb_verdict_t verdict;
    const char *word;
    bool marker; /* the page itself, by the filter */
    bool closed; /* the page had to be refused after all */
    bool sent;   /* the part before the marker is out */
    bool head;   /* the client asked for the head only */
    char *data;
    apr_size_t used, size;
};

/* --- who, and when -------------------------------------------------------------------------- */

/* The teaser in force for r: its own, or that of the request it was made from. */
static sb_teaser_t *teaser_of(const request_rec *r)
{
    for (; r; r = sb_request_origin(r)) {
        const sb_request_t *request =
            ap_get_module_config(r->request_config, &subbill_module);
        if (request && request->teaser) {
            return request->teaser;
        }
    }
    return NULL;
}

static bool has_teaser(const request_rec *r)
{
    const char *teaser = sb_dir_of(r)->teaser;

    return teaser && *teaser && r->method_number == M_GET;
}

bool sb_teaser_here(const request_rec *r)
{
    return has_teaser(r) && (!r->main || teaser_of(r));
}

bool sb_teaser_looks_up(request_rec *r)
{
    return r->main && has_teaser(r) && has_teaser(r->main) && !teaser_of(r) &&
           sb_request_of(r->main)->negotiating;
}

void sb_teaser_found(const request_rec *r)
{
    sb_request_t *request = ap_get_module_config(r->request_config, &subbill_module);

    if (request) {
        request->negotiating = false;
    }
}

static int look_for_file(request_rec *r)
{
    if (has_teaser(r)) {
        sb_request_of(r)->negotiating = true;
    }
    return DECLINED;
}

int sb_teaser_identify(request_rec *r)
{
    if (apr_table_get(r->headers_in, "Authorization")) {
        return ap_run_check_user_id(r);
    }
    sb_request_greet(r);
    return OK;
}

static bool curable(const sb_verdict_t *verdict)
{
    return verdict->reason == SB_REASON_NO_IDENTITY ||
           sb_reason_for_money(verdict->reason);
}

/* What could make the answer another one than the whole teaser, or lead it past all filters. */
static void forget_wishes(request_rec *r, bool marker)
{
    static const char *const wishes[] = {
        "Range",         "If-Range",          "Request-Range", "If-Match",
        "If-None-Match", "If-Modified-Since", "Upgrade",       "If-Unmodified-Since"};

    for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
        apr_table_unset(r->headers_in, wishes[i]);
    }
    if (marker) {
        apr_table_unset(r->headers_in, "Accept-Encoding");
    }
}

static void tell(request_rec *r, const sb_teaser_t *teaser)
{
    apr_table_setn(r->err_headers_out, "X-Subbill-Reason", teaser->word);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->subprocess_env, "SUBBILL_REASON", teaser->word);
}

/* A page is often found by way of others: an index, a negotiation, a rewrite. They may be looked up, as
 * long as what comes out passes the filter. */
static bool goes_on(const sb_teaser_t *prior, request_rec *r)
{
    return prior->marker && !prior->closed && !prior->sent &&
           *sb_dir_of(r)->teaser != '/';
}

bool sb_teaser_show(int *status, request_rec *r, const sb_verdict_t *verdict)
{
    sb_teaser_t *teaser = teaser_of(r);

    *status = DECLINED;
    if (!sb_teaser_here(r) || !curable(verdict)) {
        return false;
    }
    if (teaser) {
        /* Where a teaser leads to another door that is shut, there is no second one. */
        sb_request_of(r)->teaser = teaser;
        return goes_on(teaser, r);
    }
    teaser = apr_pcalloc(r->pool, sizeof(*teaser));
    teaser->verdict = *verdict;
    teaser->word = sb_reason_word(verdict->reason);
    teaser->marker = *sb_dir_of(r)->teaser != '/';
    sb_request_of(r)->teaser = teaser;
    forget_wishes(r, teaser->marker);
    tell(r, teaser);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "SB142: shown a teaser: %s",
                  teaser->word);
    if (!teaser->marker) {
        ap_internal_redirect(sb_dir_of(r)->teaser, r);
        *status = DONE;
        return true;
    }
    teaser->head = r->header_only;
    if (teaser->head) {
        r->header_only = 0;
        r->method = "GET";
    }
    ap_add_output_filter(marker_filter, teaser, r, r->connection);
    return true;
}

/* --- the page up to its marker -------------------------------------------------------------- */

static void restore_head(request_rec *r, const sb_teaser_t *teaser)
{
    if (teaser->head) {
        r->header_only = 1;
        r->method = "HEAD";
    }
}

static const char *header(const request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_out, name);

    return value ? value : apr_table_get(r->err_headers_out, name);
}

/* What was said about the whole page: its size, its age, its fingerprints, and where a server in front
 * would find all of it. */
static void drop_headers(request_rec *r)
{
    static const char *const names[] = {"Accept-Ranges",
                                        "Cache-Control",
                                        "Content-Digest",
                                        "Content-Encoding",
                                        "Content-Length",
                                        "Content-MD5",
                                        "Content-Range",
                                        "Digest",
                                        "ETag",
                                        "Expires",
                                        "Last-Modified",
                                        "Pragma",
                                        "Repr-Digest",
                                        "Trailer",
                                        "X-Accel-Redirect",
                                        "X-LIGHTTPD-send-file",
                                        "X-LIGHTTPD-send-tempfile",
                                        "X-Reproxy-URL",
                                        "X-Sendfile"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        apr_table_unset(r->headers_out, names[i]);
        apr_table_unset(r->err_headers_out, names[i]);
    }
    apr_table_clear(r->trailers_out);
    r->content_encoding = NULL;
}

/* As without a teaser: nothing has been sent yet. */
static int close_page(request_rec *r, sb_teaser_t *teaser)
{
    teaser->closed = true;
    restore_head(r, teaser);
    drop_headers(r);
    r->status = HTTP_OK; /* httpd takes a second error for one of the first's own page */
    r->status_line = NULL;
    return sb_refuse(r, &teaser->verdict);
}

static apr_status_t refuse(ap_filter_t *f, apr_bucket_brigade *bb, const char *why)
{
    request_rec *r = f->r;
    int status = close_page(r, f->ctx);

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                  "SB143: no part of this page is shown as a teaser: %s", why);
    apr_brigade_cleanup(bb);
    APR_BRIGADE_INSERT_TAIL(
        bb, ap_bucket_error_create(status, NULL, r->pool, bb->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return ap_pass_brigade(f->next, bb);
}

static apr_status_t show(ap_filter_t *f, apr_bucket_brigade *bb, apr_size_t length)
{
    static const apr_uint64_t no_secret[2];
    request_rec *r = f->r;
    sb_teaser_t *teaser = f->ctx;

    teaser->sent = true;
    restore_head(r, teaser);
    drop_headers(r);
    tell(r, teaser);
    apr_table_setn(r->headers_out, "ETag",
                   apr_psprintf(r->pool, "\"teaser-%016" APR_UINT64_T_HEX_FMT "\"",
                                sb_siphash(no_secret, teaser->data, length)));
    ap_set_content_length(r, (apr_off_t)length);
    apr_brigade_cleanup(bb);
    if (length) {
        APR_BRIGADE_INSERT_TAIL(
            bb, apr_bucket_pool_create(teaser->data, length, r->pool, bb->bucket_alloc));
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return ap_pass_brigade(f->next, bb);
}

static bool is_html(const char *type)
{
    static const char *const types[] = {"text/html", "application/xhtml+xml"};

    for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++) {
        apr_size_t length = strlen(types[i]);
        if (strncasecmp(type, types[i], length) == 0 &&
            (!type[length] || type[length] == ';' || apr_isspace(type[length]))) {
            return true;
        }
    }
    return false;
}

/* Why this response cannot be looked into; NULL: it can. */
static const char *unfit(const request_rec *r)
{
    return r->status != HTTP_OK ? "its status is not 200"
           : !is_html(r->content_type ? r->content_type : header(r, "Content-Type"))
               ? "it is not HTML"
           : r->content_encoding || header(r, "Content-Encoding") ? "it is encoded"
           : header(r, "Content-Range")                           ? "it is a part"
                                                                  : NULL;
}

static void keep(sb_teaser_t *teaser, const char *data, apr_size_t length,
                 apr_pool_t *pool)
{
    if (!length) {
        return;
    }
    if (teaser->used + length > teaser->size) {
        apr_size_t size = teaser->size ? teaser->size : FIRST_BYTES;
        while (size < teaser->used + length) {
            size *= 2;
        }
        char *grown = apr_palloc(pool, size);
        if (teaser->used) {
            memcpy(grown, teaser->data, teaser->used);
        }
        teaser->data = grown;
        teaser->size = size;
    }
    memcpy(teaser->data + teaser->used, data, length);
    teaser->used += length;
}

/* Where the marker begins, when what was added last completes one; else -1. */
static apr_ssize_t marker_at(const sb_teaser_t *teaser, apr_size_t added)
{
    apr_size_t overlap = added + sizeof(MARKER) - 2;
    apr_size_t from = teaser->used > overlap ? teaser->used - overlap : 0;

    for (; from + sizeof(MARKER) - 1 <= teaser->used; from++) {
        if (memcmp(teaser->data + from, MARKER, sizeof(MARKER) - 1) == 0) {
            return (apr_ssize_t)from;
        }
    }
    return -1;
}

/* A bucket of what the page says of itself: its end, or that its maker has failed. */
static apr_status_t take_mark(ap_filter_t *f, apr_bucket_brigade *bb, apr_bucket *e,
                              bool *over)
{
    if (APR_BUCKET_IS_EOS(e)) {
        *over = true;
        return refuse(f, bb, "it has no " MARKER);
    }
    if (AP_BUCKET_IS_ERROR(e)) {
        sb_teaser_t *teaser = f->ctx;
        *over = true;
        teaser->closed = true;
        restore_head(f->r, teaser);
        APR_BUCKET_REMOVE(e);
        apr_brigade_cleanup(bb);
        APR_BRIGADE_INSERT_TAIL(bb, e);
        return ap_pass_brigade(f->next, bb);
    }
    apr_bucket_delete(e);
    return APR_SUCCESS;
}

static apr_status_t filter_marker(ap_filter_t *f, apr_bucket_brigade *bb)
{
    sb_teaser_t *teaser = f->ctx;
    const char *why = teaser->used ? NULL : unfit(f->r);
    bool over = teaser->sent || teaser->closed;

    if (over) {
        apr_brigade_cleanup(bb);
        return APR_SUCCESS;
    }
    if (why && !APR_BRIGADE_EMPTY(bb)) {
        return refuse(f, bb, why);
    }
    while (!APR_BRIGADE_EMPTY(bb)) {
        apr_bucket *e = APR_BRIGADE_FIRST(bb);
        const char *data;
        apr_size_t length;
        if (APR_BUCKET_IS_METADATA(e)) {
            apr_status_t rv = take_mark(f, bb, e, &over);
            if (over) {
                return rv;
            }
            continue;
        }
        if (apr_bucket_read(e, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) {
            return refuse(f, bb, "it cannot be read");
        }
        /* No more, however the page comes in pieces, so that they do not matter. */
        length = length > MOST_BYTES - teaser->used ? MOST_BYTES - teaser->used : length;
        keep(teaser, data, length, f->r->pool);
        apr_ssize_t at = marker_at(teaser, length);
        if (at >= 0) {
            return show(f, bb, (apr_size_t)at);
        }
        if (teaser->used >= MOST_BYTES) {
            return refuse(f, bb, "its first mebibyte has no " MARKER);
        }
        apr_bucket_delete(e);
    }
    return APR_SUCCESS;
}

/* --- hooks ---------------------------------------------------------------------------------- */

static bool has_filter(const request_rec *r)
{
    for (const ap_filter_t *f = r->output_filters; f; f = f->next) {
        if (strcasecmp(f->frec->name, marker_filter) == 0) {
            return true;
        }
    }
    return false;
}

/* An internal redirect begins with a new chain of filters. */
static void insert_marker(request_rec *r)
{
    sb_teaser_t *teaser = teaser_of(r);

    if (!teaser) {
        return;
    }
    apr_table_setn(r->subprocess_env, "SUBBILL_REASON", teaser->word);
    if (teaser->marker && !teaser->closed && !teaser->sent && !r->main &&
        !has_filter(r)) {
        ap_add_output_filter(marker_filter, teaser, r, r->connection);
    }
}

static void insert_error(request_rec *r)
{
    const sb_teaser_t *teaser = teaser_of(r);

    if (teaser) {
        restore_head(r, teaser);
    }
}

/* Programs that write the whole answer themselves, and another process that gets the socket. */
static bool writes_past_filters(const request_rec *r)
{
    const char *name = r->filename ? strrchr(r->filename, '/') : NULL;

    return (name && strncmp(name + 1, "nph-", 4) == 0) ||
           (r->filename && strncmp(r->filename, "proxy:", 6) == 0 &&
            strstr(r->filename, "fd://")) ||
           (r->handler && strncmp(r->handler, "proxy:", 6) == 0 &&
            strstr(r->handler, "fd://"));
}

/* The last look before the page is made. What was let through to be looked up is not included: it would
 * stand before the marker of the page around it. */
static int guard(request_rec *r)
{
    sb_teaser_t *teaser = teaser_of(r);

    if (!teaser || !teaser->marker || teaser->closed) {
        return DECLINED;
    }
    if (r->main) {
        return sb_request_of(r)->teaser ? HTTP_PAYMENT_REQUIRED : DECLINED;
    }
    return writes_past_filters(r) || !has_filter(r) ? close_page(r, teaser) : DECLINED;
}

void sb_teaser_hooks(apr_pool_t *pool)
{
    /* After all others, whose filters may have replaced the chain. */
    ap_hook_insert_filter(insert_marker, NULL, NULL, APR_HOOK_REALLY_LAST);
    /* A failed page is an answer to what the client asked, not to what we made of it. */
    ap_hook_insert_error_filter(insert_error, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before mod_negotiation's. */
    ap_hook_type_checker(look_for_file, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before any handler. */
    ap_hook_handler(guard, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* After everything that makes or changes a page, before everything that packs one. */
    ap_register_output_filter(marker_filter, filter_marker, NULL,
                              (ap_filter_type)(AP_FTYPE_CONTENT_SET - 1));
}
