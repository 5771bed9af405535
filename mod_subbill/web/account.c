/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* GET account and GET subscription: what somebody has here. Always the caller's own: no id in a
 * request chooses whose account is shown. */
#include "service/account.h"
#include "service/invoices.h"
#include "service/membership.h"
#include "text/money.h"
#include "web/csrf.h"
#include "web/handlers.h"
#include "web/pages.h"
#include "web/problem.h"

#include <apr_strings.h>

static sb_status_e view_load(sb_account_view_t **view, sb_result_t *result,
                             const sb_exchange_t *x)
{
    int grace = sb_dir_of(x->r)->grace_days;
    sb_result_t ignored;

    sb_result_clear(result);
    sb_status_e status = sb_account_load(view, result, x->service, x->user,
                                         grace > 0 ? grace : 0, x->pool);
    if (status != SB_OK || !sb_membership_missing(*view, x->server->catalog)) {
        return status;
    }
    /* First sight. The page is shown even where nothing can be written. */
    sb_result_clear(&ignored);
    if (sb_membership_activate(&ignored, x->service, x->user, x->email, x->pool) !=
        SB_OK) {
        return SB_OK;
    }
    return sb_account_load(view, result, x->service, x->user, grace > 0 ? grace : 0,
                           x->pool);
}

/* --- texts ---------------------------------------------------------------------------------- */

static json_t *text_with_date(const sb_exchange_t *x, const char *key, apr_int64_t when)
{
    json_t *args = sb_service_own(
        json_pack("{s:s}", "date", sb_date_format(when, x->lang, x->pool)), x->pool);

    return json_string(sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang,
                                      key, args, x->pool));
}

static const char *days_text(const sb_exchange_t *x, int days)
{
    json_t *args = sb_service_own(json_pack("{s:i}", "count", days), x->pool);

    return sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang, "days",
                          args, x->pool);
}

/* A word of Stripe's as a text; words that Stripe invents later as "unknown". */
static const char *word_text(const sb_exchange_t *x, const char *family, const char *word)
{
    const char *key = apr_pstrcat(x->pool, family, ".", word ? word : "", NULL);

    return sb_i18n_has(sb_template_set_i18n(x->server->templates), key)
               ? sb_exchange_text(x, key)
               : sb_exchange_text(x, "status.unknown");
}

/* --- subscriptions -------------------------------------------------------------------------- */

static void fact_add(json_t *facts, const sb_exchange_t *x, const char *label,
                     const char *value)
{
    if (value && *value) {
        json_array_append_new(
            facts,
            json_pack("{s:s, s:s}", "label", sb_exchange_text(x, label), "value", value));
    }
}

static void date_add(json_t *facts, const sb_exchange_t *x, const char *label,
                     apr_int64_t when)
{
    fact_add(facts, x, label, when ? sb_date_format(when, x->lang, x->pool) : NULL);
}

static json_t *facts_of(const sb_exchange_t *x, const sb_held_t *held)
{
    const sb_subscription_t *sub = held->sub;
    json_t *facts = json_array();

    if (sb_subscription_status_final(sub->status)) {
        date_add(facts, x, "account.ended_on",
                 sub->ended_at ? sub->ended_at : sub->canceled_at);
    }
    else if (held->ends_at) {
        date_add(facts, x, "account.ends_on", held->ends_at);
    }
    else if (sub->status == SB_STATUS_TRIALING) {
        date_add(facts, x, "account.trial_ends_on", sub->trial_end);
    }
    else {
        date_add(facts, x, "account.renews_on", sub->current_period_end);
    }
    if (held->access.granted && held->days_remaining > 0) {
        fact_add(facts, x, "account.remaining", days_text(x, held->days_remaining));
    }
    date_add(facts, x, "account.started_on", sub->created);
    return facts;
}

static void price_add(json_t *entry, const sb_exchange_t *x, const sb_subscription_t *sub)
{
    apr_int64_t quantity = sub->quantity > 0 ? sub->quantity : 1;
    apr_int64_t total;

    if (sub->amount < 0 || !sub->currency ||
        __builtin_mul_overflow(sub->amount, quantity, &total)) {
        return;
    }
    json_object_set_new(
        entry, "price_text",
        json_string(sb_money_format(total, sub->currency, x->lang, x->pool)));
    if (sub->interval) {
        json_object_set_new(
            entry, "interval_text",
            json_string(sb_page_interval(x, sub->interval, sub->interval_count)));
    }
}

static void payment_add(json_t *entry, const sb_exchange_t *x, const sb_held_t *held)
{
    const char *text = NULL;

    switch (held->sub->status) {
    case SB_STATUS_PAST_DUE:
    case SB_STATUS_UNPAID:
        text = "account.past_due";
        break;
    case SB_STATUS_INCOMPLETE:
        text = "account.incomplete";
        break;
    case SB_STATUS_PAUSED:
        text = held->unpaid ? "account.resume_unpaid" : NULL;
        break;
    default:
        text = held->unpaid ? "account.change_unpaid" : NULL;
    }
    if (text) {
        json_object_set_new(entry, "past_due_text",
                            json_string(sb_exchange_text(x, text)));
        json_object_set_new(
            entry, "pay_url",
            sb_invoice_link(held->unpaid ? held->unpaid->hosted_url : NULL));
    }
}

static const char *planned_text(const sb_exchange_t *x, const sb_planned_t *planned)
{
    const sb_catalog_plan_t *plan =
        planned->plan ? sb_catalog_plan(x->server->catalog, planned->plan) : NULL;
    const char *name = plan ? sb_catalog_text(&plan->name, x->lang) : planned->price;
    json_t *args =
        sb_service_own(json_pack("{s:s, s:s}", "plan", name, "date",
                                 sb_date_format(planned->effective_at, x->lang, x->pool)),
                       x->pool);

    return sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang,
                          "account.planned", args, x->pool);
}

static void notices_add(json_t *entry, const sb_exchange_t *x, const sb_held_t *held)
{
    const sb_subscription_t *sub = held->sub;

    if (sb_subscription_status_final(sub->status)) {
        return;
    }
    if (held->ends_at) {
        json_object_set_new(entry, "cancel_notice_text",
                            text_with_date(x, "account.cancel_notice", held->ends_at));
    }
    else if (sub->status == SB_STATUS_TRIALING && sub->trial_end) {
        json_object_set_new(entry, "cancel_notice_text",
                            text_with_date(x, "account.trial_notice", sub->trial_end));
    }
    if (held->planned) {
        json_object_set_new(entry, "planned_text",
                            json_string(planned_text(x, held->planned)));
    }
    if (sub->status == SB_STATUS_PAUSED && !held->unpaid) {
        json_object_set_new(entry, "paused_text",
                            json_string(sb_exchange_text(x, "account.paused")));
    }
    payment_add(entry, x, held);
}

/* The label of the button that takes back what is planned or paused, or NULL. */
static const char *resume_label(const sb_held_t *held)
{
    bool paused = held->sub->status == SB_STATUS_PAUSED;

    return held->ends_at                 ? "account.keep"
           : paused && held->unpaid      ? NULL /* paying it resumes */
           : paused                      ? "account.resume"
           : held->sub->pause_collection ? "account.resume"
           : held->planned               ? "account.keep_plan"
                                         : NULL;
}

/* What may be done about it, each a button. */
static void actions_add(json_t *entry, const sb_exchange_t *x, const sb_held_t *held)
{
    const sb_subscription_t *sub = held->sub;
    const char *label = resume_label(held);
    bool over = sb_subscription_status_final(sub->status);
    bool fine = sub->status == SB_STATUS_ACTIVE || sub->status == SB_STATUS_TRIALING;
    bool can_pause = sub->status == SB_STATUS_ACTIVE && !held->ends_at && held->plan &&
                     held->plan->pause;

    json_object_set_new(entry, "id", json_string(sub->id));
    json_object_set_new(entry, "running", json_boolean(!over));
    json_object_set_new(entry, "resume_label",
                        label && !over ? json_string(sb_exchange_text(x, label))
                                       : json_null());
    json_object_set_new(entry, "can_change", json_boolean(fine && !held->ends_at));
    json_object_set_new(entry, "can_pause", json_boolean(can_pause));
    json_object_set_new(
        entry, "can_cancel",
        json_boolean((fine || sub->status == SB_STATUS_PAST_DUE) && !held->ends_at));
}

static json_t *subscription_of(const sb_exchange_t *x, const sb_held_t *held)
{
    const sb_subscription_t *sub = held->sub;
    bool over = sb_subscription_status_final(sub->status);
    const char *name = held->plan ? sb_catalog_text(&held->plan->name, x->lang) : NULL;
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:b, s:b}", "plan_name", name ? name : sub->id,
                  "status", sb_subscription_status_word(sub->status), "status_text",
                  word_text(x, "status", sb_subscription_status_word(sub->status)),
                  "good", held->access.granted && !held->access.in_grace, "warn",
                  !over && (!held->access.granted || held->access.in_grace));

    price_add(entry, x, sub);
    notices_add(entry, x, held);
    actions_add(entry, x, held);
    json_object_set_new(entry, "facts", facts_of(x, held));
    return entry;
}

/* What runs; when nothing does, the last that ended. */
static json_t *subscriptions_of(const sb_exchange_t *x, const sb_account_view_t *view)
{
    json_t *subscriptions = json_array();

    for (int i = 0; i < view->held_n; i++) {
        const sb_held_t *held = &view->held[i];
        if (i == 0 || !sb_subscription_status_final(held->sub->status)) {
            json_array_append_new(subscriptions, subscription_of(x, held));
        }
    }
    return subscriptions;
}

/* --- invoices ------------------------------------------------------------------------------- */

static json_t *invoices_page(const sb_exchange_t *x, const sb_account_view_t *view)
{
    json_t *invoices = json_array();

    for (int i = 0; i < view->invoices_n; i++) {
        const sb_invoice_t *invoice = &view->invoices[i];
        bool paid = strcmp(invoice->status, "paid") == 0;
        json_array_append_new(
            invoices,
            json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "date_text",
                      sb_date_format(invoice->created_at, x->lang, x->pool), "number",
                      invoice->number ? invoice->number : "", "amount_text",
                      sb_money_format(paid ? invoice->amount_paid : invoice->amount_due,
                                      invoice->currency, x->lang, x->pool),
                      "status_text", word_text(x, "invoice_status", invoice->status),
                      "hosted_url", sb_invoice_link(invoice->hosted_url), "pdf_url",
                      sb_invoice_link(invoice->pdf_url)));
    }
    return invoices;
}

/* --- handlers ------------------------------------------------------------------------------- */

static const char *free_plan_name(const sb_exchange_t *x, const sb_account_view_t *view)
{
    const sb_catalog_plan_t *plan =
        sb_catalog_plan_at(x->server->catalog, view->holding.best);

    return plan && plan->free ? sb_catalog_text(&plan->name, x->lang) : NULL;
}

/* What a button of this page has just done. */
static json_t *done_notice(const sb_exchange_t *x)
{
    static const char *const words[] = {"canceled", "ended",   "resumed",
                                        "paused",   "changed", "planned"};
    const char *done = sb_exchange_query(x, "done");

    for (size_t i = 0; done && i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(done, words[i]) == 0) {
            const char *key = apr_pstrcat(x->pool, "account.done.", done, NULL);
            return json_pack("{s:s, s:n, s:s}", "kind", "info", "title", "text",
                             sb_exchange_text(x, key));
        }
    }
    return json_null();
}

static json_t *free_plan_since(const sb_exchange_t *x, const sb_account_view_t *view)
{
    const sb_catalog_plan_t *plan =
        sb_catalog_plan_at(x->server->catalog, view->holding.best);
    apr_int64_t since = plan && plan->free ? sb_account_member_since(view, plan->key) : 0;

    return since
               ? text_with_date(
                     x, plan->early_access ? "account.early_since" : "account.free_since",
                     since)
               : json_null();
}

static int page(sb_exchange_t *x, const sb_account_view_t *view)
{
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_csrf_issue(x, &result) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    json_t *context = sb_page_context(x, "account.title");
    const char *free_plan = free_plan_name(x, view);
    const char *email = view->email ? view->email : x->email;

    json_object_set_new(context, "has_subscription", json_boolean(view->held_n > 0));
    json_object_set_new(context, "subscriptions", subscriptions_of(x, view));
    json_object_set_new(context, "subscription_runs",
                        json_boolean(view->held_n > 0 && !sb_subscription_status_final(
                                                             view->held[0].sub->status)));
    json_object_set_new(context, "portal_available",
                        json_boolean(view->customer != NULL));
    json_object_set_new(context, "free_plan_name",
                        free_plan ? json_string(free_plan) : json_null());
    json_object_set_new(context, "free_plan_since", free_plan_since(x, view));
    json_object_set_new(context, "notice", done_notice(x));
    json_object_set_new(context, "email", email ? json_string(email) : json_null());
    json_object_set_new(context, "has_invoices", json_boolean(view->invoices_n > 0));
    json_object_set_new(context, "invoices", invoices_page(x, view));
    json_object_set_new(context, "invoice_expected",
                        json_boolean(sb_invoices_expected(view->main)));
    return sb_page_send(x, HTTP_OK, "account", "no-store", context);
}

int sb_account_run(sb_exchange_t *x)
{
    sb_account_view_t *view;
    sb_result_t result;

    if (view_load(&view, &result, x) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    if (x->html) {
        return page(x, view);
    }
    json_t *subscription = sb_account_json(view, x->server->catalog, x->pool);
    return sb_exchange_json(
        x, HTTP_OK,
        json_pack("{s:s, s:s?, s:b, s:O, s:o}", "user", x->user, "email", view->email,
                  "portal_available", view->customer != NULL, "subscription",
                  subscription, "invoices",
                  sb_invoices_json(view->invoices, view->invoices_n)));
}

int sb_subscription_run(sb_exchange_t *x)
{
    sb_account_view_t *view;
    sb_result_t result;

    if (view_load(&view, &result, x) != SB_OK) {
        return sb_problem_send(x->r, &result);
    }
    return sb_exchange_json(
        x, HTTP_OK, json_incref(sb_account_json(view, x->server->catalog, x->pool)));
}
