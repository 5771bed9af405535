/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/escape.h"
#include "base/utf8.h"

#include <string.h>

/* Names of users, plans and customers come from strangers (T27). A page is UTF-8 and says so; a stray
 * byte would still let the reader see something other than what was stored, so it is replaced. */

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *html_replacement(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
    case '\r':
        return NULL;
    default:
        return byte < 0x20 || byte == 0x7f ? REPLACEMENT : NULL;
    }
}

apr_size_t sb_escape_html_step(const char *text, apr_size_t len, apr_size_t *plain,
                               const char **replacement)
{
    const unsigned char *bytes = (const unsigned char *)text;
    apr_size_t at = 0;

    while (at < len) {
        apr_size_t length = sb_utf8_sequence(NULL, text + at, len - at);
        const char *instead = length == 0   ? REPLACEMENT
                              : length == 1 ? html_replacement(bytes[at])
                                            : NULL;
        /* C1 controls: valid UTF-8 that no text needs and terminals act on */
        if (length == 2 && bytes[at] == 0xc2 && bytes[at + 1] < 0xa0) {
            instead = REPLACEMENT;
        }
        if (instead) {
            *plain = at;
            *replacement = instead;
            return at + (length ? length : 1);
        }
        at += length;
    }
    *plain = len;
    *replacement = NULL;
    return len;
}

const char *sb_escape_html(const char *text, apr_size_t len, apr_size_t *out_len,
                           apr_pool_t *pool)
{
    apr_size_t size = 0, plain;
    const char *replacement;

    for (apr_size_t at = 0; at < len;) {
        at += sb_escape_html_step(text + at, len - at, &plain, &replacement);
        size += plain + (replacement ? strlen(replacement) : 0);
    }

    char *out = apr_palloc(pool, size + 1), *end = out;
    for (apr_size_t at = 0; at < len;) {
        apr_size_t step = sb_escape_html_step(text + at, len - at, &plain, &replacement);
        memcpy(end, text + at, plain);
        end += plain;
        if (replacement) {
            apr_size_t length = strlen(replacement);
            memcpy(end, replacement, length);
            end += length;
        }
        at += step;
    }
    *end = '\0';
    if (out_len) {
        *out_len = size;
    }
    return out;
}

const char *sb_escape_url(const char *text, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        "0123456789-._~";
    char *out = apr_palloc(pool, 3 * strlen(text) + 1), *end = out;

    for (; *text; text++) {
        if (strchr(unreserved, *text)) {
            *end++ = *text;
            continue;
        }
        unsigned char byte = (unsigned char)*text;
        *end++ = '%';
        *end++ = hex[byte >> 4];
        *end++ = hex[byte & 15];
    }
    *end = '\0';
    return out;
}
