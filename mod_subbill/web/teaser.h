/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_TEASER_H
#define SB_WEB_TEASER_H

#include "web/module.h"

typedef struct sb_teaser_t sb_teaser_t;

/* What those see who have not paid, in place of a refusal (SubbillTeaser). */

/* Whether a teaser stands here for whoever asks this way: by GET or HEAD, and in the client's own
 * request or below one that shows a teaser. Then nobody is asked for a login. */
bool sb_teaser_here(const request_rec *r);

/* Whether r is only looked up while httpd looks for the file that the request above it is about: what
 * mod_negotiation chooses from. Its gate can wait, for that request is asked next, or whoever runs r after all. */
bool sb_teaser_looks_up(request_rec *r);

/* httpd has found that file. */
void sb_teaser_found(const request_rec *r);

/* Learns who it is from credentials that were sent. OK, or the status of a login that failed. */
int sb_teaser_identify(request_rec *r);

/* Shows the teaser when verdict is a refusal that money, or a login, could cure: *status is what the
 * calling fixup has to return then. false: refuse as ever. */
bool sb_teaser_show(int *status, request_rec *r, const sb_verdict_t *verdict);

void sb_teaser_hooks(apr_pool_t *pool);

#endif
