/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_IDENTITY_H
#define SB_DOMAIN_IDENTITY_H

#include <apr.h>
#include <stdbool.h>

#define SB_IDENTITY_MAX 190 /* bytes: what a key column of every database takes */

/* What is wrong with this user name: NULL when it may be used, else a sentence without the name.
 * A name is exact bytes, compared byte by byte and never trimmed, folded or normalised (T22):
 * 1…190 bytes of valid UTF-8 without control characters (C0, DEL, C1). NULL and "" are no name:
 * that is no_identity, not bad_identity, and the caller asks before. */
const char *sb_identity_check(const char *user);

/* May this be sent to Stripe as an e-mail address? local@domain, one @, at most 254 bytes, no
 * white space, control or quoting characters, a dot in the domain. */
bool sb_email_valid(const char *email);

#endif
