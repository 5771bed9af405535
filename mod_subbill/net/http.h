/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_NET_HTTP_H
#define SB_NET_HTTP_H

#include <apr_pools.h>
#include <stdbool.h>

/* Outgoing HTTP: bounded in time, bytes and threads. https only, except to this
 * machine's own loopback; certificates are always checked, redirects never followed,
 * proxies and netrc files of the environment never used. All functions may be called
 * from any thread of the process that created the client, unless they say otherwise. */
typedef struct sb_http_t sb_http_t;
typedef struct sb_http_handle_t sb_http_handle_t;

typedef struct sb_http_options_t {
    int connect_ms;          /* 0: 3000 */
    int total_ms;            /* longest single exchange, 0: 10000 */
    apr_size_t response_max; /* bytes of an answer's body, 0: 1 MiB */
    int max_concurrent;      /* threads between borrow and release, 0: 8 */
    const char *ca_file;     /* trust only these certificates; NULL: the system's store */
    const char *proxy;       /* NULL: none */
} sb_http_options_t;

typedef enum {
    SB_HTTP_DONE = 0,    /* an answer arrived in full, whatever its status */
    SB_HTTP_BUSY,        /* max_concurrent threads are inside already */
    SB_HTTP_STOPPING,    /* sb_http_stop() was called */
    SB_HTTP_BAD_REQUEST, /* our own fault: an address or header that is never sent */
    SB_HTTP_UNREACHABLE, /* name, connection, TLS, or cut off in the middle */
    SB_HTTP_TIMEOUT,
    SB_HTTP_TOO_LARGE /* more than response_max bytes */
} sb_http_failure_e;

typedef struct sb_http_header_t {
    const char *name;
    const char *value;
} sb_http_header_t;

typedef struct sb_http_request_t {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *url;
    const sb_http_header_t *headers;
    int headers_n;
    const char *body; /* NULL: none */
    apr_size_t length;
    int timeout_ms; /* shorter than the client's total_ms; 0: that one */
} sb_http_request_t;

typedef struct sb_http_response_t {
    int status;       /* 0 after a failure */
    const char *body; /* NUL-terminated behind length bytes */
    apr_size_t length;
    const char *content_type; /* headers: NULL when absent */
    const char *request_id;
    const char *retry_after;
    const char *should_retry; /* Stripe-Should-Retry */
    const char *idempotent_replayed;
    const char *detail; /* after a failure, a few words for the log; never a secret */
} sb_http_response_t;

/* Call in a child process (child_init), never in httpd's parent: libcurl is initialised
 * here. Everything goes when pool does; no thread may be inside then. Errors:
 * APR_EGENERAL when libcurl refuses, or those of apr_thread_mutex_create(). */
apr_status_t sb_http_create(sb_http_t **http, const sb_http_options_t *options,
                            apr_pool_t *pool);

/* Running exchanges end within about a second, new ones are refused. */
void sb_http_stop(sb_http_t *http);
bool sb_http_stopping(const sb_http_t *http);

/* One slot and one handle for one piece of work, which may be several requests with
 * pauses between them: the pauses hold a thread too, and threads are what
 * max_concurrent bounds (F14). Never waits: SB_HTTP_DONE, SB_HTTP_BUSY or
 * SB_HTTP_STOPPING. Every borrowed handle must be released. */
sb_http_failure_e sb_http_borrow(sb_http_handle_t **handle, sb_http_t *http);
void sb_http_release(sb_http_handle_t *handle);

/* Sends one request and reads the answer into response (pool). */
sb_http_failure_e sb_http_send(sb_http_response_t *response, sb_http_handle_t *handle,
                               const sb_http_request_t *request, apr_pool_t *pool);

/* May this be the base of an API? NULL, or a sentence fragment that follows the
 * address: "must start with https://…". Pure text, also for httpd's parent. Accepts
 * http: only for localhost, 127.0.0.0/8 and [::1]; no user name, query or fragment
 * (T39). */
const char *sb_http_base_check(const char *url);

#endif
