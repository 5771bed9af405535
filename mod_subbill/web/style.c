/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The style sheet of our pages, out of the program or the site's template folder. Its address holds a
 * digest of its content, so whoever asks for that address may keep the answer for ever. */
#include "web/answer.h"
#include "web/handlers.h"

#include <apr_strings.h>
#include <http_protocol.h>

int sb_style_run(sb_exchange_t *x)
{
    request_rec *r = x->r;
    const char *asked = *x->rest ? x->rest : sb_exchange_query(x, "style");
    const char *etag;
    apr_size_t length;

    if (!x->server->templates) {
        return HTTP_NOT_FOUND;
    }
    const char *css = sb_template_set_css(x->server->templates, &length, &etag);
    apr_size_t digits = strlen(etag) - 2;
    bool versioned = asked && strncmp(asked, etag + 1, digits) == 0;

    sb_answer_headers(r, versioned ? "public, max-age=31536000, immutable" : "no-cache");
    apr_table_setn(r->headers_out, "ETag", etag);
    int status = ap_meets_conditions(r);
    if (status != OK) {
        r->status = status;
        return status;
    }
    return sb_answer_send(r, HTTP_OK, "text/css; charset=utf-8",
                          apr_pstrmemdup(x->pool, css, length));
}
