/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Two clicks, two hosts, an answer that got lost: a user must still end up with one customer. The
 * idempotency key is derived from the user and the length of the user's history in link_audit, so
 * that Stripe answers repeated creations with the same customer; and the table takes only one
 * living customer per user, so that whoever comes second uses the one that is there. Every
 * binding and release makes the history longer, and so does every error that Stripe answered with,
 * which it would only repeat for the old key; a lost answer does not. */
#include "service/patron.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "domain/identity.h"
#include "service/asserted.h"
#include "store/accounts.h"
#include "store/customers.h"
#include "store/links.h"
#include "stripe/customers.h"

#include <apr_strings.h>
#include <string.h>

typedef struct patron_t {
    const char *user;
    const char *email;
    bool livemode;
    const char *gone;    /* to be marked as deleted */
    const char *created; /* to be bound */
    const char *failure; /* why Stripe made none */
    apr_int64_t now;
    apr_int64_t history;
    const char *customer; /* the user's, afterwards */
} patron_t;

static apr_status_t find(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    patron_t *patron = baton;
    sb_customer_t *row = NULL;
    apr_status_t rv =
        sb_customer_by_user(&row, conn, patron->user, patron->livemode, pool);

    patron->customer = row ? row->id : NULL;
    return rv == APR_SUCCESS && !row
               ? sb_link_history_length(&patron->history, conn, patron->user,
                                        patron->livemode, pool)
               : rv;
}

static apr_status_t forget(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    patron_t *patron = baton;
    const sb_asserted_t gone = {
        .what = SB_ASSERTED_GONE,
        .customer = patron->gone,
        .user = patron->user,
        .livemode = patron->livemode,
    };
    apr_status_t rv = sb_asserted_store(conn, &gone, pool);

    return rv == APR_SUCCESS ? find(patron, conn, pool) : rv;
}

static apr_status_t bind_created(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    patron_t *patron = baton;
    const sb_asserted_t made = {
        .what = SB_ASSERTED_MADE,
        .customer = patron->created,
        .user = patron->user,
        .who = patron->user,
        .livemode = patron->livemode,
    };
    apr_status_t rv =
        sb_account_ensure(conn, patron->user, patron->email, patron->now, pool);

    if (rv == APR_SUCCESS) {
        rv = sb_asserted_store(conn, &made, pool);
    }
    return rv == APR_SUCCESS ? find(patron, conn, pool) : rv;
}

static apr_status_t note_failure(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const patron_t *patron = baton;

    return sb_link_history_add(conn, patron->user, patron->livemode,
                               apr_psprintf(pool, "not made: %.40s", patron->failure),
                               "stripe", patron->now, pool);
}

/* The parameters are part of the key: Stripe refuses a key that comes back with others. */
static const char *creation_key(const char *token, const patron_t *patron,
                                const sb_stripe_customer_t *create, apr_pool_t *pool)
{
    char digest[SB_HMAC_HEX_LENGTH + 1];
    const char *text = apr_pstrcat(
        pool, "customer\n", patron->user, "\n", patron->livemode ? "live" : "test", "\n",
        create->email ? create->email : "", "\n", create->locale ? create->locale : "",
        apr_psprintf(pool, "\n%" APR_INT64_T_FMT, patron->history), NULL);
    const void *parts[] = {text};
    const apr_size_t lengths[] = {strlen(text)};

    if (!sb_hmac_sha256_hex(digest, token, strlen(token), parts, lengths, 1)) {
        return NULL;
    }
    return apr_pstrcat(pool, "subbill-customer-", digest, NULL);
}

static void remember_failure(patron_t *patron, sb_status_e status,
                             const sb_result_t *result, const json_t *error,
                             sb_service_t *service, apr_pool_t *pool)
{
    sb_result_t ignored;

    sb_result_clear(&ignored);
    patron->failure = result->code;
    if (sb_stripe_key_spent(status, error)) {
        sb_db_transaction(service->db, SB_DEADLINE_PAGE, note_failure, patron, &ignored,
                          pool);
    }
}

static sb_status_e create(patron_t *patron, sb_result_t *result, sb_service_t *service,
                          const char *locale, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    const char *token;
    json_t *customer = NULL;
    const sb_stripe_customer_t wanted = {
        .user = patron->user, .email = patron->email, .locale = locale};

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_service_token_key(&token, result, service, pool);
    if (status == SB_OK) {
        status =
            sb_stripe_customer_create(&customer, result, stripe, &wanted,
                                      creation_key(token, patron, &wanted, pool), pool);
    }
    if (status != SB_OK) {
        remember_failure(patron, status, result, customer, service, pool);
        return status;
    }
    patron->created = apr_pstrdup(pool, sb_json_text(customer, "id"));
    status = sb_db_transaction(service->db, SB_DEADLINE_PAGE, bind_created, patron,
                               result, pool);
    if (status == SB_OK && !patron->customer) {
        return sb_result_set(result, SB_CONFLICT, "customer_bound_elsewhere",
                             "The customer at the payment service belongs to another "
                             "account.",
                             "ask the people who run this site");
    }
    return status;
}

sb_status_e sb_patron_ensure(const char **customer, sb_result_t *result,
                             sb_service_t *service, const char *user, const char *email,
                             const char *locale, const char *gone, apr_pool_t *pool)
{
    patron_t patron = {
        .user = user,
        .email = email && sb_email_valid(email) ? email : NULL,
        .livemode = service->settings->live,
        .gone = gone,
        .now = sb_clock_now(),
    };
    sb_status_e status;

    *customer = NULL;
    if (gone) {
        sb_log(SB_LOG_WARNING, 0, "SB405",
               "customer %s of user %s is missing at Stripe; another one replaces it",
               gone, user);
        status = sb_db_transaction(service->db, SB_DEADLINE_PAGE, forget, &patron, result,
                                   pool);
    }
    else {
        status = sb_db_read(service->db, SB_DEADLINE_PAGE, find, &patron, result, pool);
    }
    if (status == SB_OK && !patron.customer) {
        /* preferred_locales takes languages, not Checkout's "auto". */
        const char *language = locale && strcmp(locale, "auto") != 0 ? locale : NULL;
        status = create(&patron, result, service, language, pool);
    }
    *customer = patron.customer;
    return status;
}

bool sb_patron_missing(sb_status_e status, const json_t *error)
{
    const char *param = sb_json_text(error, "param");

    return status == SB_NOT_FOUND && param && strcmp(param, "customer") == 0;
}
