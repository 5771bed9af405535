/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_STRIPE_EVENT_H
#define SB_DOMAIN_STRIPE_EVENT_H

#include "domain/catalog.h"
#include "domain/subscription.h"

#include <jansson.h>

/* From events and objects of any API version (2020-08-27 and later) to facts. The objects of the
 * API are read by the same functions. Each reader copies its texts into pool, checks ids
 * (^[A-Za-z0-9_]{1,255}$; prices and products, whose ids their makers may choose, also take
 * "-.:") and integers, and answers SB_INVALID with code "bad_object" and the name of the field
 * when something is not what it must be. Members that the object does not have are NULL, 0 or
 * false. Expandable fields may be ids or objects. */

typedef struct sb_event_t {
    const char *id;
    const char *type;
    const char *api_version; /* NULL: thin */
    const char *account;     /* connected account, or NULL */
    apr_int64_t created;
    bool livemode;
    bool thin;        /* v2.core.event: names its object instead of holding it */
    const char *kind; /* "subscription", "checkout.session", "invoice", … or NULL */
    const char *object_id;  /* NULL: the object has none (invoice.upcoming) */
    const json_t *object;   /* data.object; NULL: thin */
    const json_t *previous; /* data.previous_attributes, or NULL */
    /* Of an object that the return page read, or an act before its last call: the time of the newest
     * statement that was stored when it asked, so that what is told meanwhile wins; 0: none was. */
    apr_int64_t seen;
    const char *seen_event; /* of an act: the id of that statement, or NULL */
} sb_event_t;

/* The envelope. Pointers are borrowed from json. SB_INVALID, code "not_an_event", when it is
 * none. Unknown types are fine. */
sb_status_e sb_event_parse(sb_event_t *event, sb_result_t *result, const json_t *json,
                           apr_pool_t *pool);

/* The same for what this server has kept: the id may be one it made itself ("fetch:sub_…:evt_…"). */
sb_status_e sb_event_parse_kept(sb_event_t *event, sb_result_t *result,
                                const json_t *json, apr_pool_t *pool);

/* ^[A-Za-z0-9_]{1,255}$ */
bool sb_stripe_id_valid(const char *id);

/* A subscription. The period is the object's own, or that of the item whose period ends last.
 * price…quantity are those of the first item, plan is NULL: call sb_subscription_map() next.
 * user stays NULL; event_created, event_id and source are the caller's to set. */
sb_status_e sb_event_subscription(sb_subscription_t *sub, sb_result_t *result,
                                  const json_t *object, apr_pool_t *pool);

/* Finds the plan: of the items that map, the one with the highest rank gives plan, price,
 * product, currency, interval, amount and quantity. remembered (may be NULL) answers which plan a
 * price id had when it was last seen. False: unmapped, plan is NULL. */
typedef const char *(*sb_price_memory_fn)(void *baton, const char *price);
bool sb_subscription_map(sb_subscription_t *sub, const sb_catalog_t *catalog,
                         sb_price_memory_fn remembered, void *baton);

/* True when every key of the event's previous_attributes that we mirror has the value that is
 * stored, and there is at least one: then this update came directly after what is stored. */
bool sb_event_follows(const sb_event_t *event, const sb_subscription_t *stored);

typedef struct sb_checkout_facts_t {
    const char *id;
    bool livemode;
    const char *mode;           /* subscription, payment, setup */
    const char *status;         /* open, complete, expired; NULL before 2021 */
    const char *payment_status; /* paid, unpaid, no_payment_required */
    const char *customer;
    const char *subscription;
    const char *invoice;
    const char *payment_intent;
    const char *client_reference_id;
    const char *metadata_user;     /* subbill_user */
    const char *metadata_checkout; /* subbill_checkout */
    const char *currency;
    apr_int64_t amount_total; /* minor units, tax and discounts included */
    apr_int64_t created;
    apr_int64_t expires_at;
    const char *url;   /* hosted page while open */
    const char *email; /* what the buyer typed; binds nobody */
} sb_checkout_facts_t;
sb_status_e sb_event_checkout_session(sb_checkout_facts_t *facts, sb_result_t *result,
                                      const json_t *object, apr_pool_t *pool);

typedef struct sb_invoice_facts_t {
    const char *id; /* NULL: upcoming, must not be stored */
    bool livemode;
    const char *customer;
    const char *subscription;
    const char *status; /* draft, open, paid, void, uncollectible */
    bool paid;          /* by status, or by the old flag */
    const char *currency;
    apr_int64_t amount_due; /* minor units; may be negative */
    apr_int64_t amount_paid;
    apr_int64_t amount_remaining;
    apr_int64_t total;
    const char *hosted_url;
    const char *pdf_url;
    const char *number;
    const char *billing_reason;
    apr_int64_t created;
    apr_int64_t paid_at;
    apr_int64_t attempt_count;
    apr_int64_t next_payment_attempt; /* 0: no more tries */
    apr_int64_t period_start;
    apr_int64_t period_end;
    const char *payment_intent; /* before basil, or when payments are expanded */
    const char *metadata_user;  /* subbill_user of its subscription */
} sb_invoice_facts_t;
sb_status_e sb_event_invoice(sb_invoice_facts_t *facts, sb_result_t *result,
                             const json_t *object, apr_pool_t *pool);

typedef struct sb_customer_facts_t {
    const char *id;
    bool livemode;
    bool deleted;
    const char *email;
    const char *name;
    const char *payment_method; /* the default for invoices, or NULL */
    apr_int64_t created;
    const char *metadata_user; /* subbill_user */
} sb_customer_facts_t;
sb_status_e sb_event_customer(sb_customer_facts_t *facts, sb_result_t *result,
                              const json_t *object, apr_pool_t *pool);

typedef struct sb_price_facts_t {
    const char *id;
    bool livemode;
    bool active;
    const char *product;
    const char *currency;
    apr_int64_t amount;   /* minor units; -1: tiered or not a whole number */
    const char *interval; /* NULL: one time */
    int interval_count;
    const char *lookup_key;
    const char *metadata_plan; /* subbill_plan, its own or its expanded product's */
} sb_price_facts_t;
sb_status_e sb_event_price(sb_price_facts_t *facts, sb_result_t *result,
                           const json_t *object, apr_pool_t *pool);

typedef struct sb_product_facts_t {
    const char *id;
    bool livemode;
    bool active;
    const char *name;
    const char *metadata_plan; /* subbill_plan */
} sb_product_facts_t;
sb_status_e sb_event_product(sb_product_facts_t *facts, sb_result_t *result,
                             const json_t *object, apr_pool_t *pool);

#endif
