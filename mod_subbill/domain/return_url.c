/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/return_url.h"

#include "base/utf8.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Browsers repair what they get (WHATWG URL): they drop tabs, turn backslashes into slashes, decode
 * numbers into addresses. So nothing that needs repair is taken, what is taken is cut into parts
 * by a grammar without slack, and the address that leaves is put together anew from those parts,
 * always with a scheme and a host. */

#define HOST_MAX  253
#define LABEL_MAX 63

/* Clients may leave Stripe's placeholder for us to fill; its braces are kept. */
#define SESSION_TOKEN "{CHECKOUT_SESSION_ID}"

typedef struct url_t {
    const char *scheme;   /* "http" or "https" */
    const char *host;     /* lower case; IPv6 in brackets */
    int port;             /* 0: the scheme's own */
    const char *path;     /* starts with one '/', dot segments resolved, encoded */
    const char *query;    /* encoded, without '?'; NULL: none */
    const char *fragment; /* encoded, without '#'; NULL: none */
} url_t;

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)apr_tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes that no part may hold, and percent signs that announce nothing or a control character. */
static const char *bytes_check(const char *input)
{
    const unsigned char *p = (const unsigned char *)input;
    apr_size_t length = strlen(input);

    if (length == 0) {
        return "The address is empty.";
    }
    if (length > SB_RETURN_URL_MAX) {
        return "The address is longer than 2048 bytes.";
    }
    if (!sb_utf8_valid(input, length)) {
        return "The address is not valid UTF-8.";
    }
    for (; *p; p++) {
        if (*p <= 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] <= 0x9f)) {
            return "The address contains a space or a control character.";
        }
        if (*p == '\\') {
            return "The address contains a backslash.";
        }
        if (*p != '%') {
            continue;
        }
        int high = hex_value((char)p[1]);
        int low = high < 0 ? -1 : hex_value((char)p[2]);
        if (low < 0) {
            return "The address contains a percent sign without two hexadecimal digits.";
        }
        if (high < 2 || (high == 7 && low == 15)) {
            return "The address contains an encoded control character.";
        }
    }
    return NULL;
}

static char *encode(const char *text, apr_size_t length, const char *kept,
                    apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, 3 * length + 1);
    char *to = out;

    for (apr_size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        apr_size_t token = sizeof(SESSION_TOKEN) - 1;
        if (c == '{' && length - i >= token &&
            memcmp(text + i, SESSION_TOKEN, token) == 0) {
            memcpy(to, SESSION_TOKEN, token);
            to += token;
            i += token - 1;
        }
        else if (c < 0x80 && (apr_isalnum(c) || strchr(kept, c))) {
            *to++ = (char)c;
        }
        else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return out;
}

/* 1 for ".", 2 for "..", with any dot written as %2e; 0 for any other segment. */
static int dots(const char *segment, apr_size_t length)
{
    int n = 0;

    while (length > 0) {
        if (segment[0] == '.') {
            segment++;
            length--;
        }
        else if (length >= 3 && strncasecmp(segment, "%2e", 3) == 0) {
            segment += 3;
            length -= 3;
        }
        else {
            return 0;
        }
        if (++n > 2) {
            return 0;
        }
    }
    return n;
}

/* Resolves dot segments (RFC 3986, 5.2.4) of text, which starts with '/' or is empty. */
static const char *path_read(const char **path, const char *text, apr_size_t length,
                             apr_pool_t *pool)
{
    char *out = apr_palloc(pool, length + 2);
    char *to = out;

    for (apr_size_t i = 0; i + 2 < length; i++) {
        if (strncasecmp(text + i, "%2f", 3) == 0 ||
            strncasecmp(text + i, "%5c", 3) == 0) {
            return "The path contains an encoded slash or backslash.";
        }
    }
    for (apr_size_t i = 0; i < length;) {
        const char *segment = text + i + 1; /* behind the slash */
        const char *slash = memchr(segment, '/', length - i - 1);
        apr_size_t n = slash ? (apr_size_t)(slash - segment) : length - i - 1;
        int kind = dots(segment, n);
        if (kind == 2) {
            while (to > out && *--to != '/') {
                continue;
            }
        }
        else if (kind == 0) {
            *to++ = '/';
            memcpy(to, segment, n);
            to += n;
        }
        if (kind && !slash) {
            *to++ = '/';
        }
        i += n + 1;
    }
    if (to == out) {
        *to++ = '/';
    }
    *to = '\0';
    if (out[1] == '/') {
        return "The path starts with two slashes.";
    }
    *path = encode(out, (apr_size_t)(to - out), "-._~!$&'()*+,;=:@/%", pool);
    return NULL;
}

/* Path, query and fragment: everything behind the host. */
static const char *tail_read(url_t *url, const char *text, apr_pool_t *pool)
{
    apr_size_t path = strcspn(text, "?#");
    const char *wrong = path_read(&url->path, text, path, pool);

    if (wrong) {
        return wrong;
    }
    text += path;
    if (*text == '?') {
        apr_size_t query = strcspn(++text, "#");
        url->query = encode(text, query, "-._~!$&()*+,;=:@/?%", pool);
        text += query;
    }
    if (*text == '#') {
        text++;
        url->fragment = encode(text, strlen(text), "-._~!$&'()*+,;=:@/?%", pool);
    }
    return NULL;
}

static const char *ipv6_read(url_t *url, const char *text, apr_size_t length,
                             apr_pool_t *pool)
{
    unsigned char address[16];
    char canonical[INET6_ADDRSTRLEN];
    const char *inner = apr_pstrmemdup(pool, text + 1, length - 2);

    if (inet_pton(AF_INET6, inner, address) != 1 ||
        !inet_ntop(AF_INET6, address, canonical, sizeof(canonical))) {
        return "The host is not a valid IPv6 address.";
    }
    url->host = apr_psprintf(pool, "[%s]", canonical);
    return NULL;
}

static const char *host_read(url_t *url, const char *text, apr_size_t length,
                             apr_pool_t *pool)
{
    char *host = apr_pstrmemdup(pool, text, length);
    apr_size_t label = 0;
    const char *last = host;

    if (length == 0 || length > HOST_MAX) {
        return "The host is missing or too long.";
    }
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        return ipv6_read(url, text, length, pool);
    }
    for (char *p = host; *p; p++) {
        if (*p == '.') {
            if (label == 0 || p[1] == '\0') {
                return "The host has an empty label.";
            }
            label = 0;
            last = p + 1;
        }
        else if (apr_isalnum(*p) || *p == '-' || *p == '_') {
            *p = (char)apr_tolower(*p);
            label++;
        }
        else {
            return "The host may hold only letters, digits, hyphens and dots; write "
                   "other "
                   "letters in their xn-- form.";
        }
        if (label > LABEL_MAX) {
            return "The host has a label that is too long.";
        }
    }
    /* A last label that is a number makes browsers read an IPv4 address in many spellings. */
    unsigned char address[4];
    bool number = apr_isdigit(*last) && last[strspn(last, "0123456789abcdefx")] == '\0' &&
                  (last[strspn(last, "0123456789")] == '\0' || last[1] == 'x');
    if (number && inet_pton(AF_INET, host, address) != 1) {
        return "The host is a number, but not a plain IPv4 address.";
    }
    url->host = host;
    return NULL;
}

static const char *port_read(url_t *url, const char *text, apr_size_t length)
{
    int port = 0;

    if (length == 0 || length > 5 || text[0] == '0') {
        return "The port is not a number from 1 to 65535.";
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (!apr_isdigit(text[i])) {
            return "The port is not a number from 1 to 65535.";
        }
        port = port * 10 + (text[i] - '0');
    }
    if (port > 65535) {
        return "The port is not a number from 1 to 65535.";
    }
    url->port = port == (strcmp(url->scheme, "https") == 0 ? 443 : 80) ? 0 : port;
    return NULL;
}

/* An absolute http or https URL whose bytes were checked. NULL or what is wrong. */
static const char *absolute_read(url_t *url, const char *text, apr_pool_t *pool)
{
    *url = (url_t){.scheme = "https"};
    if (strncasecmp(text, "https://", 8) == 0) {
        text += 8;
    }
    else if (strncasecmp(text, "http://", 7) == 0) {
        url->scheme = "http";
        text += 7;
    }
    else {
        return "The address must start with https:// (or with one slash, for this site).";
    }
    apr_size_t authority = strcspn(text, "/?#");
    if (memchr(text, '@', authority)) {
        return "The address contains a user name.";
    }
    apr_size_t host = authority;
    const char *bracket = memchr(text, ']', authority);
    const char *from = bracket ? bracket : text;
    const char *colon = memchr(from, ':', authority - (apr_size_t)(from - text));
    if (colon) {
        host = (apr_size_t)(colon - text);
    }
    const char *wrong = host_read(url, text, host, pool);
    if (!wrong && colon) {
        wrong = port_read(url, colon + 1, authority - host - 1);
    }
    return wrong ? wrong : tail_read(url, text + authority, pool);
}

static const char *origin_text(const url_t *url, apr_pool_t *pool)
{
    return url->port ? apr_psprintf(pool, "%s://%s:%d", url->scheme, url->host, url->port)
                     : apr_pstrcat(pool, url->scheme, "://", url->host, NULL);
}

static bool same_origin(const url_t *a, const url_t *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 &&
           a->port == b->port;
}

/* prefix matches whole segments: /shop lets /shop and /shop/x through, not /shopping. */
static bool below(const char *path, const char *prefix)
{
    apr_size_t length = strlen(prefix);

    if (length > 0 && prefix[length - 1] == '/') {
        length--;
    }
    return strncmp(path, prefix, length) == 0 &&
           (path[length] == '\0' || path[length] == '/');
}

static bool allowed(const url_t *url, const url_t *base, const char *const origins[],
                    int n, apr_pool_t *pool)
{
    url_t entry;

    if (same_origin(url, base)) {
        return true;
    }
    for (int i = 0; i < n; i++) {
        if (!bytes_check(origins[i]) && !absolute_read(&entry, origins[i], pool) &&
            same_origin(url, &entry) && below(url->path, entry.path)) {
            return true;
        }
    }
    return false;
}

static sb_status_e refuse(sb_result_t *result, const char *message)
{
    return sb_result_set(result, SB_INVALID, "bad_return_url", message,
                         "Use an address of this site, or have the administrator add the "
                         "other site's origin to SubbillReturnURLs.");
}

sb_status_e sb_return_url_check(const char **out, sb_result_t *result, const char *input,
                                const char *base_url, const char *const origins[], int n,
                                apr_pool_t *pool)
{
    url_t url, base;

    *out = NULL;
    if (bytes_check(base_url) || absolute_read(&base, base_url, pool)) {
        return sb_result_set(result, SB_INTERNAL, "bad_base_url",
                             "The server does not know its own address.",
                             "Set SubbillBaseURL.");
    }
    const char *wrong = bytes_check(input);
    if (!wrong && input[0] == '/') {
        url = (url_t){.scheme = base.scheme, .host = base.host, .port = base.port};
        wrong = input[1] == '/' ? "The address starts with two slashes."
                                : tail_read(&url, input, pool);
    }
    else if (!wrong) {
        wrong = absolute_read(&url, input, pool);
    }
    if (wrong) {
        return refuse(result, wrong);
    }
    if (!allowed(&url, &base, origins, n, pool)) {
        return refuse(result, "The address belongs to another site.");
    }
    *out = apr_pstrcat(pool, origin_text(&url, pool), url.path, url.query ? "?" : "",
                       url.query ? url.query : "", url.fragment ? "#" : "",
                       url.fragment ? url.fragment : "", NULL);
    return SB_OK;
}

const char *sb_return_origin_check(const char *text, apr_pool_t *pool)
{
    url_t url;
    const char *wrong = bytes_check(text);

    if (!wrong) {
        wrong = absolute_read(&url, text, pool);
    }
    if (!wrong && (url.query || url.fragment)) {
        wrong = "The address must end before any '?' or '#'.";
    }
    return wrong;
}

const char *sb_url_origin(const char *text, apr_pool_t *pool)
{
    url_t url;

    return !text || bytes_check(text) || absolute_read(&url, text, pool)
               ? NULL
               : origin_text(&url, pool);
}
