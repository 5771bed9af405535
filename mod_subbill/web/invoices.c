/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* GET invoices, for programs: a person finds the list on the account page. GET invoices/upcoming, for both. */
#include "base/json.h"
#include "service/invoices.h"
#include "text/money.h"
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

/* --- the next one ----------------------------------------------------------------------------- */

static const char *money(const sb_exchange_t *x, const json_t *amounts, const char *name,
                         const char *currency)
{
    return sb_money_format(sb_json_int(amounts, name, 0), currency, x->lang, x->pool);
}

static json_t *lines_of(const sb_exchange_t *x, const json_t *document,
                        const char *currency)
{
    json_t *lines = json_array();
    const json_t *line;
    size_t i;

    json_array_foreach(json_object_get(document, "lines"), i, line)
    {
        const char *text = sb_json_text(line, "description");
        json_array_append_new(lines, json_pack("{s:s, s:s}", "description",
                                               text ? text : "–", "amount_text",
                                               money(x, line, "amount", currency)));
    }
    return lines;
}

static int page(sb_exchange_t *x, const json_t *document)
{
    const char *told = sb_json_text(document, "currency");
    const char *currency = told ? told : "";
    const char *total = money(x, document, "amount_due", currency);
    const char *date = sb_date_format(sb_json_int(document, "date", 0), x->lang, x->pool);
    json_t *args =
        sb_service_own(json_pack("{s:s, s:s}", "amount", total, "date", date), x->pool);
    json_t *context = sb_page_context(x, "upcoming.title");

    json_object_set_new(
        context, "text",
        json_string(sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang,
                                   "upcoming.text", args, x->pool)));
    json_object_set_new(context, "lines", lines_of(x, document, currency));
    json_object_set_new(context, "total_text", json_string(total));
    return sb_page_send(x, HTTP_OK, "upcoming", "no-store", context);
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
    return x->html ? page(x, document)
                   : sb_exchange_json(x, HTTP_OK, json_incref(document));
}
