/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/asserted.h"

#include "base/crypto.h"
#include "base/json.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/events.h"
#include "store/goods.h"
#include "store/trials.h"

#include <apr_strings.h>
#include <string.h>

enum { ID_BYTES = 16 };

/* No type of Stripe's begins like this, and none is taken from a webhook. */
static const struct {
    const char *type;
    const char *source;
    const char *word; /* begins the event's id */
} kinds[] = {
    [SB_ASSERTED_MADE] = {"subbill.customer.made", SB_SOURCE_CHECKOUT, "made"},
    [SB_ASSERTED_GONE] = {"subbill.customer.gone", SB_SOURCE_CHECKOUT, "gone"},
    [SB_ASSERTED_MOVED] = {"subbill.customer.moved", SB_SOURCE_OPERATOR, "moved"},
    [SB_ASSERTED_TRIAL] = {"subbill.trial.marked", SB_SOURCE_OPERATOR, "trial"},
    [SB_ASSERTED_PURCHASE] = {"subbill.purchase.set", SB_SOURCE_OPERATOR, "purchase"},
    [SB_ASSERTED_CREDIT] = {"subbill.credit.set", SB_SOURCE_OPERATOR, "credit"},
};
#define KINDS (int)(sizeof(kinds) / sizeof(*kinds))

static apr_status_t mark_trial(sb_conn_t *conn, const sb_asserted_t *asserted,
                               apr_int64_t now, apr_pool_t *pool)
{
    const sb_trial_t trial = {
        .user = asserted->user,
        .livemode = asserted->livemode,
        .used_at = now,
        .source = kinds[asserted->what].source,
    };

    return sb_trial_mark(NULL, conn, &trial, pool);
}

static apr_status_t set_purchase(sb_conn_t *conn, const sb_asserted_t *asserted,
                                 apr_int64_t now, apr_pool_t *pool)
{
    const sb_purchase_t purchase = {
        .sku = asserted->key, .owned = asserted->units > 0, .changed_at = now};

    apr_status_t rv = sb_account_ensure(conn, asserted->user, NULL, now, pool);

    return rv ? rv
              : sb_purchase_put(conn, asserted->user, &purchase, asserted->livemode,
                                pool);
}

static apr_status_t set_credit(sb_conn_t *conn, const sb_asserted_t *asserted,
                               apr_int64_t now, apr_pool_t *pool)
{
    const sb_balance_t balance = {
        .meter = asserted->key, .units = asserted->units, .changed_at = now};

    apr_status_t rv = sb_account_ensure(conn, asserted->user, NULL, now, pool);

    return rv ? rv
              : sb_balance_put(conn, asserted->user, &balance, asserted->livemode, pool);
}

static apr_status_t carry_out(sb_conn_t *conn, const sb_asserted_t *asserted,
                              apr_int64_t now, apr_pool_t *pool)
{
    sb_bind_e outcome;

    switch (asserted->what) {
    case SB_ASSERTED_GONE:
        if (asserted->user) {
            sb_epoch_touch(conn, asserted->user);
        }
        return sb_customer_mark_deleted(conn, asserted->customer, asserted->livemode, now,
                                        pool);
    case SB_ASSERTED_MOVED:
        return sb_customer_rebind(conn, asserted->customer, asserted->livemode,
                                  asserted->user, asserted->who, now, pool);
    case SB_ASSERTED_TRIAL:
        return mark_trial(conn, asserted, now, pool);
    case SB_ASSERTED_PURCHASE:
        return set_purchase(conn, asserted, now, pool);
    case SB_ASSERTED_CREDIT:
        return set_credit(conn, asserted, now, pool);
    case SB_ASSERTED_MADE:
        break;
    }
    return sb_customer_bind(&outcome, conn, asserted->customer, asserted->livemode,
                            asserted->user, kinds[asserted->what].source, asserted->who,
                            now, pool);
}

static bool is_about_customer(sb_asserted_e what)
{
    return what == SB_ASSERTED_MADE || what == SB_ASSERTED_GONE ||
           what == SB_ASSERTED_MOVED;
}

/* A customer is made once and gone once; all else may be said again. */
static const char *event_id(const sb_asserted_t *asserted, apr_pool_t *pool)
{
    bool once = asserted->what == SB_ASSERTED_MADE || asserted->what == SB_ASSERTED_GONE;
    const char *about = once ? asserted->customer : sb_random_hex(ID_BYTES, pool);

    return about ? apr_psprintf(pool, "%s:%.240s", kinds[asserted->what].word, about)
                 : NULL;
}

static const char *event_body(const sb_asserted_t *asserted, const char *id,
                              apr_int64_t now, apr_pool_t *pool)
{
    const char *object =
        is_about_customer(asserted->what) ? "customer" : kinds[asserted->what].word;
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:I, s:b, s:{s:{s:s*, s:s, s:s?, s:s?, s:s*}}}", "id",
                  id, "object", "event", "type", kinds[asserted->what].type, "created",
                  (json_int_t)now, "livemode", asserted->livemode, "data", "object", "id",
                  asserted->customer, "object", object, "user", asserted->user, "who",
                  asserted->who, "key", asserted->key);

    if (json && asserted->key) {
        json_object_set_new(json_object_get(json_object_get(json, "data"), "object"),
                            "units", json_integer(asserted->units));
    }
    return json ? sb_json_dump(sb_service_own(json, pool), pool) : NULL;
}

apr_status_t sb_asserted_store(sb_conn_t *conn, const sb_asserted_t *asserted,
                               apr_pool_t *pool)
{
    const char *id = event_id(asserted, pool);
    apr_time_t now = apr_time_now();
    apr_int64_t second = apr_time_sec(now);
    const char *body = id ? event_body(asserted, id, second, pool) : NULL;
    const sb_event_row_t row = {
        .id = id,
        .type = kinds[asserted->what].type,
        .livemode = asserted->livemode,
        .object_id = asserted->customer,
        .created_at = second,
        .received_at = second,
        .arrival = (int)apr_time_usec(now),
        .state = SB_EVENT_DONE,
        .attempts = 1,
        .source = kinds[asserted->what].source,
    };
    bool inserted;

    if (!body) {
        return APR_EGENERAL;
    }
    apr_status_t rv = sb_event_insert(&inserted, NULL, conn, &row, body, pool);
    return rv == APR_SUCCESS ? carry_out(conn, asserted, second, pool) : rv;
}

/* --- once more ---------------------------------------------------------------------------------- */

static int kind_of(const char *type)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            return i;
        }
    }
    return -1;
}

static apr_status_t apply_asserted(sb_apply_t *apply)
{
    const sb_event_t *event = apply->event;
    const sb_asserted_t asserted = {
        .what = (sb_asserted_e)kind_of(event->type),
        .customer = event->object_id,
        .user = sb_json_text(event->object, "user"),
        .who = sb_json_text(event->object, "who"),
        .key = sb_json_text(event->object, "key"),
        .units = sb_json_int(event->object, "units", 0),
        .livemode = event->livemode,
    };
    bool keyed =
        asserted.what == SB_ASSERTED_PURCHASE || asserted.what == SB_ASSERTED_CREDIT;

    if ((!asserted.customer && is_about_customer(asserted.what)) ||
        (!asserted.user && asserted.what != SB_ASSERTED_GONE) ||
        (keyed && !asserted.key)) {
        return sb_apply_end(apply, SB_APPLY_FAILED, "bad_object",
                            "it does not say what and whom it is about");
    }
    if (asserted.what == SB_ASSERTED_CREDIT) {
        return APR_SUCCESS; /* some of it has been spent since: a balance is not rebuilt */
    }
    return carry_out(apply->conn, &asserted, apply->now, apply->pool);
}

sb_apply_fn sb_asserted_find(const char *type, const char *source)
{
    int kind = kind_of(type);

    return kind >= 0 && source && strcmp(source, kinds[kind].source) == 0 ? apply_asserted
                                                                          : NULL;
}
