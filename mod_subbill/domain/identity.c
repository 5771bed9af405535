/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/identity.h"
#include "base/utf8.h"

#include <string.h>

const char *sb_identity_check(const char *user)
{
    apr_size_t length = strlen(user);
    apr_uint32_t code;

    if (length == 0) {
        return "The user name is empty.";
    }
    if (length > SB_IDENTITY_MAX) {
        return "The user name is longer than 190 bytes.";
    }
    for (apr_size_t i = 0, n; i < length; i += n) {
        n = sb_utf8_sequence(&code, user + i, length - i);
        if (n == 0) {
            return "The user name is not valid UTF-8.";
        }
        if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) {
            return "The user name contains a control character.";
        }
    }
    return NULL;
}

static bool mail_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5321 dot-atom; quoted local parts exist only in standards and in attacks (T28). */
static bool local_part_valid(const char *p, apr_size_t length)
{
    if (length == 0 || length > 64 || p[0] == '.' || p[length - 1] == '.') {
        return false;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (!mail_letter(p[i]) && !strchr(".!#$%&'*+-/=?^_`{|}~", p[i])) {
            return false;
        }
        if (p[i] == '.' && p[i + 1] == '.') {
            return false;
        }
    }
    return true;
}

static bool mail_domain_valid(const char *p)
{
    apr_size_t label = 0;
    int dots = 0;

    for (; *p; p++) {
        if (*p == '.') {
            if (label == 0 || p[-1] == '-') {
                return false;
            }
            label = 0;
            dots++;
        }
        else if (mail_letter(*p) || (*p == '-' && label > 0)) {
            if (++label > 63) {
                return false;
            }
        }
        else {
            return false;
        }
    }
    return label > 0 && dots > 0 && p[-1] != '-';
}

bool sb_email_valid(const char *email)
{
    const char *at = email ? strchr(email, '@') : NULL;

    return at && strlen(email) <= 254 &&
           local_part_valid(email, (apr_size_t)(at - email)) && mail_domain_valid(at + 1);
}
