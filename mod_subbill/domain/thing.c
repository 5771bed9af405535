/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/thing.h"

#include "base/utf8.h"

#include <apr_strings.h>
#include <string.h>

enum { UNITS_DIGITS = 15 };

bool sb_thing_key_fits(const char *key)
{
    apr_size_t length = strlen(key);

    for (const char *c = key; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            return false;
        }
    }
    return length >= 1 && length <= SB_THING_KEY_MAX && sb_utf8_valid(key, length);
}

apr_int64_t sb_thing_units(const char *text)
{
    apr_size_t digits = strspn(text, "0123456789");

    return digits && digits <= UNITS_DIGITS && !text[digits] ? apr_atoi64(text) : -1;
}

sb_reason_e sb_thing_lacking(sb_thing_e thing)
{
    switch (thing) {
    case SB_THING_ENTITLEMENT:
        return SB_REASON_NO_ENTITLEMENT;
    case SB_THING_PURCHASE:
        return SB_REASON_NOT_PURCHASED;
    case SB_THING_CREDIT:
        return SB_REASON_NO_CREDIT;
    case SB_THING_NONE:
        break;
    }
    return SB_REASON_NO_SUBSCRIPTION;
}
