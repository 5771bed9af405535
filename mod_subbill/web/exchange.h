/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_EXCHANGE_H
#define SB_WEB_EXCHANGE_H

#include "base/form.h"
#include "base/json.h"
#include "web/module.h"

struct sb_handler_t;

/* One request to one of our handlers and what is known about it. Lives in r->pool. */
typedef struct sb_exchange_t {
    request_rec *r;
    apr_pool_t *pool; /* r->pool */
    const sb_server_t *server;
    sb_service_t *service;
    const struct sb_handler_t *handler;
    const char *rest; /* what follows the route in the path, "" for nothing */

    const char *user;  /* NULL: nobody is logged in */
    const char *email; /* of SubbillEmail, or NULL */
    const char *lang;  /* a code of the loaded languages */
    bool html;         /* the client wants a page */
    const char *csrf;  /* token for forms on our pages; NULL until sb_csrf_issue() */

    const sb_form_t *query; /* what follows the "?" */
    json_t *json;           /* the body when it came as JSON, else NULL */
    sb_form_t *form;        /* the body when it came as a form, else NULL */
} sb_exchange_t;

/* Fills x but for the body. SB_OK, or why the query string is refused. */
sb_status_e sb_exchange_open(sb_exchange_t *x, sb_result_t *result, request_rec *r,
                             const char *rest);

/* Keeps a language that was chosen by ?lang= in a cookie. */
void sb_exchange_keep_language(sb_exchange_t *x);

/* Reads the body as a form or a JSON object; no body at all leaves both NULL. Returns OK, or an HTTP
 * status with result filled. */
int sb_exchange_read(sb_exchange_t *x, sb_result_t *result);

/* A value of the query string; NULL when absent, given twice or empty. */
const char *sb_exchange_query(const sb_exchange_t *x, const char *name);

/* Whether this POST is a form that takes its sender along (303), not a call that wants a document. */
bool sb_exchange_wants_redirect(const sb_exchange_t *x);

/* Answers with a JSON document (the reference is taken) or a redirect (303). The second form says
 * itself how long the document may be kept. */
int sb_exchange_json(sb_exchange_t *x, int status, json_t *json);
int sb_exchange_json_cached(sb_exchange_t *x, const char *cache_control, json_t *json);
int sb_exchange_see_other(sb_exchange_t *x, const char *location);

/* Asks the site's own authentication for a login: OK when there is a user now, else the status to
 * return from the handler. */
int sb_exchange_login(sb_exchange_t *x);

/* Whether the body is said to be of this media type, whatever its parameters. */
bool sb_content_is(const request_rec *r, const char *type);

/* The language to answer in; wanted: of the query string, or NULL. */
const char *sb_request_language(request_rec *r, const char *wanted);

/* The text of a key in the language of the request. */
const char *sb_exchange_text(const sb_exchange_t *x, const char *key);

#endif
