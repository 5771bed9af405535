/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_SUBSCRIPTION_H
#define SB_DOMAIN_SUBSCRIPTION_H

#include "domain/reason.h"

#include <apr_pools.h>
#include <stdbool.h>

/* A subscription as mirrored from Stripe, and the two questions asked of it: does it open the
 * door now, and may this statement replace that one. All times are Unix seconds, 0 = none. */

typedef enum {
    SB_STATUS_UNKNOWN = 0, /* a word this version does not know: grants nothing */
    SB_STATUS_INCOMPLETE,
    SB_STATUS_INCOMPLETE_EXPIRED,
    SB_STATUS_TRIALING,
    SB_STATUS_ACTIVE,
    SB_STATUS_PAST_DUE,
    SB_STATUS_UNPAID,
    SB_STATUS_PAUSED,
    SB_STATUS_CANCELED
} sb_subscription_status_e;

/* Words of the column and of events' rows: where a statement came from. */
#define SB_SOURCE_WEBHOOK "webhook"
#define SB_SOURCE_EVENTS                                                                 \
    "events" /* a missed webhook, read from Stripe's list of events */
#define SB_SOURCE_RETURN   "return" /* fetched by the success page */
#define SB_SOURCE_FETCH    "fetch"
#define SB_SOURCE_SYNC     "sync"
#define SB_SOURCE_OPERATOR "operator"
#define SB_SOURCE_ACTION   "action" /* the answer to what a user asked for */

typedef struct sb_subscription_item_t {
    const char *id;
    const char *price;
    const char *product;  /* or NULL */
    const char *currency; /* or NULL */
    const char *interval; /* or NULL: not recurring */
    int interval_count;
    apr_int64_t amount; /* minor units per unit; -1: tiered or not a whole number */
    apr_int64_t quantity;
    apr_int64_t period_start;
    apr_int64_t period_end;
    const char *lookup_key; /* of the price; kept in the price's own row */
    const char
        *metadata_plan; /* subbill_plan of the price or expanded product; not stored */
    const char *remembered; /* plan key that the tables keep for the price or product;
                               NULL in what Stripe said */
} sb_subscription_item_t;

typedef struct sb_subscription_t {
    const char *id;
    bool livemode;
    const char
        *user; /* whom it belongs to here; NULL: nobody yet. Never read from an event */
    const char *customer;
    sb_subscription_status_e status;
    const char *status_text; /* Stripe's word */
    const char *plan;        /* catalogue key; NULL: unmapped */
    const char *price;       /* these six come from the item that maps to the plan */
    const char *product;
    const char *currency;
    const char *interval;
    int interval_count;
    apr_int64_t amount; /* minor units per unit; -1: tiered or not a whole number */
    apr_int64_t quantity;
    apr_int64_t created;
    apr_int64_t current_period_start;
    apr_int64_t current_period_end;
    apr_int64_t trial_start;
    apr_int64_t trial_end;
    apr_int64_t cancel_at;
    bool cancel_at_period_end;
    apr_int64_t canceled_at;
    apr_int64_t ended_at;
    apr_int64_t past_due_since;   /* ours: see sb_subscription_inherit() */
    const char *pause_collection; /* behavior, or NULL */
    bool disputed; /* ours: a dispute closes it. Never read from an event */
    const char *latest_invoice;
    apr_int64_t
        event_created; /* Stripe's time of the statement; when fetched, of the answer */
    const char *event_id; /* NULL: fetched */
    const char *source;   /* SB_SOURCE_… */
    const sb_subscription_item_t *items;
    int items_n;

    /* What the metadata claims; the service decides what to believe. Not stored. */
    const char *metadata_user;     /* subbill_user */
    const char *metadata_checkout; /* subbill_checkout */
    const char *metadata_plan;     /* subbill_plan: what was bought first */
} sb_subscription_t;

/* The part of a subscription (or of an operator's grant: active, cancel_at = its end) that
 * decides about access. */
typedef struct sb_standing_t {
    sb_subscription_status_e status;
    apr_int64_t current_period_end;
    apr_int64_t trial_end;
    apr_int64_t cancel_at;
    bool cancel_at_period_end;
    apr_int64_t past_due_since;
    sb_reason_e
        hold; /* why it opens nothing although the status would: SB_REASON_DISPUTED,
                       * SB_REASON_PAUSED; SB_REASON_OK: nothing holds it */
} sb_standing_t;

typedef struct sb_access_t {
    bool granted;
    bool in_grace;      /* granted although past_due */
    sb_reason_e reason; /* SB_REASON_OK when granted */
    apr_int64_t
        boundary; /* the first moment at which time alone may change this; 0: never */
} sb_access_t;

/* Stripe's word to the enum (SB_STATUS_UNKNOWN for any other, or NULL) and back. */
sb_subscription_status_e sb_subscription_status(const char *word);
const char *sb_subscription_status_word(sb_subscription_status_e status);

/* canceled and incomplete_expired: over for ever. */
bool sb_subscription_status_final(sb_subscription_status_e status);

/* Its item's own period end counts where one is given; NULL: the subscription's. A paused collection is the
 * catalogue's to judge and holds nothing here. */
sb_standing_t sb_subscription_standing(const sb_subscription_t *sub,
                                       const sb_subscription_item_t *item);

/* Does it open the door at now? grace_days: how long past_due still does (SubbillGrace). */
sb_access_t sb_standing_access(const sb_standing_t *standing, apr_int64_t now,
                               int grace_days);
sb_access_t sb_subscription_access(const sb_subscription_t *sub, apr_int64_t now,
                                   int grace_days);

/* When it ends if nothing else happens: cancel_at, or the period end when cancel_at_period_end,
 * or ended_at; 0: it renews. */
apr_int64_t sb_subscription_ends_at(const sb_subscription_t *sub);

/* Whole days, rounded up, to its end or else to the end of the period; 0 when over. */
int sb_subscription_days_remaining(const sb_subscription_t *sub, apr_int64_t now);

/* What is to be done with a statement about a subscription that is already stored. */
typedef enum {
    SB_ORDER_IGNORE,          /* older, impossible, or says nothing new */
    SB_ORDER_APPLY,           /* newer */
    SB_ORDER_APPLY_AND_FETCH, /* same second, open: apply, because it grants less; then fetch */
    SB_ORDER_IGNORE_AND_FETCH /* same second, open: keep what is stored; then fetch */
} sb_order_e;

/* How the statement came. */
typedef struct sb_order_hints_t {
    bool fetched; /* the object itself was read from the API (return, fetch, sync) */
    bool created_event; /* customer.subscription.created: nothing can come before it */
    bool follows; /* sb_event_follows(): its previous_attributes are what is stored */
} sb_order_hints_t;

/* Never goes back in time: final states stay, incomplete is never entered again, an older
 * event_created loses. stored NULL: SB_ORDER_APPLY. The result does not depend on the order in
 * which statements of different seconds arrive. */
sb_order_e sb_subscription_order(const sb_subscription_t *stored,
                                 const sb_subscription_t *incoming,
                                 sb_order_hints_t hints);

/* The same as yes or no: may incoming replace stored? */
bool sb_subscription_supersedes(const sb_subscription_t *stored,
                                const sb_subscription_t *incoming,
                                sb_order_hints_t hints);

/* Its customer was deleted then, and it with it: what it says itself of its end is kept. */
void sb_subscription_entomb(sb_subscription_t *sub, apr_int64_t at);

/* Fills what an event does not say before incoming replaces stored (NULL: first seen): the user,
 * and past_due_since, which starts at the first statement that says past_due. told: when that was
 * said, which for a fetched object is now, since it may be months older than its trouble. */
void sb_subscription_inherit(sb_subscription_t *incoming, const sb_subscription_t *stored,
                             apr_int64_t told);

/* An older statement about the same unpaid invoice comes after a newer one: it replaces nothing, but
 * past_due began no later than told. True when that moved stored->past_due_since. */
bool sb_subscription_backdate(sb_subscription_t *stored,
                              const sb_subscription_t *incoming, apr_int64_t told);

#endif
