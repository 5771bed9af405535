/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/assets.h"

#include <stdlib.h>
#include <string.h>

static int compare_name(const void *name, const void *asset)
{
    return strcmp(name, ((const sb_asset_t *)asset)->name);
}

const sb_asset_t *sb_asset_find(const char *name)
{
    return bsearch(name, sb_assets, sb_assets_count, sizeof(*sb_assets), compare_name);
}
