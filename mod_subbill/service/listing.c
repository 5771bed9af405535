/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/listing.h"

#include "base/clock.h"
#include "service/pace.h"
#include "stripe/objects.h"

#include <string.h>

/* Stripe's objects can be large (a subscription of twenty items, an invoice of ten lines) and the client
 * takes a megabyte: a page that cannot be read is asked for once more, shorter. */
enum { PAGE = 25, SHORT_PAGE = 3 };

/* Of a step that handles a page object by object. The last call and the last transaction may still take
 * their own time after it; and the hosts of one httpd have one worker between them. */
enum { PAGE_S = 5 };

static sb_status_e ask(sb_stripe_page_t *page, sb_result_t *result, sb_service_t *service,
                       const sb_stripe_list_t *list, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);

    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_pace_take(result, service, pool);
    if (status == SB_OK) {
        status = sb_stripe_list(page, result, stripe, list, pool);
        sb_pace_heed(status, result, service, pool);
    }
    return status;
}

sb_status_e sb_listing_page(sb_stripe_page_t *page, sb_result_t *result,
                            sb_service_t *service, sb_stripe_list_t list,
                            apr_pool_t *pool)
{
    sb_result_t trouble;

    sb_result_clear(&trouble);
    list.limit = PAGE;
    sb_status_e status = ask(page, &trouble, service, &list, pool);
    if (status == SB_UPSTREAM && strcmp(trouble.code, "stripe_bad_answer") == 0) {
        sb_result_clear(&trouble);
        list.limit = SHORT_PAGE;
        status = ask(page, &trouble, service, &list, pool);
    }
    if (status != SB_OK && result) {
        *result = trouble;
    }
    return status;
}

sb_status_e sb_listing_object(json_t **object, sb_result_t *result, sb_service_t *service,
                              const char *kind, const char *id, apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);

    *object = NULL;
    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_pace_take(result, service, pool);
    if (status == SB_OK) {
        status = sb_stripe_object_retrieve(object, result, stripe, kind, id, pool);
        sb_pace_heed(status, result, service, pool);
    }
    return status;
}

apr_time_t sb_listing_deadline(void)
{
    return sb_clock_monotonic() + apr_time_from_sec(PAGE_S);
}

bool sb_listing_overdue(apr_time_t deadline)
{
    return sb_clock_monotonic() >= deadline;
}
