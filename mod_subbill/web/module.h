/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_MODULE_H
#define SB_WEB_MODULE_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <ap_expr.h>

#include "base/settings.h"
#include "domain/catalog.h"
#include "domain/entitlement.h"
#include "service/service.h"
#include "text/template_set.h"

extern module AP_MODULE_DECLARE_DATA subbill_module __attribute__((visibility("default")));

/* What one virtual host knows. The settings come from the directives; what check_config made of
 * them (catalogue, templates, secrets) is read-only from then on; `service` is born in each child. */
typedef struct sb_server_t {
    sb_settings_t *settings;
    const char *file; /* where the first directive of this host stands, for messages */

    sb_catalog_t *catalog;            /* NULL when no catalogue is configured */
    sb_template_set_t *templates;
    apr_array_header_t *stripe_keys;  /* const char *: values of this mode, the first in use */
    apr_array_header_t *webhook_secrets; /* const char *: values */
    apr_array_header_t *endpoints;    /* sb_endpoint_t */
    const char *publishable_key;      /* of this mode, or NULL */
    const char *database_params;      /* value */

    sb_service_t *service; /* this process's; NULL in the parent and when nothing is configured */
    struct sb_cache_t *cache;
} sb_server_t;

typedef struct sb_endpoint_t {
    const char *uuid;
    apr_array_header_t *secrets; /* const char *: values */
} sb_endpoint_t;

typedef enum { SB_DENY_UNSET, SB_DENY_AUTO, SB_DENY_402, SB_DENY_403, SB_DENY_REDIRECT } sb_on_deny_e;

/* Per location. Every member has an unset value (NULL, -1, SB_DENY_UNSET) that merging respects. */
typedef struct sb_dir_t {
    apr_array_header_t *gate;      /* const char *: words of SubbillGate; empty = Off; NULL = unset */
    const ap_directive_t *gate_at; /* where it stands, for messages */
    sb_requirement_t *gate_requirement; /* compiled by check_config */
    ap_expr_info_t *user;          /* SubbillUser */
    ap_expr_info_t *email;         /* SubbillEmail */
    sb_on_deny_e on_deny;
    const char *deny_url;          /* of SubbillOnDeny redirect */
    int grace_days;                /* SubbillGrace, -1 unset */
} sb_dir_t;

static inline sb_server_t *sb_server_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &subbill_module);
}

static inline sb_dir_t *sb_dir_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &subbill_module);
}

/* --- web/identity.c: who asks ------------------------------------------------------------- */

/* The user of this request by SubbillUser (default %{REMOTE_USER}): NULL when nobody is known.
 * *reason becomes "bad_identity" word's enum when a name was given that we do not take. Expressions
 * are evaluated once per request. */
const char *sb_request_user(request_rec *r, sb_reason_e *reason);

/* The e-mail address by SubbillEmail, NULL when not configured, empty or not an address. */
const char *sb_request_email(request_rec *r);

/* --- web/routes.c: where things are ------------------------------------------------------- */

/* The canonical path of route name on this server ("/subbill/plans"): its first SubbillRoute, else
 * below the mount; NULL when it is mounted nowhere. */
const char *sb_route_path(const sb_server_t *server, const char *name, apr_pool_t *pool);

/* The same as an absolute address below SubbillBaseURL. */
const char *sb_route_url(const sb_server_t *server, const char *name, apr_pool_t *pool);

/* The route this request is for ("plans", "webhook", …; rest points behind it, e.g. the UUID or
 * "change"), or NULL when it is none of ours. Works in every phase after translate_name. */
const char *sb_route_of(request_rec *r, const char **rest);

/* --- web/problem.c: refusals and errors --------------------------------------------------- */

/* Answers this request with result: a problem document (RFC 9457) or, for browsers, the error page,
 * in the language of the request. Sets status, headers (no-store, Retry-After) and body; returns
 * what a handler returns. Used by the gate's refusal handler and by every route. */
int sb_problem_send(request_rec *r, const sb_result_t *result);

/* The HTTP status for a result status. */
int sb_http_status(sb_status_e status);

/* Whether the client is a browser that wants a page (Accept, Sec-Fetch-*, X-Requested-With). */
int sb_wants_html(request_rec *r);

#endif
