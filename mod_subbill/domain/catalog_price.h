/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_CATALOG_PRICE_H
#define SB_DOMAIN_CATALOG_PRICE_H

#include "domain/catalog.h"
#include "domain/catalog_reader.h"

/* The part of catalogue reading that deals with prices and Stripe's ids. For catalog_parse.c. */

typedef enum { SB_ID_PRICE, SB_ID_PRODUCT } sb_id_kind_e;

/* An id as text or as {"test", "live"}; placeholders are refused. */
bool sb_catalog_id_read(const sb_reader_t *reader, const char *path, const json_t *value,
                        sb_id_kind_e kind, sb_mode_id_t *id);

/* A three-letter code in upper or lower case; *out is lower case. */
bool sb_catalog_currency_read(const sb_reader_t *reader, const char *path,
                              const json_t *value, const char **out);

/* One price; currency is the catalogue's default or NULL. plan and position stay 0. */
bool sb_catalog_price_read(const sb_reader_t *reader, const char *path,
                           const json_t *value, const char *currency,
                           sb_catalog_price_t *price);

#endif
