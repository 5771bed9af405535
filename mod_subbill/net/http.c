/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* libcurl and nothing else. Easy handles are kept last in, first out: the one used last
 * has the warmest connection, and the others can be closed by their age. A handle
 * belongs to one thread from borrow to release; connections are never shared between
 * handles, which libcurl does not support across threads.
 *
 * The slots are an array of max_concurrent handles made once; the first `free_n` of
 * them are free. */
#include "net/http.h"
#include "base/version.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_MS     3000
#define TOTAL_MS       10000
#define RESPONSE_MAX   (1024 * 1024)
#define MAX_CONCURRENT 8
#define BODY_START     8192

struct sb_http_handle_t {
    sb_http_t *http;
    CURL *easy; /* made on first use */
};

struct sb_http_t {
    sb_http_options_t options;
    apr_thread_mutex_t *mutex;
    sb_http_handle_t *slots;
    sb_http_handle_t **free_slots;
    int free_n;
    int stopping; /* set once, read by every running exchange */
};

/* What the callbacks of one exchange fill. */
typedef struct exchange_t {
    sb_http_t *http;
    sb_http_response_t *response;
    apr_pool_t *pool;
    char *body; /* malloc: grows, and a pool never gives back */
    apr_size_t length;
    apr_size_t room;
    bool too_large;
} exchange_t;

static apr_status_t destroy(void *data)
{
    sb_http_t *http = data;
    bool idle = http->free_n == http->options.max_concurrent;

    for (int i = 0; i < http->free_n; i++) {
        curl_easy_cleanup(http->free_slots[i]->easy);
    }
    /* A child that ends in a hurry may leave a thread inside: its handle and libcurl's
     * global state go with the process. */
    if (idle) {
        curl_global_cleanup();
    }
    return APR_SUCCESS;
}

apr_status_t sb_http_create(sb_http_t **http, const sb_http_options_t *options,
                            apr_pool_t *pool)
{
    sb_http_t *created = apr_pcalloc(pool, sizeof(*created));
    sb_http_options_t *o = &created->options;

    *o = *options;
    o->connect_ms = o->connect_ms ? o->connect_ms : CONNECT_MS;
    o->total_ms = o->total_ms ? o->total_ms : TOTAL_MS;
    o->response_max = o->response_max ? o->response_max : RESPONSE_MAX;
    o->max_concurrent = o->max_concurrent ? o->max_concurrent : MAX_CONCURRENT;
    o->ca_file = apr_pstrdup(pool, o->ca_file);
    o->proxy = apr_pstrdup(pool, o->proxy);

    apr_status_t rv =
        apr_thread_mutex_create(&created->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return APR_EGENERAL;
    }
    apr_size_t n = (apr_size_t)o->max_concurrent;
    created->slots = apr_pcalloc(pool, n * sizeof(*created->slots));
    created->free_slots = apr_pcalloc(pool, n * sizeof(*created->free_slots));
    for (; created->free_n < o->max_concurrent; created->free_n++) {
        created->slots[created->free_n].http = created;
        created->free_slots[created->free_n] = &created->slots[created->free_n];
    }
    apr_pool_cleanup_register(pool, created, destroy, apr_pool_cleanup_null);
    *http = created;
    return APR_SUCCESS;
}

void sb_http_stop(sb_http_t *http)
{
    __atomic_store_n(&http->stopping, 1, __ATOMIC_RELEASE);
}

bool sb_http_stopping(const sb_http_t *http)
{
    return __atomic_load_n(&http->stopping, __ATOMIC_ACQUIRE) != 0;
}

sb_http_failure_e sb_http_borrow(sb_http_handle_t **handle, sb_http_t *http)
{
    *handle = NULL;
    if (sb_http_stopping(http)) {
        return SB_HTTP_STOPPING;
    }
    apr_thread_mutex_lock(http->mutex);
    if (http->free_n > 0) {
        *handle = http->free_slots[--http->free_n];
    }
    apr_thread_mutex_unlock(http->mutex);
    return *handle ? SB_HTTP_DONE : SB_HTTP_BUSY;
}

void sb_http_release(sb_http_handle_t *handle)
{
    sb_http_t *http = handle->http;

    apr_thread_mutex_lock(http->mutex);
    http->free_slots[http->free_n++] = handle;
    apr_thread_mutex_unlock(http->mutex);
}

static int on_progress(void *baton, curl_off_t dltotal, curl_off_t dlnow,
                       curl_off_t ultotal, curl_off_t ulnow)
{
    const exchange_t *exchange = baton;

    return sb_http_stopping(exchange->http);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *baton)
{
    exchange_t *exchange = baton;
    apr_size_t add = size * n;

    if (add > exchange->http->options.response_max - exchange->length) {
        exchange->too_large = true;
        return 0;
    }
    apr_size_t need = exchange->length + add + 1;
    if (need > exchange->room) {
        apr_size_t room = exchange->room ? exchange->room * 2 : BODY_START;
        char *grown = realloc(exchange->body, room > need ? room : need);
        if (!grown) {
            return 0;
        }
        exchange->body = grown;
        exchange->room = room > need ? room : need;
    }
    memcpy(exchange->body + exchange->length, bytes, add);
    exchange->length += add;
    exchange->body[exchange->length] = '\0';
    return add;
}

/* The value of one header line in pool, white space at its ends removed. */
static const char *header_value(const char *bytes, apr_size_t length, apr_pool_t *pool)
{
    while (length > 0 && (*bytes == ' ' || *bytes == '\t')) {
        bytes++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", bytes[length - 1])) {
        length--;
    }
    return apr_pstrmemdup(pool, bytes, length);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *baton)
{
    exchange_t *exchange = baton;
    sb_http_response_t *response = exchange->response;
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {{"Content-Type", &response->content_type},
                  {"Request-Id", &response->request_id},
                  {"Retry-After", &response->retry_after},
                  {"Stripe-Should-Retry", &response->should_retry},
                  {"Idempotent-Replayed", &response->idempotent_replayed}};
    apr_size_t length = size * n;
    const char *colon = memchr(bytes, ':', length);

    /* A status line opens a new block: what an interim answer (1xx) said does not
     * count. */
    if (length > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        *response = (sb_http_response_t){0};
        return length;
    }
    if (!colon) {
        return length;
    }
    apr_size_t name_length = (apr_size_t)(colon - bytes);
    for (apr_size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (strlen(wanted[i].name) == name_length &&
            strncasecmp(wanted[i].name, bytes, name_length) == 0) {
            *wanted[i].value =
                header_value(colon + 1, length - name_length - 1, exchange->pool);
        }
    }
    return length;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcasecmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    apr_size_t length = strlen(host);
    if (*host == '[' && length > 2 && length < 64 && host[length - 1] == ']') {
        char bare[64];
        apr_cpystrn(bare, host + 1, length - 1);
        return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return false;
}

/* One part of a parsed address copied to out; false when it is absent or does not fit. */
static bool url_part(char *out, apr_size_t size, CURLU *parsed, CURLUPart part)
{
    char *text = NULL;

    if (curl_url_get(parsed, part, &text, 0) != CURLUE_OK || !text) {
        return false;
    }
    apr_cpystrn(out, text, size);
    bool fits = strlen(text) < size;
    curl_free(text);
    return fits;
}

/* NULL, or why this address is never called. libcurl's own parser reads it, so that the
 * check and the connection cannot disagree about the host. */
static const char *address_check(const char *url, bool base)
{
    static const char not_an_address[] = "is not an address such as https://host";
    char scheme[16];
    char host[256];
    const char *error = NULL;
    CURLU *parsed = curl_url();

    if (!parsed || curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        !url_part(scheme, sizeof(scheme), parsed, CURLUPART_SCHEME) ||
        !url_part(host, sizeof(host), parsed, CURLUPART_HOST)) {
        error = not_an_address;
    }
    else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0) {
        error = "must start with https://";
    }
    else if (strcmp(scheme, "http") == 0 && !is_loopback(host)) {
        error = "must start with https:// (http:// is for this machine's loopback only)";
    }
    else if (strchr(url, '@')) {
        error = "must not hold a user name";
    }
    else if (strchr(url, '#') || (base && strchr(url, '?'))) {
        error = "must not hold a query or fragment";
    }
    curl_url_cleanup(parsed);
    return error;
}

const char *sb_http_base_check(const char *url)
{
    return address_check(url, true);
}

static bool is_clean(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return false;
        }
    }
    return true;
}

/* The request's headers as libcurl wants them; false when one would break out of its
 * line or memory is short. *list must be freed in any case. */
static bool headers_build(struct curl_slist **list, const sb_http_request_t *request,
                          apr_pool_t *pool)
{
    for (int i = 0; i < request->headers_n; i++) {
        const sb_http_header_t *header = &request->headers[i];
        if (!is_clean(header->name) || !is_clean(header->value)) {
            return false;
        }
        struct curl_slist *longer = curl_slist_append(
            *list, apr_pstrcat(pool, header->name, ": ", header->value, NULL));
        if (!longer) {
            return false;
        }
        *list = longer;
    }
    struct curl_slist *longer = curl_slist_append(*list, "Expect:");
    *list = longer ? longer : *list;
    return longer != NULL;
}

static bool method_set(CURL *easy, const sb_http_request_t *request)
{
    if (strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        return true;
    }
    if (strcmp(request->method, "GET") == 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return !request->body;
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    return strcmp(request->method, "DELETE") == 0 && !request->body;
}

/* An option that guards the key must take effect or nothing is sent. */
static bool guards_set(CURL *easy, const sb_http_options_t *options)
{
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");

    rc |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    rc |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    rc |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    rc |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    rc |= curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    /* "" keeps libcurl from asking the environment (https_proxy). */
    rc |= curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy ? options->proxy : "");
    if (options->ca_file) {
        rc |= curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
        rc |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    return rc == CURLE_OK;
}

static long shorter(int wanted_ms, int limit_ms)
{
    return wanted_ms > 0 && wanted_ms < limit_ms ? wanted_ms : limit_ms;
}

static void limits_set(CURL *easy, const sb_http_options_t *options,
                       const sb_http_request_t *request)
{
    long total = shorter(request->timeout_ms, options->total_ms);

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, total);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     total < options->connect_ms ? total : (long)options->connect_ms);
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 2L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_subbill/" SB_VERSION);
}

static void callbacks_set(CURL *easy, exchange_t *exchange)
{
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
}

static sb_http_failure_e failure_of(CURLcode rc, const exchange_t *exchange)
{
    if (exchange->too_large) {
        return SB_HTTP_TOO_LARGE;
    }
    switch (rc) {
    case CURLE_OK:
        return SB_HTTP_DONE;
    case CURLE_ABORTED_BY_CALLBACK:
        return SB_HTTP_STOPPING;
    case CURLE_OPERATION_TIMEDOUT:
        return SB_HTTP_TIMEOUT;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return SB_HTTP_BAD_REQUEST;
    default:
        return SB_HTTP_UNREACHABLE;
    }
}

static sb_http_failure_e fail(sb_http_response_t *response, sb_http_failure_e failure,
                              const char *detail)
{
    *response = (sb_http_response_t){.detail = detail};
    return failure;
}

/* Everything is set; runs the exchange and moves the answer into the pool. */
static sb_http_failure_e perform(sb_http_response_t *response, CURL *easy,
                                 exchange_t *exchange)
{
    char said[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, said);
    CURLcode rc = curl_easy_perform(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);

    sb_http_failure_e failure = failure_of(rc, exchange);
    if (failure != SB_HTTP_DONE) {
        const char *words = exchange->too_large ? "the answer is too large"
                            : *said             ? said
                                                : curl_easy_strerror(rc);
        return fail(response, failure, apr_pstrdup(exchange->pool, words));
    }
    response->status = (int)status;
    response->length = exchange->length;
    response->body = apr_pstrmemdup(exchange->pool, exchange->body ? exchange->body : "",
                                    exchange->length);
    return SB_HTTP_DONE;
}

sb_http_failure_e sb_http_send(sb_http_response_t *response, sb_http_handle_t *handle,
                               const sb_http_request_t *request, apr_pool_t *pool)
{
    const sb_http_options_t *options = &handle->http->options;
    struct curl_slist *headers = NULL;
    exchange_t exchange = {.http = handle->http, .response = response, .pool = pool};
    sb_http_failure_e failure;

    *response = (sb_http_response_t){0};
    const char *error = address_check(request->url, false);
    if (error) {
        return fail(response, SB_HTTP_BAD_REQUEST,
                    apr_pstrcat(pool, "the address ", error, NULL));
    }
    if (!handle->easy && !(handle->easy = curl_easy_init())) {
        return fail(response, SB_HTTP_UNREACHABLE, "libcurl gives no handle");
    }
    CURL *easy = handle->easy;
    if (!headers_build(&headers, request, pool) || !guards_set(easy, options) ||
        !method_set(easy, request) ||
        curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK) {
        failure =
            fail(response, SB_HTTP_BAD_REQUEST, "a header, method or option is refused");
        goto cleanup;
    }
    limits_set(easy, options, request);
    callbacks_set(easy, &exchange);
    failure = perform(response, easy, &exchange);

cleanup:
    /* Keeps the connection, forgets key, body and callbacks. */
    curl_easy_reset(easy);
    curl_slist_free_all(headers);
    free(exchange.body);
    return failure;
}
