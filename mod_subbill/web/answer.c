/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/answer.h"

#include "domain/return_url.h"

#include <apr_strings.h>
#include <http_protocol.h>

#define STRIPE_PAGES "https://checkout.stripe.com https://billing.stripe.com"

void sb_answer_headers(request_rec *r, const char *cache_control)
{
    apr_table_t *headers = r->headers_out;

    apr_table_setn(headers, "Cache-Control", cache_control);
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "X-Frame-Options", "DENY");
    /* Our own forms need their Origin, which no-referrer would turn into "null"; other sites learn
     * nothing of ours, session ids in addresses least of all. */
    apr_table_setn(headers, "Referrer-Policy", "same-origin");
    apr_table_setn(headers, "Content-Security-Policy",
                   "default-src 'none'; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'");
}

/* Chromium holds redirects that follow a form against form-action, so the pages that checkout and
 * portal redirect to have to be named. A loopback double serves its pages itself. */
static const char *stripe_pages(const request_rec *r)
{
    const char *api = sb_server_of(r->server)->settings->stripe_api;
    const char *origin = api ? sb_url_origin(api, r->pool) : NULL;

    return origin && strncmp(origin, "http:", 5) == 0 ? origin : STRIPE_PAGES;
}

void sb_answer_page_headers(request_rec *r, const char *lang)
{
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   apr_pstrcat(r->pool,
                               "default-src 'none'; style-src 'self'; img-src 'self' "
                               "data:; base-uri 'none'; form-action 'self' ",
                               stripe_pages(r), "; frame-ancestors 'none'", NULL));
    apr_table_setn(r->headers_out, "Content-Language", lang);
}

int sb_answer_send(request_rec *r, int status, const char *type, const char *body)
{
    apr_size_t length = strlen(body);

    /* Shown as somebody's ErrorDocument, a page is the look of that error and not a success. */
    if (status != HTTP_OK || !r->prev || !ap_is_HTTP_ERROR(r->prev->status)) {
        r->status = status;
    }
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)length);
    if (!r->header_only) {
        ap_rwrite(body, (int)length, r);
    }
    return OK;
}
