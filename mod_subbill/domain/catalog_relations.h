/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_DOMAIN_CATALOG_RELATIONS_H
#define SB_DOMAIN_CATALOG_RELATIONS_H

#include "domain/catalog.h"
#include "domain/catalog_reader.h"

/* What only shows when plans are looked at together, in file order: keys, ranks, ids, lookup keys
 * and plan_ids used twice, free plans that cost something, paid ones that cannot be bought. For
 * catalog_parse.c; false after the first error. */
bool sb_catalog_relations(const sb_reader_t *reader, const sb_catalog_t *catalog);

#endif
