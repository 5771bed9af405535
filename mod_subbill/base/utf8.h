/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_UTF8_H
#define SB_BASE_UTF8_H

#include <apr.h>

/* Length in bytes of the UTF-8 sequence that starts at bytes (RFC 3629: no overlong
 * form, no surrogate, nothing above U+10FFFF), reading at most left bytes; 0 when there
 * is none. */
int sb_utf8_sequence(const char *bytes, apr_size_t left);

#endif
