/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* WebDAV methods that reach below the address they name. Whoever copies, moves, deletes or locks a
 * folder, or lists it without end, does so with everything in it, and mod_dav asks nobody about the
 * members: a copy of an open folder would carry what a gate inside it closes out of the gate. So each
 * member is looked up first, as a subrequest like any other, and one that a gate refuses refuses the
 * whole. The destination needs no code of its own: mod_dav looks it up as a subrequest of the same
 * method, and that one comes by here, too. */
#include "web/module.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

/* Whether mod_dav lists any folder without end; where it does not it refuses by itself, and nobody need look up the
 * members for that. Of this process, from child_init on. */
static bool lists_without_end;

enum {
    MEMBERS_MAX = 10000, /* what one request may make us look up */
    DEPTH_MAX = 64       /* links may lead in circles */
};

static bool reaches_below(const request_rec *r)
{
    const char *depth = apr_table_get(r->headers_in, "Depth");
    bool endless = !depth || strcasecmp(depth, "infinity") == 0;

    switch (r->method_number) {
    case M_MOVE:
    case M_DELETE:
        return true;
    case M_COPY: /* a flat copy still removes what lies at its destination */
        return endless || r->main;
    case M_LOCK:
        return endless;
    case M_PROPFIND:
        return endless && lists_without_end;
    default:
        return false;
    }
}

/* Whether a gate is why this member may not be had; our own refusals are known by then to the
 * request above it, httpd's 401 is not. */
static bool closed(request_rec *r, request_rec *member)
{
    if (sb_request_of(member)->refused) {
        return true;
    }
    if (member->status != HTTP_UNAUTHORIZED || sb_dir_of(member)->dry_run > 0 ||
        !(sb_request_of(member)->gated || sb_dir_of(member)->gate)) {
        return false;
    }
    const char *scheme = apr_table_get(member->err_headers_out, "WWW-Authenticate");
    if (scheme) {
        apr_table_set(r->err_headers_out, "WWW-Authenticate", scheme);
    }
    sb_request_of(r)->gated = true;
    return true;
}

static int too_many(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "SB118: %s of %s is refused: there is more in it than %d members or %d "
                  "levels, too much to ask the gates about; take smaller folders",
                  r->method, r->uri, MEMBERS_MAX, DEPTH_MAX);
    return HTTP_FORBIDDEN;
}

static int ask_members(request_rec *r, const char *uri, const char *path, int *left,
                       int level);

static int ask_member(request_rec *r, const char *uri, int *left, int level)
{
    request_rec *member = ap_sub_req_lookup_uri(uri, r, NULL);
    int status = DECLINED;

    if (closed(r, member)) {
        status = member->status == HTTP_UNAUTHORIZED
                     ? HTTP_UNAUTHORIZED
                     : sb_http_status(sb_request_of(r)->refusal.status);
    }
    else if (member->finfo.filetype == APR_DIR) {
        status = ask_members(r, uri, member->filename, left, level + 1);
    }
    ap_destroy_sub_req(member);
    return status;
}

static int ask_members(request_rec *r, const char *uri, const char *path, int *left,
                       int level)
{
    apr_pool_t *pool;
    apr_dir_t *folder;
    apr_finfo_t entry;
    int status = DECLINED;

    if (level > DEPTH_MAX) {
        return too_many(r);
    }
    apr_pool_create(&pool, r->pool);
    if (apr_dir_open(&folder, path, pool) == APR_SUCCESS) {
        while (status == DECLINED &&
               apr_dir_read(&entry, APR_FINFO_NAME, folder) == APR_SUCCESS) {
            if (strcmp(entry.name, ".") == 0 || strcmp(entry.name, "..") == 0) {
                continue;
            }
            const char *name =
                ap_make_full_path(pool, uri, ap_os_escape_path(pool, entry.name, 1));
            status = (*left)-- > 0 ? ask_member(r, name, left, level) : too_many(r);
        }
    }
    apr_pool_destroy(pool);
    return status;
}

static int enforce_below(request_rec *r)
{
    int left = MEMBERS_MAX;

    if (!sb_gates_in_use() || !r->handler || strcmp(r->handler, "dav-handler") != 0 ||
        r->finfo.filetype != APR_DIR || !reaches_below(r)) {
        return DECLINED;
    }
    return ask_members(r, ap_os_escape_path(r->pool, r->uri, 1), r->filename, &left, 0);
}

/* Anything but a plain "off" may be a way to write "on". */
static bool may_list(const ap_directive_t *node)
{
    for (; node; node = node->next) {
        if ((strcasecmp(node->directive, "DavDepthInfinity") == 0 &&
             strcasecmp(node->args, "off") != 0) ||
            may_list(node->first_child)) {
            return true;
        }
    }
    return false;
}

void sb_dav_open(void)
{
    lists_without_end = may_list(ap_conftree);
}

void sb_dav_hooks(apr_pool_t *pool)
{
    /* After mod_dav has said that this folder is one of its own. */
    ap_hook_fixups(enforce_below, NULL, NULL, APR_HOOK_REALLY_LAST);
}
