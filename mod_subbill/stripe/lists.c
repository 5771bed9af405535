/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe/lists.h"

#include <string.h>

static const struct {
    const char *of;
    const char *path;
    const char *kind;
} lists[] = {
    {"events", "/v1/events", "event"},
    {"subscriptions", "/v1/subscriptions", "subscription"},
    {"customers", "/v1/customers", "customer"},
    {"products", "/v1/products", "product"},
    {"prices", "/v1/prices", "price"},
    {"invoices", "/v1/invoices", "invoice"},
    {"disputes", "/v1/disputes", "dispute"},
};

enum { UNKNOWN = -1 };

static int list_find(const char *of)
{
    for (int i = 0; of && i < (int)(sizeof(lists) / sizeof(*lists)); i++) {
        if (strcmp(lists[i].of, of) == 0) {
            return i;
        }
    }
    return UNKNOWN;
}

const char *sb_stripe_list_kind(const char *of)
{
    int i = list_find(of);

    return i == UNKNOWN ? NULL : lists[i].kind;
}

static bool right_kind(const json_t *object, const char *kind)
{
    const char *is = sb_json_text(object, "object");
    const char *id = sb_json_text(object, "id");

    return is && strcmp(is, kind) == 0 && id && *id;
}

/* An empty page that promises more would be asked for without end. */
static bool page_read(sb_stripe_page_t *page, const json_t *answer, const char *kind)
{
    const json_t *data = sb_json_get(answer, "data");
    const json_t *more = sb_json_get(answer, "has_more");

    if (!json_is_array(data) || !json_is_boolean(more)) {
        return false;
    }
    *page = (sb_stripe_page_t){
        .data = data, .n = (int)json_array_size(data), .more = json_is_true(more)};
    for (int i = 0; i < page->n; i++) {
        if (!right_kind(json_array_get(data, (size_t)i), kind)) {
            return false;
        }
    }
    return page->n > 0 || !page->more;
}

sb_status_e sb_stripe_list(sb_stripe_page_t *page, sb_result_t *result,
                           sb_stripe_t *stripe, const sb_stripe_list_t *list,
                           apr_pool_t *pool)
{
    sb_form_t *params = sb_form_create(pool);
    int i = list_find(list->of);
    json_t *answer;

    *page = (sb_stripe_page_t){.data = NULL};
    if (i == UNKNOWN || list->limit < 1 || list->limit > SB_STRIPE_PAGE_MAX ||
        (list->after && list->before)) {
        return sb_result_set(result, SB_INTERNAL, "bad_call",
                             "There is no such list or no such page of it.", NULL);
    }
    sb_form_add_int(params, "limit", list->limit);
    if (strcmp(list->of, "subscriptions") == 0) {
        sb_form_add(params, "status", "all");
    }
    if (list->after) {
        sb_form_add(params, "starting_after", list->after);
    }
    if (list->before) {
        sb_form_add(params, "ending_before", list->before);
    }
    if (list->since) {
        sb_form_add_int(params, "created[gte]", list->since);
    }
    sb_status_e status = sb_stripe_call_for(&answer, result, stripe, "list", "GET",
                                            lists[i].path, params, NULL, pool);
    if (status == SB_OK && !page_read(page, answer, lists[i].kind)) {
        *page = (sb_stripe_page_t){.data = NULL};
        return sb_result_set(result, SB_UPSTREAM, "stripe_bad_answer",
                             "The payment service answered in a way that cannot be read.",
                             NULL);
    }
    return status;
}
