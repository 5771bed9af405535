/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_CSRF_H
#define SB_WEB_CSRF_H

#include "web/exchange.h"

/* Is it the person who posts, or a foreign page in that person's browser (T25)? */

#define SB_CSRF_FIELD "csrf"

/* Puts the token for this user into x->csrf; nothing for nobody. Good for two to three hours. */
sb_status_e sb_csrf_issue(sb_exchange_t *x, sb_result_t *result);

/* Whether this POST, its body already read, may act:
 *   Authorization: Bearer          yes: no foreign page can make a browser send one
 *   application/json               with no Origin or an allowed one: no foreign page can post it unasked
 *   else                           from our own pages only, with our token
 * SB_FORBIDDEN "bad_origin", "missing_csrf" or "bad_csrf" otherwise. */
sb_status_e sb_csrf_check(const sb_exchange_t *x, sb_result_t *result);

/* Whether this GET, which costs a call to Stripe, may ask. Refused is what a foreign page loads unasked; a link that
 * a person follows is none of that, wherever it stands. SB_FORBIDDEN "bad_origin". */
sb_status_e sb_csrf_check_question(const sb_exchange_t *x, sb_result_t *result);

#endif
