/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_PAGES_H
#define SB_WEB_PAGES_H

#include "web/exchange.h"

/* What every page shows, whatever it is about, and where its links lead. */

/* The path of a route as pages link to it: below the path of SubbillBaseURL; NULL when it is
 * mounted nowhere. */
const char *sb_page_link(const request_rec *r, const char *route);

/* The plans page with the reason why somebody is sent there and the way back to where r came from; NULL
 * when there is no plans page. */
const char *sb_page_plans_link(const request_rec *r, const char *reason);

/* An address that makes the site ask for a login and then shows the plans; NULL when nobody here
 * would ask, or somebody is logged in. */
const char *sb_page_login_link(const sb_exchange_t *x);

/* A new context with the members that all pages share: languages, urls, user, logged_in, csrf,
 * test_mode, title. title: a key of the texts. The caller owns the reference. */
json_t *sb_page_context(const sb_exchange_t *x, const char *title);

/* Renders page with context (the reference is taken) and sends it with status. */
int sb_page_send(sb_exchange_t *x, int status, const char *page,
                 const char *cache_control, json_t *context);

/* An interval as a text: "every 3 months". */
const char *sb_page_interval(const sb_exchange_t *x, const char *interval, int count);

#endif
