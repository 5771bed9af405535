/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Page or document? A page goes to who navigates and asks for HTML by name; everything else, curl's
 * and fetch()'s star-slash-star too, gets JSON. */
#include "web/module.h"

#include <apr_strings.h>
#include <stdlib.h>

enum { ITEMS_MAX = 32 };

/* The q-value of a media range's parameters, in thousandths (RFC 9110 §12.4.2). */
static int quality(const char *params)
{
    for (const char *p = params; p && (p = strchr(p, ';')); p++) {
        const char *name = p + 1;
        while (*name == ' ' || *name == '\t') {
            name++;
        }
        if ((*name == 'q' || *name == 'Q') && name[1] == '=') {
            double q = strtod(name + 2, NULL);
            return q >= 1 ? 1000 : q > 0 ? (int)(q * 1000) : 0;
        }
    }
    return 1000;
}

static bool range_is(const char *item, const char *type)
{
    apr_size_t length = strlen(type);

    return strncasecmp(item, type, length) == 0 &&
           (!item[length] || item[length] == ';' || item[length] == ' ');
}

/* Whether HTML is named, and liked at least as well as JSON where that is named too. */
static bool prefers_html(request_rec *r, const char *accept)
{
    int html = -1, json = -1;
    char *rest;
    char *copy = apr_pstrdup(r->pool, accept);
    int n = 0;

    for (char *item = apr_strtok(copy, ",", &rest); item && n < ITEMS_MAX;
         item = apr_strtok(NULL, ",", &rest), n++) {
        while (*item == ' ' || *item == '\t') {
            item++;
        }
        if (range_is(item, "text/html") || range_is(item, "application/xhtml+xml")) {
            int q = quality(item);
            html = q > html ? q : html;
        }
        else if (range_is(item, "application/json") ||
                 range_is(item, "application/problem+json")) {
            int q = quality(item);
            json = q > json ? q : json;
        }
    }
    return html > 0 && html >= json;
}

int sb_wants_html(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");
    const char *with = apr_table_get(r->headers_in, "X-Requested-With");

    /* A script that fetches a page cannot follow a person's way to the checkout. */
    if ((mode && strcmp(mode, "navigate") != 0) ||
        (with && strcasecmp(with, "XMLHttpRequest") == 0)) {
        return 0;
    }
    return accept && prefers_html(r, accept);
}
