/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Everything this site knows about one user, in the order in which a person asks: does the door open,
 * for which plans, why (not), what was bought, what was paid, what Stripe said last. */
#include "base/json.h"
#include "ctl/events.h"
#include "ctl/session.h"
#include "domain/identity.h"
#include "service/account.h"
#include "store/goods.h"
#include "text/money.h"

#include <apr_strings.h>
#include <string.h>

enum { EVENTS_SEARCHED = 1000, EVENTS_SHOWN = 10 };

typedef struct show_t {
    const sb_ctl_t *ctl;
    const sb_service_t *service;
    const sb_account_view_t *view;
    json_t *events;
    const sb_purchase_t *purchases;
    int purchases_n;
    const sb_balance_t *balances;
    int balances_n;
} show_t;

/* --- events --------------------------------------------------------------------------------- */

static bool concerns(const sb_account_view_t *view, const char *object)
{
    if (!object) {
        return false;
    }
    if (view->customer && strcmp(object, view->customer) == 0) {
        return true;
    }
    for (int i = 0; i < view->held_n; i++) {
        if (strcmp(object, view->held[i].sub->id) == 0) {
            return true;
        }
    }
    for (int i = 0; i < view->invoices_n; i++) {
        if (strcmp(object, view->invoices[i].id) == 0) {
            return true;
        }
    }
    return false;
}

static bool listed(const json_t *events, const char *id)
{
    size_t i;
    json_t *event;

    json_array_foreach(events, i, event)
    {
        if (strcmp(sb_json_text(event, "id"), id) == 0) {
            return true;
        }
    }
    return false;
}

/* Events carry the object they are about and no user, so the latest are looked through. What spoke
 * last of each subscription is shown however long ago that was. */
static apr_status_t read_events(show_t *show, sb_conn_t *conn, apr_pool_t *pool)
{
    const sb_account_view_t *view = show->view;
    sb_event_row_t *rows, *last;
    int n;
    apr_status_t rv = sb_event_list(&rows, &n, conn, NULL, EVENTS_SEARCHED, pool);

    json_array_clear(show->events);
    for (int i = 0;
         rv == APR_SUCCESS && i < n && json_array_size(show->events) < EVENTS_SHOWN;
         i++) {
        if (concerns(view, rows[i].object_id)) {
            json_array_append_new(show->events, sb_event_json(&rows[i], pool));
        }
    }
    for (int i = 0; rv == APR_SUCCESS && i < view->held_n; i++) {
        const char *id = view->held[i].sub->event_id;
        if (!id || listed(show->events, id)) {
            continue;
        }
        rv = sb_event_get(&last, conn, id, pool);
        if (rv == APR_SUCCESS && last) {
            json_array_append_new(show->events, sb_event_json(last, pool));
        }
    }
    return rv;
}

static apr_status_t read_goods(show_t *show, sb_conn_t *conn, apr_pool_t *pool)
{
    bool live = show->service->settings->live;
    sb_purchase_t *purchases;
    sb_balance_t *balances;
    apr_status_t rv = sb_purchase_list(&purchases, &show->purchases_n, conn,
                                       show->view->user, live, pool);

    show->purchases = purchases;
    if (rv == APR_SUCCESS) {
        rv = sb_balance_list(&balances, &show->balances_n, conn, show->view->user, live,
                             pool);
        show->balances = balances;
    }
    return rv;
}

static apr_status_t read_more(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    apr_status_t rv = read_goods(baton, conn, pool);

    return rv == APR_SUCCESS ? read_events(baton, conn, pool) : rv;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static json_t *held_json(const sb_held_t *held, apr_pool_t *pool)
{
    const sb_subscription_t *sub = held->sub;
    json_t *json = json_object();

    json_object_set_new(json, "id", sb_json_of(sub->id, pool));
    json_object_set_new(json, "customer", sb_json_of(sub->customer, pool));
    json_object_set_new(json, "status", sb_json_of(sub->status_text, pool));
    json_object_set_new(json, "plan",
                        sb_json_of(held->plan ? held->plan->key : NULL, pool));
    json_object_set_new(json, "opens", json_boolean(held->access.granted));
    json_object_set_new(json, "reason", json_string(sb_reason_word(held->access.reason)));
    json_object_set_new(json, "price", sb_json_of(sub->price, pool));
    json_object_set_new(json, "currency", sb_json_of(sub->currency, pool));
    json_object_set_new(json, "interval", sb_json_of(sub->interval, pool));
    json_object_set_new(json, "interval_count", json_integer(sub->interval_count));
    json_object_set_new(json, "amount",
                        sub->amount < 0 ? json_null()
                                        : json_integer((json_int_t)sub->amount));
    json_object_set_new(json, "quantity", json_integer((json_int_t)sub->quantity));
    json_object_set_new(json, "created", sb_json_time(sub->created));
    json_object_set_new(json, "current_period_start",
                        sb_json_time(sub->current_period_start));
    json_object_set_new(json, "current_period_end",
                        sb_json_time(sub->current_period_end));
    json_object_set_new(json, "trial_end", sb_json_time(sub->trial_end));
    json_object_set_new(json, "ends_at", sb_json_time(held->ends_at));
    json_object_set_new(json, "past_due_since", sb_json_time(sub->past_due_since));
    json_object_set_new(json, "days_remaining", json_integer(held->days_remaining));
    return json;
}

static json_t *invoice_json(const sb_invoice_t *invoice, apr_pool_t *pool)
{
    json_t *json = json_object();

    json_object_set_new(json, "id", sb_json_of(invoice->id, pool));
    json_object_set_new(json, "number", sb_json_of(invoice->number, pool));
    json_object_set_new(json, "status", sb_json_of(invoice->status, pool));
    json_object_set_new(json, "currency", sb_json_of(invoice->currency, pool));
    json_object_set_new(json, "amount_due",
                        json_integer((json_int_t)invoice->amount_due));
    json_object_set_new(json, "amount_paid",
                        json_integer((json_int_t)invoice->amount_paid));
    json_object_set_new(json, "created", sb_json_time(invoice->created_at));
    json_object_set_new(json, "subscription", sb_json_of(invoice->subscription, pool));
    return json;
}

/* What SubbillGate would say; key NULL: SubbillGate any. */
static json_t *verdict_json(const show_t *show, const sb_catalog_plan_t *plan)
{
    const sb_catalog_t *catalog = show->service->catalog;
    const sb_requirement_t any = {.any = true};
    const sb_requirement_t named = {
        .plans = plan ? sb_catalog_required_mask(catalog, plan) : 0,
        .named = plan ? &plan->index : NULL,
        .named_n = plan ? 1 : 0,
    };
    sb_verdict_t verdict =
        sb_entitlement_check(catalog, &show->view->holding, plan ? &named : &any);
    const sb_catalog_plan_t *by = sb_catalog_plan_at(catalog, verdict.plan);
    json_t *json = json_object();

    json_object_set_new(json, "gate",
                        sb_json_of(plan ? plan->key : "any", show->ctl->pool));
    json_object_set_new(json, "opens", json_boolean(verdict.granted));
    json_object_set_new(json, "reason", json_string(sb_reason_word(verdict.reason)));
    json_object_set_new(
        json, "by", sb_json_of(verdict.granted && by ? by->key : NULL, show->ctl->pool));
    json_object_set_new(json, "until", sb_json_time(verdict.boundary));
    return json;
}

static json_t *purchases_json(const show_t *show)
{
    json_t *list = json_array();

    for (int i = 0; i < show->purchases_n; i++) {
        const sb_purchase_t *purchase = &show->purchases[i];
        json_t *json = json_object();
        json_object_set_new(json, "sku", sb_json_of(purchase->sku, show->ctl->pool));
        json_object_set_new(json, "owned", json_boolean(purchase->owned));
        json_object_set_new(json, "changed_at", sb_json_time(purchase->changed_at));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *credit_json(const show_t *show)
{
    json_t *list = json_array();

    for (int i = 0; i < show->balances_n; i++) {
        const sb_balance_t *balance = &show->balances[i];
        json_t *json = json_object();
        json_object_set_new(json, "meter", sb_json_of(balance->meter, show->ctl->pool));
        json_object_set_new(json, "units", json_integer(balance->units));
        json_object_set_new(json, "changed_at", sb_json_time(balance->changed_at));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *trial_json(const sb_trial_t *trial, apr_pool_t *pool)
{
    json_t *json = trial ? json_object() : json_null();

    if (trial) {
        json_object_set_new(json, "used_at", sb_json_time(trial->used_at));
        json_object_set_new(json, "plan", sb_json_of(trial->plan, pool));
        json_object_set_new(json, "subscription", sb_json_of(trial->subscription, pool));
        json_object_set_new(json, "source", sb_json_of(trial->source, pool));
    }
    return json;
}

static json_t *user_json(const show_t *show)
{
    const sb_account_view_t *view = show->view;
    const sb_catalog_t *catalog = show->service->catalog;
    apr_pool_t *pool = show->ctl->pool;
    json_t *json = json_object();
    json_t *gates = json_array(), *subscriptions = json_array(), *invoices = json_array();

    json_array_append_new(gates, verdict_json(show, NULL));
    for (int i = 0; i < catalog->plans_n; i++) {
        json_array_append_new(gates, verdict_json(show, &catalog->plans[i]));
    }
    for (int i = 0; i < view->held_n; i++) {
        json_array_append_new(subscriptions, held_json(&view->held[i], pool));
    }
    for (int i = 0; i < view->invoices_n; i++) {
        json_array_append_new(invoices, invoice_json(&view->invoices[i], pool));
    }
    json_object_set_new(json, "user", sb_json_of(view->user, pool));
    json_object_set_new(json, "known", json_boolean(view->known));
    json_object_set_new(json, "mode",
                        json_string(show->service->settings->live ? "live" : "test"));
    json_object_set_new(json, "email", sb_json_of(view->email, pool));
    json_object_set_new(json, "customer", sb_json_of(view->customer, pool));
    json_object_set_new(json, "grace_days", json_integer(show->ctl->options.grace));
    json_object_set_new(json, "trial", trial_json(view->trial, pool));
    json_object_set_new(json, "gates", gates);
    json_object_set_new(json, "subscriptions", subscriptions);
    json_object_set_new(json, "invoices", invoices);
    json_object_set_new(json, "purchases", purchases_json(show));
    json_object_set_new(json, "credit", credit_json(show));
    json_object_set(json, "events", show->events);
    return json;
}

/* --- text ----------------------------------------------------------------------------------- */

static const char *day(const json_t *json, const char *member, apr_pool_t *pool)
{
    return sb_time_text(sb_json_int(json, member, 0), pool);
}

static void print_gates(const sb_ctl_t *ctl, const json_t *gates)
{
    static const char *const heads[] = {"GATE", "OPENS", "REASON", "BY", "UNTIL"};
    sb_table_t *table = sb_table_create(ctl, heads, 5);
    size_t i;
    json_t *gate;

    json_array_foreach(gates, i, gate)
    {
        const char *const cells[] = {
            sb_json_text(gate, "gate"),
            sb_json_bool(gate, "opens", false) ? "yes" : "no",
            sb_json_text(gate, "reason"),
            sb_json_text(gate, "by"),
            day(gate, "until", ctl->pool),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

static void print_subscriptions(const sb_ctl_t *ctl, const json_t *subscriptions)
{
    static const char *const heads[] = {"SUBSCRIPTION", "STATUS",  "PLAN",
                                        "PERIOD ENDS",  "ENDS AT", "PRICE"};
    sb_table_t *table = sb_table_create(ctl, heads, 6);
    size_t i;
    json_t *sub;

    json_array_foreach(subscriptions, i, sub)
    {
        const char *const cells[] = {
            sb_json_text(sub, "id"),        sb_json_text(sub, "status"),
            sb_json_text(sub, "plan"),      day(sub, "current_period_end", ctl->pool),
            day(sub, "ends_at", ctl->pool), sb_json_text(sub, "price"),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

static void print_invoices(const sb_ctl_t *ctl, const json_t *invoices)
{
    static const char *const heads[] = {"INVOICE", "NUMBER", "STATUS",
                                        "DUE",     "PAID",   "CREATED"};
    sb_table_t *table = sb_table_create(ctl, heads, 6);
    size_t i;
    json_t *invoice;

    json_array_foreach(invoices, i, invoice)
    {
        const char *currency = sb_json_text(invoice, "currency");
        const char *const cells[] = {
            sb_json_text(invoice, "id"),
            sb_json_text(invoice, "number"),
            sb_json_text(invoice, "status"),
            sb_money_format(sb_json_int(invoice, "amount_due", 0),
                            currency ? currency : "", "en", ctl->pool),
            sb_money_format(sb_json_int(invoice, "amount_paid", 0),
                            currency ? currency : "", "en", ctl->pool),
            day(invoice, "created", ctl->pool),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

static void print_purchases(const sb_ctl_t *ctl, const json_t *purchases)
{
    static const char *const heads[] = {"PURCHASE", "OWNED", "CHANGED"};
    sb_table_t *table = sb_table_create(ctl, heads, 3);
    size_t i;
    json_t *purchase;

    json_array_foreach(purchases, i, purchase)
    {
        const char *const cells[] = {
            sb_json_text(purchase, "sku"),
            sb_json_bool(purchase, "owned", false) ? "yes" : "no",
            day(purchase, "changed_at", ctl->pool),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

static void print_credit(const sb_ctl_t *ctl, const json_t *credit)
{
    static const char *const heads[] = {"METER", "UNITS", "CHANGED"};
    sb_table_t *table = sb_table_create(ctl, heads, 3);
    size_t i;
    json_t *balance;

    json_array_foreach(credit, i, balance)
    {
        const char *const cells[] = {
            sb_json_text(balance, "meter"),
            apr_psprintf(ctl->pool, "%" APR_INT64_T_FMT,
                         sb_json_int(balance, "units", 0)),
            day(balance, "changed_at", ctl->pool),
        };
        sb_table_add(table, cells);
    }
    sb_table_print(table);
}

static void print_section(const sb_ctl_t *ctl, const json_t *json, const char *member,
                          void (*print)(const sb_ctl_t *ctl, const json_t *list))
{
    const json_t *list = json_object_get(json, member);

    if (json_array_size(list)) {
        sb_print(ctl, "%s", "");
        print(ctl, list);
    }
}

static void print_trial(const sb_ctl_t *ctl, const json_t *trial)
{
    const char *plan = sb_json_text(trial, "plan");

    sb_print_pair(ctl, "Trial",
                  json_is_null(trial) ? "not used"
                                      : apr_psprintf(ctl->pool, "%s, used %s (%s)",
                                                     plan ? plan : "no plan",
                                                     day(trial, "used_at", ctl->pool),
                                                     sb_json_text(trial, "source")));
}

static void print_user(const sb_ctl_t *ctl, const json_t *json)
{
    sb_print_pair(ctl, "User", sb_json_text(json, "user"));
    sb_print_pair(ctl, "Account", sb_json_bool(json, "known", false) ? "yes" : "none");
    sb_print_pair(ctl, "E-mail", sb_json_text(json, "email"));
    sb_print_pair(ctl, "Customer", sb_json_text(json, "customer"));
    sb_print_pair(ctl, "Mode", sb_json_text(json, "mode"));
    print_trial(ctl, json_object_get(json, "trial"));
    print_section(ctl, json, "gates", print_gates);
    print_section(ctl, json, "subscriptions", print_subscriptions);
    print_section(ctl, json, "invoices", print_invoices);
    print_section(ctl, json, "purchases", print_purchases);
    print_section(ctl, json, "credit", print_credit);
    print_section(ctl, json, "events", sb_events_print);
}

sb_exit_e sb_command_user_show(sb_ctl_t *ctl)
{
    sb_service_t *service;
    sb_account_view_t *view;
    sb_result_t result;
    const char *user = ctl->words[0];
    const char *wrong = *user ? sb_identity_check(user) : "it is empty";

    if (wrong) {
        return sb_fail(ctl, SB_EXIT_USAGE, "bad_identity", NULL,
                       "This user name cannot be used: %s.", wrong);
    }
    sb_exit_e status = sb_ctl_service(&service, ctl, false);
    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_account_load(&view, &result, service, user, ctl->options.grace, ctl->pool) !=
        SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    show_t show = {.ctl = ctl, .service = service, .view = view, .events = json_array()};
    if (view->known && sb_db_read(service->db, SB_DEADLINE_INGEST, read_more, &show,
                                  &result, ctl->pool) != SB_OK) {
        json_decref(show.events);
        return sb_fail_result(ctl, &result);
    }
    json_t *json = user_json(&show);
    json_decref(show.events);
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        sb_print_json(json);
    }
    else {
        print_user(ctl, json);
        json_decref(json);
    }
    return view->known ? SB_EXIT_OK : SB_EXIT_FAILED;
}
