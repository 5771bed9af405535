/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_PROBLEM_H
#define SB_WEB_PROBLEM_H

#include "web/module.h"

/* sb_problem_send(), sb_problem_render() and sb_http_status() are declared in web/module.h. */

/* As sb_problem_send(), with an HTTP status that no sb_status_e stands for (405, 408, 415). */
int sb_problem_send_as(request_rec *r, int status, const sb_result_t *result);

#endif
