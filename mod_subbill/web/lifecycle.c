/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* POST subscription/cancel, /resume and /pause: the buttons of the account page, and the same for front
 * ends. A form goes back to the account with a word about what was done; a program gets the
 * subscription as it is now. */
#include "service/account.h"
#include "service/lifecycle.h"
#include "web/handlers.h"
#include "web/lifecycle.h"
#include "web/pages.h"
#include "web/params.h"
#include "web/problem.h"

#include <apr_strings.h>

typedef struct wish_t {
    const char *subscription;
    bool immediate;
} wish_t;

static const sb_param_t params[] = {
    {"subscription", SB_PARAM_TEXT, offsetof(wish_t, subscription)},
    {"immediate", SB_PARAM_BOOLEAN, offsetof(wish_t, immediate)},
};
enum { CANCEL_PARAMS = 2, OTHER_PARAMS = 1 };

int sb_lifecycle_answer(sb_exchange_t *x, const char *done)
{
    const char *account = sb_page_link(x->r, "account");
    int grace = sb_dir_of(x->r)->grace_days;
    sb_account_view_t *view;
    sb_result_t result;

    if (sb_exchange_wants_redirect(x) && account) {
        return sb_exchange_see_other(x,
                                     apr_pstrcat(x->pool, account, "?done=", done, NULL));
    }
    sb_result_clear(&result);
    if (sb_account_load(&view, &result, x->service, x->user, grace > 0 ? grace : 0,
                        x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return sb_exchange_json(
        x, HTTP_OK, json_incref(sb_account_json(view, x->server->catalog, x->pool)));
}

typedef sb_status_e (*use_case_fn)(sb_result_t *result, sb_service_t *service,
                                   const sb_lifecycle_request_t *request,
                                   apr_pool_t *pool);

static int run(sb_exchange_t *x, use_case_fn use_case, int params_n, const char *done)
{
    int grace = sb_dir_of(x->r)->grace_days;
    wish_t wish = {0};
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_params_query(&wish, &result, x, params, params_n) != SB_OK ||
        sb_params_read(&wish, &result, x, params, params_n) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    const sb_lifecycle_request_t request = {
        .user = x->user,
        .subscription = wish.subscription,
        .grace_days = grace > 0 ? grace : 0,
        .immediate = wish.immediate,
    };
    if (use_case(&result, x->service, &request, x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return sb_lifecycle_answer(x, wish.immediate ? "ended" : done);
}

int sb_cancel_run(sb_exchange_t *x)
{
    return run(x, sb_lifecycle_cancel, CANCEL_PARAMS, "canceled");
}

int sb_resume_run(sb_exchange_t *x)
{
    return run(x, sb_lifecycle_resume, OTHER_PARAMS, "resumed");
}

int sb_pause_run(sb_exchange_t *x)
{
    return run(x, sb_lifecycle_pause, OTHER_PARAMS, "paused");
}
