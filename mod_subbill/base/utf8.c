/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/utf8.h"

#include <apr_strings.h>
#include <string.h>

apr_size_t sb_utf8_sequence(apr_uint32_t *point, const char *bytes, apr_size_t left)
{
    /* The smallest code point that needs this many bytes: anything below is an overlong form. */
    static const apr_uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)bytes;

    if (left == 0) {
        return 0;
    }
    apr_size_t length = *s < 0x80             ? 1
                        : (*s & 0xE0) == 0xC0 ? 2
                        : (*s & 0xF0) == 0xE0 ? 3
                        : (*s & 0xF8) == 0xF0 ? 4
                                              : 0;
    if (length == 0 || length > left) {
        return 0;
    }
    apr_uint32_t code = length == 1 ? *s : *s & (0x7Fu >> length);
    for (apr_size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (s[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return 0;
    }
    if (point) {
        *point = code;
    }
    return length;
}

bool sb_utf8_valid(const char *bytes, apr_size_t length)
{
    for (apr_size_t i = 0, n; i < length; i += n) {
        n = sb_utf8_sequence(NULL, bytes + i, length - i);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

const char *sb_utf8_cut(const char *text, apr_size_t max, apr_pool_t *pool)
{
    if (!text || strlen(text) <= max) {
        return text;
    }
    while (max && ((unsigned char)text[max] & 0xC0) == 0x80) {
        max--;
    }
    return apr_pstrmemdup(pool, text, max);
}
