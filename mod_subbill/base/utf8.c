/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/utf8.h"

int sb_utf8_sequence(const char *bytes, apr_size_t left)
{
    /* The smallest code point that needs this many bytes: anything below is an overlong
     * form. */
    static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)bytes;

    if (left == 0) {
        return 0;
    }
    if (*s < 0x80) {
        return 1;
    }
    int length = (*s & 0xE0) == 0xC0   ? 2
                 : (*s & 0xF0) == 0xE0 ? 3
                 : (*s & 0xF8) == 0xF0 ? 4
                                       : 0;
    if (length == 0 || (apr_size_t)length > left) {
        return 0;
    }
    unsigned int point = *s & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
        point = point << 6 | (s[i] & 0x3Fu);
    }
    if (point < least[length] || point > 0x10FFFF ||
        (point >= 0xD800 && point <= 0xDFFF)) {
        return 0;
    }
    return length;
}
