/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* GET return: the buyer is back from Stripe. The session in the address proves nothing about who looks
 * at it, so it opens no account: it is fulfilled for whom it was made for, and only that person, logged
 * in, is shown what was bought; somebody else who is logged in is told nothing (T09). */
#include "service/returning.h"
#include "text/money.h"
#include "web/handlers.h"
#include "web/pages.h"
#include "web/problem.h"

#include <apr_lib.h>
#include <apr_strings.h>

/* How long the page looks again by itself while a bank makes up its mind. */
enum { QUICK_LOOKS = 10, LOOKS_MAX = 30, QUICK_SECONDS = 3, SLOW_SECONDS = 10 };

typedef enum { SHOW_PAID, SHOW_PROCESSING, SHOW_FAILED, SHOW_UNKNOWN } show_e;

static const char *const show_words[] = {"paid", "processing", "failed", "unknown"};

static const char *text_of(const sb_exchange_t *x, show_e show, const char *part)
{
    return sb_exchange_text(
        x, apr_pstrcat(x->pool, "return.", show_words[show], part, NULL));
}

/* The value of <meta http-equiv="refresh">, or NULL after enough looks. */
static const char *next_look(const sb_exchange_t *x, const char *session_id)
{
    const char *said = sb_exchange_query(x, "look");
    int look =
        said && strlen(said) <= 3 && apr_isdigit(*said) ? (int)apr_atoi64(said) : 0;

    if (look >= LOOKS_MAX) {
        return NULL;
    }
    return apr_psprintf(x->pool, "%d; url=?session_id=%s&look=%d",
                        look < QUICK_LOOKS ? QUICK_SECONDS : SLOW_SECONDS,
                        sb_form_escape(session_id, x->pool), look + 1);
}

static void details_add(json_t *context, const sb_exchange_t *x, const sb_return_t *back)
{
    if (!back->owner) {
        return;
    }
    json_object_set_new(context, "owner", json_true());
    if (back->plan) {
        json_object_set_new(context, "plan_name",
                            json_string(sb_catalog_text(&back->plan->name, x->lang)));
    }
    if (back->price) {
        const char *price = apr_pstrcat(
            x->pool,
            sb_money_format(back->price->amount, back->price->currency, x->lang, x->pool),
            " ", sb_page_interval(x, back->price->interval, back->price->interval_count),
            NULL);
        json_object_set_new(context, "price_text", json_string(price));
    }
}

static int show(sb_exchange_t *x, int status, show_e what, const sb_return_t *back,
                const char *session_id)
{
    json_t *context = sb_page_context(x, "return.title");
    const char *account = sb_page_link(x->r, "account");

    json_object_set_new(context, "state", json_string(show_words[what]));
    json_object_set_new(context, show_words[what], json_true());
    json_object_set_new(context, "heading", json_string(text_of(x, what, "_heading")));
    json_object_set_new(context, "text", json_string(text_of(x, what, "_text")));
    if (back) {
        details_add(context, x, back);
    }
    if (what == SHOW_PROCESSING) {
        const char *look = next_look(x, session_id);
        json_object_set_new(context, "refresh", look ? json_string(look) : json_null());
        json_object_set_new(
            context, "next_url",
            json_string(apr_pstrcat(
                x->pool, "?session_id=", sb_form_escape(session_id, x->pool), NULL)));
        json_object_set_new(context, "next_label",
                            json_string(sb_exchange_text(x, "return.reload")));
    }
    else if (!x->user && account) {
        json_object_set_new(context, "next_url", json_string(account));
        json_object_set_new(context, "next_label",
                            json_string(sb_exchange_text(x, "return.to_account")));
    }
    return sb_page_send(x, status, "return", "no-store", context);
}

static int tell(sb_exchange_t *x, const sb_return_t *back)
{
    const char *next = back->state == SB_RETURN_PAID ? back->success_url : NULL;
    json_t *answer =
        json_pack("{s:s, s:b, s:s?}", "state", sb_return_state_word(back->state), "owner",
                  back->owner, "next", next);

    if (back->owner) {
        json_object_set_new(answer, "plan",
                            back->plan ? json_string(back->plan->key) : json_null());
        json_object_set_new(answer, "subscription",
                            back->subscription ? json_string(back->subscription)
                                               : json_null());
    }
    return sb_exchange_json(x, HTTP_OK, answer);
}

int sb_return_run(sb_exchange_t *x)
{
    const char *session_id = sb_exchange_query(x, "session_id");
    sb_return_t back = {0};
    sb_result_t result;

    sb_result_clear(&result);
    sb_status_e status =
        session_id
            ? sb_return_complete(&back, &result, x->service, session_id, x->user, x->pool)
            : sb_result_set(&result, SB_NOT_FOUND, "unknown_session",
                            "The address names no session.", NULL);
    if (status == SB_OK && x->user && !back.owner) {
        status = sb_result_set(&result, SB_NOT_FOUND, "unknown_session",
                               "This order is not known here.", NULL);
    }
    if (status == SB_NOT_FOUND && x->html) {
        return show(x, HTTP_NOT_FOUND, SHOW_UNKNOWN, NULL, "");
    }
    if (status != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    if (!x->html) {
        return tell(x, &back);
    }
    if (back.state == SB_RETURN_PAID && back.success_url) {
        return sb_exchange_see_other(x, back.success_url);
    }
    /* Stripe sends nobody here who has not finished: "open" means that neither Stripe nor its
     * webhook has told us yet, and must not read as "nothing was charged". */
    return show(x, HTTP_OK,
                back.state == SB_RETURN_PAID     ? SHOW_PAID
                : back.state == SB_RETURN_FAILED ? SHOW_FAILED
                                                 : SHOW_PROCESSING,
                &back, session_id);
}
