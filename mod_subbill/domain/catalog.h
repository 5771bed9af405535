/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_CATALOG_H
#define SB_DOMAIN_CATALOG_H

#include "base/result.h"

#include <apr_pools.h>
#include <stdbool.h>

/* The catalogue: what is sold, for how much, and who ranks above whom. Read once at start from one
 * JSON file (conf/catalog.schema.json), checked completely, then never changed: every pointer below
 * lives as long as the pool it was parsed into and may be shared by threads.
 *
 * A plan's place in plans[] is its index, which is also its bit in a bitmap of plans. */

#define SB_CATALOG_PLANS_MAX  64
#define SB_CATALOG_KEYS_MAX   64            /* entitlements that have a bit */
#define SB_CATALOG_BYTES_MAX  (1024 * 1024) /* of the file */
#define SB_CATALOG_AMOUNT_MAX 99999999      /* Stripe's largest amount, minor units */

/* A text in one or several languages. */
typedef struct sb_localised_t {
    const char *lang; /* "de", "pt-br" in lower case; NULL: written without a language */
    const char *text;
} sb_localised_t;

typedef struct sb_text_t {
    const sb_localised_t *entries; /* in the file's order */
    int n;                         /* 0: not given */
} sb_text_t;

/* An id of Stripe's per mode; both are equal when the file gives one text. NULL: none. */
typedef struct sb_mode_id_t {
    const char *test;
    const char *live;
} sb_mode_id_t;

typedef struct sb_catalog_limit_t {
    const char *name;   /* e.g. "projects", "storage" */
    const char *text;   /* "5 GB" as written, or NULL */
    apr_int64_t number; /* when text is NULL and unlimited is false */
    bool unlimited;     /* null in the file */
} sb_catalog_limit_t;

typedef struct sb_catalog_price_t {
    int plan;               /* index of its plan */
    int position;           /* its place in that plan's prices */
    sb_mode_id_t id;        /* "price_…" */
    const char *lookup_key; /* or NULL */
    const char *interval;   /* "day", "week", "month" or "year" */
    int interval_count;     /* every n intervals, 1 unless said */
    const char *currency;   /* ISO 4217, lower case */
    apr_int64_t amount;     /* minor units, 0…SB_CATALOG_AMOUNT_MAX */
    int plan_id;            /* the number clients may name it by; 0: none */
} sb_catalog_price_t;

/* When a change of plan takes effect. */
typedef enum { SB_MOMENT_NOW, SB_MOMENT_PERIOD_END } sb_catalog_moment_e;

#define SB_CATALOG_SEATS_MAX 10000

typedef struct sb_catalog_plan_t {
    int index;
    const char *key; /* [a-z0-9][a-z0-9_-]{0,63}; never "any" or "off" */
    sb_text_t name;  /* always given */
    sb_text_t description;
    const char *group;
    int rank;  /* unique in its group; more is more */
    bool free; /* costs nothing and never becomes a Stripe subscription */
    bool
        is_default; /* every identified user who has nothing better in the group holds it */
    bool early_access; /* free and default for now, without any Stripe object (A9) */
    bool hidden;       /* valid, but not shown for sale */
    int trial_days;    /* 0: no trial */
    bool trial_without_card;       /* "trial_card": "none" */
    bool pause;                    /* its subscribers may pause */
    sb_catalog_moment_e upgrade;   /* when whoever leaves it for more gets it */
    sb_catalog_moment_e downgrade; /* … or for less */
    int seats_min;                 /* 0: no seats, the quantity is one */
    int seats_max;
    bool pause_closes;   /* a paused collection (pause_collection) closes the door */
    const char *contact; /* mailto:, http(s): or a path: sold by talking; NULL: none */
    sb_mode_id_t product;
    const sb_text_t *features;
    int features_n;
    const sb_catalog_limit_t *limits;
    int limits_n;
    const char *const *entitlements; /* feature keys */
    int entitlements_n;
    const char *entitlements_text; /* the same, joined by commas; never NULL */
    apr_uint64_t entitled;         /* the bits of those that have one */
    const sb_catalog_price_t *prices;
    int prices_n;
} sb_catalog_plan_t;

/* Options that every Checkout session gets. */
typedef struct sb_catalog_checkout_t {
    bool promotion_codes;
    bool automatic_tax;
    bool tax_id_collection;
    const char *billing_address_collection; /* "auto", "required", or NULL: not sent */
    const char *consent_terms_of_service;   /* "required", "none", or NULL */
    const char *consent_promotions;         /* "auto", "none", or NULL */
    const char *locale;                     /* "auto", "de", …, or NULL */
} sb_catalog_checkout_t;

typedef struct sb_catalog_t {
    int version;          /* as written, 1 unless said */
    const char *currency; /* default of prices, or NULL */
    bool usage_flat;      /* "usage": "flat" */
    bool pause_closes;    /* what plans do that do not say */
    const sb_catalog_price_t
        *default_price; /* bought when a checkout names nothing; or NULL */
    sb_catalog_checkout_t checkout;
    const sb_catalog_plan_t *plans;
    int plans_n;
    /* Entitlements that have a bit: those of the plans, then those that doors name besides. */
    const char *keys[SB_CATALOG_KEYS_MAX];
    int keys_n;
} sb_catalog_t;

/* Reads and checks the text of a catalogue. On success *catalog lives in pool. Else SB_INVALID
 * with code "bad_catalog", a message that starts with the path of the first offending value
 * ("plans[2].prices[0].amount: …"), says what was found and what is meant, and often a hint. */
sb_status_e sb_catalog_parse(sb_catalog_t **catalog, sb_result_t *result,
                             const char *text, apr_size_t length, apr_pool_t *pool);

/* Lookups; NULL when there is none. Keys are compared byte by byte. */
const sb_catalog_plan_t *sb_catalog_plan(const sb_catalog_t *catalog, const char *key);
const sb_catalog_plan_t *sb_catalog_plan_at(const sb_catalog_t *catalog, int index);
const sb_catalog_plan_t *sb_catalog_default_plan(const sb_catalog_t *catalog,
                                                 const char *group);
const sb_catalog_price_t *sb_catalog_price_by_id(const sb_catalog_t *catalog,
                                                 const char *id, bool livemode);
const sb_catalog_price_t *sb_catalog_price_by_lookup_key(const sb_catalog_t *catalog,
                                                         const char *lookup_key);
const sb_catalog_price_t *sb_catalog_price_by_plan_id(const sb_catalog_t *catalog,
                                                      int plan_id);
/* A price of plan; interval and currency may each be NULL, which leaves the choice to the file's
 * order. interval is one of Stripe's words; prices of count 1 go before others. */
const sb_catalog_price_t *sb_catalog_price_of(const sb_catalog_plan_t *plan,
                                              const char *interval, const char *currency);

/* The bit's number of an entitlement; -1: it has none. */
int sb_catalog_key(const sb_catalog_t *catalog, const char *key);

/* The same, and it gets one when there is room. key must outlive the catalogue. While the configuration is
 * read only: afterwards threads share it. */
int sb_catalog_key_add(sb_catalog_t *catalog, const char *key);

/* The price's id in that mode; NULL when it is known by its lookup key only. */
const char *sb_catalog_price_id(const sb_catalog_price_t *price, bool livemode);

/* The text for lang ("de-AT" falls back to "de"), else the one without language, else English,
 * else the first; NULL when none was given. lang may be NULL. */
const char *sb_catalog_text(const sb_text_t *text, const char *lang);

/* Plans that open what plan opens: itself and every plan of its group with a higher rank. */
apr_uint64_t sb_catalog_required_mask(const sb_catalog_t *catalog,
                                      const sb_catalog_plan_t *plan);

/* What is known about a price somebody pays for. Every member may be NULL. */
typedef struct sb_plan_clues_t {
    const char *price; /* id */
    const char *lookup_key;
    const char *remembered; /* plan key kept in the price table */
    const char *product;    /* id */
    const char
        *metadata_plan; /* subbill_plan in the metadata of the price or its product */
} sb_plan_clues_t;

/* The plan a price belongs to: by id, lookup key, memory, product, metadata, in that order.
 * -1: unmapped, which must grant nothing. The subscription's own metadata is no clue: it stays
 * as it was when the buyer moves to another price in the portal. */
int sb_catalog_map(const sb_catalog_t *catalog, bool livemode,
                   const sb_plan_clues_t *clues);

#endif
