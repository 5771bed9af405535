/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* GET invoices and invoices/upcoming: for programs; a person finds the list on the account page. */
#include "service/invoices.h"
#include "web/handlers.h"
#include "web/pages.h"
#include "web/params.h"
#include "web/problem.h"

#include <apr_strings.h>

enum { LIMIT_DEFAULT = 10 };

typedef struct wish_t {
    apr_int64_t limit;
} wish_t;

static const sb_param_t params[] = {
    {"limit", SB_PARAM_INTEGER, offsetof(wish_t, limit)},
};

int sb_invoices_run(sb_exchange_t *x)
{
    const char *account = x->html ? sb_page_link(x->r, "account") : NULL;
    wish_t wish = {.limit = LIMIT_DEFAULT};
    sb_invoice_t *invoices;
    sb_result_t result;
    int n;

    if (account) {
        return sb_exchange_see_other(x, apr_pstrcat(x->pool, account, "#invoices", NULL));
    }
    sb_result_clear(&result);
    if (sb_params_query(&wish, &result, x, params, 1) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    if (wish.limit < 1 || wish.limit > SB_INVOICES_MAX) {
        sb_result_set(&result, SB_INVALID, "bad_request",
                      "\"limit\" has to lie between 1 and 100.", NULL);
        return sb_problem_send(x->r, &result);
    }
    if (sb_invoices_list(&invoices, &n, &result, x->service, x->user, (int)wish.limit,
                         x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return sb_exchange_json(
        x, HTTP_OK, json_pack("{s:o}", "invoices", sb_invoices_json(invoices, n)));
}

int sb_upcoming_run(sb_exchange_t *x)
{
    int grace = sb_dir_of(x->r)->grace_days;
    sb_result_t result;
    json_t *document;

    sb_result_clear(&result);
    if (sb_invoices_upcoming(&document, &result, x->service, x->user,
                             grace > 0 ? grace : 0, x->pool) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return sb_exchange_json(x, HTTP_OK, json_incref(document));
}
