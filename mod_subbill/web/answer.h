/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_ANSWER_H
#define SB_WEB_ANSWER_H

#include "web/module.h"

/* How every answer of ours leaves: status, headers, body. */

#define SB_TYPE_HTML    "text/html; charset=utf-8"
#define SB_TYPE_JSON    "application/json"
#define SB_TYPE_PROBLEM "application/problem+json"

/* The headers that all our answers share (T26, T27). cache_control as given; a Vary that fits
 * what the answer depends on is the caller's. */
void sb_answer_headers(request_rec *r, const char *cache_control);

/* A page's own policy, in place of the one for documents: our style, our forms, and Stripe's pages
 * as the place where our forms lead, nothing else. */
void sb_answer_page_headers(request_rec *r, const char *lang);

/* Sends body (NUL-terminated) with that status; returns what a handler returns. */
int sb_answer_send(request_rec *r, int status, const char *type, const char *body);

#endif
