/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/module.h"

/* Once in a request, so it stays out of those that ask for it often. */
__attribute__((noinline)) sb_request_t *sb_request_make(request_rec *r)
{
    sb_request_t *request = apr_pcalloc(r->pool, sizeof(*request));

    ap_set_module_config(r->request_config, &subbill_module, request);
    return request;
}

request_rec *sb_request_top(request_rec *r)
{
    for (request_rec *origin = r; origin; origin = sb_request_origin(r)) {
        r = origin;
    }
    return r;
}

void sb_table_restore(apr_table_t *table, const apr_table_t *from)
{
    const apr_array_header_t *entries = apr_table_elts(from);

    apr_table_clear(table);
    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        apr_table_addn(table, entry->key, entry->val);
    }
}

void sb_request_settle(request_rec *r)
{
    sb_request_t *request = ap_get_module_config(r->request_config, &subbill_module);

    if (request && request->lent_dir && request->lent_dir == r->per_dir_config) {
        memcpy(request->opened, request->lent_opened, sizeof(request->opened));
        request->told = request->lent_told;
        request->lent_dir = NULL;
    }
}
