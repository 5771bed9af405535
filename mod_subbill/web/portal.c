/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* POST portal: Stripe's own pages for cards, plans and cancelling. The customer is always the one
 * that belongs to the user here; no request can name another (T09). */
#include "service/portal.h"
#include "web/answer.h"
#include "web/handlers.h"
#include "web/params.h"
#include "web/problem.h"

typedef struct wish_t {
    const char *return_url;
    const char *flow;
} wish_t;

static const sb_param_t params[] = {
    {"return_url", SB_PARAM_TEXT, offsetof(wish_t, return_url)},
    {"flow", SB_PARAM_TEXT, offsetof(wish_t, flow)},
};

int sb_portal_run(sb_exchange_t *x)
{
    wish_t wish = {0};
    sb_result_t result;
    const char *url;

    sb_result_clear(&result);
    if (sb_params_read(&wish, &result, x, params, sizeof(params) / sizeof(*params)) !=
        SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    const sb_portal_request_t request = {
        .user = x->user,
        .return_url = wish.return_url,
        .return_page = sb_route_url(x->server, "account", x->pool),
        .flow = wish.flow,
        .locale = x->lang,
    };
    if (sb_portal_open(&url, &result, x->service, &request, x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    if (sb_exchange_wants_redirect(x)) {
        return sb_exchange_see_other(x, url);
    }
    return sb_exchange_json(x, HTTP_OK, json_pack("{s:s}", "url", url));
}
