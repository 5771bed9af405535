/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_ASSETS_H
#define SB_TEXT_ASSETS_H

#include <apr.h>

/* The files of conf/templates and conf/i18n, written into the program by tools/embed at build
 * time, so that the module serves its pages without any file beside it (A63). */

typedef struct sb_asset_t {
    const char *name; /* "plans.mustache", "subbill.css", "i18n/de.json" */
    const char *data; /* len bytes and a terminator */
    apr_size_t len;
} sb_asset_t;

/* Sorted by name; the array is generated, sb_assets_count is its length. */
extern const sb_asset_t sb_assets[];
extern const apr_size_t sb_assets_count;

/* NULL when there is no such file. */
const sb_asset_t *sb_asset_find(const char *name);

#endif
