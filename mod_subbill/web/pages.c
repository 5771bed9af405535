/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/pages.h"

#include "text/escape.h"
#include "web/answer.h"
#include "web/handlers.h"

#include <apr_strings.h>
#include <http_core.h>

/* The way back may be long, but not longer than what proxies take in a Location. */
enum { WAY_BACK_MAX = 1500 };

/* Languages by their own names; others show their code. */
static const struct {
    const char *code;
    const char *name;
} language_names[] = {
    {"cs", "Čeština"},   {"da", "Dansk"},      {"de", "Deutsch"},  {"en", "English"},
    {"es", "Español"},   {"fi", "Suomi"},      {"fr", "Français"}, {"it", "Italiano"},
    {"ja", "日本語"},    {"nl", "Nederlands"}, {"no", "Norsk"},    {"pl", "Polski"},
    {"pt", "Português"}, {"sv", "Svenska"},    {"tr", "Türkçe"},   {"uk", "Українська"},
};

static const char *language_name(const char *code)
{
    for (size_t i = 0; i < sizeof(language_names) / sizeof(*language_names); i++) {
        if (strcmp(language_names[i].code, code) == 0) {
            return language_names[i].name;
        }
    }
    return code;
}

/* --- links ---------------------------------------------------------------------------------- */

/* "/shop" of https://example.com/shop, else "". */
static const char *base_path(const request_rec *r)
{
    const char *base = sb_server_of(r->server)->settings->base_url;
    const char *host = base ? strstr(base, "://") : NULL;
    const char *path = host ? strchr(host + 3, '/') : NULL;

    return path ? path : "";
}

const char *sb_page_link(const request_rec *r, const char *route)
{
    const char *path = sb_route_path(sb_server_of(r->server), route, r->pool);

    return path ? apr_pstrcat(r->pool, base_path(r), path, NULL) : NULL;
}

const char *sb_page_plans_link(const request_rec *r, const char *reason)
{
    const char *plans = sb_page_link(r, "plans");
    const char *back = sb_request_top((request_rec *)r)->unparsed_uri;

    if (!plans) {
        return NULL;
    }
    plans = apr_pstrcat(r->pool, plans, "?reason=", reason, NULL);
    return r->method_number == M_GET && back && *back == '/' &&
                   strlen(back) <= WAY_BACK_MAX
               ? apr_pstrcat(r->pool, plans, "&next=",
                             sb_escape_url(apr_pstrcat(r->pool, base_path(r), back, NULL),
                                           r->pool),
                             NULL)
               : plans;
}

/* The style sheet's address changes with its content, so it may be kept for ever. Where the route is
 * not mounted, any page of ours serves it. */
static const char *style_link(const sb_exchange_t *x)
{
    const char *path = sb_page_link(x->r, "style");
    const char *plans = sb_page_link(x->r, "plans");
    apr_size_t length;
    const char *etag;

    sb_template_set_css(x->server->templates, &length, &etag);
    const char *version =
        apr_pstrndup(x->pool, etag + 1, strlen(etag) > 2 ? strlen(etag) - 2 : 0);
    return path ? apr_pstrcat(x->pool, path, "/", version, ".css", NULL)
                : apr_pstrcat(x->pool, plans ? plans : "", "?style=", version, NULL);
}

/* The address of this very page with one query value changed. */
static const char *here_with(const sb_exchange_t *x, const char *name, const char *value)
{
    sb_form_t *form = sb_form_create(x->pool);

    for (int i = 0; i < sb_form_count(x->query); i++) {
        if (strcmp(sb_form_name_at(x->query, i), name) != 0) {
            sb_form_add(form, sb_form_name_at(x->query, i),
                        sb_form_value_at(x->query, i));
        }
    }
    sb_form_add(form, name, value);
    return apr_pstrcat(x->pool, "?", sb_form_encode(form, x->pool), NULL);
}

/* From the plans page itself, the way back that it knows is kept. */
const char *sb_page_login_link(const sb_exchange_t *x)
{
    const char *plans = sb_page_link(x->r, "plans");

    if (x->user || !plans || !ap_auth_type(x->r)) {
        return NULL;
    }
    bool there = x->handler && x->handler->run == sb_plans_run;
    return apr_pstrcat(x->pool, plans, there ? here_with(x, "login", "1") : "?login=1",
                       NULL);
}

/* --- context -------------------------------------------------------------------------------- */

static json_t *languages_of(const sb_exchange_t *x)
{
    const apr_array_header_t *codes =
        sb_i18n_languages(sb_template_set_i18n(x->server->templates));
    json_t *languages = json_array();

    /* A page that answers a POST has no address to come back to. */
    for (int i = 0; x->r->method_number == M_GET && i < codes->nelts; i++) {
        const char *code = APR_ARRAY_IDX(codes, i, const char *);
        json_array_append_new(languages, json_pack("{s:s, s:s, s:s, s:b}", "code", code,
                                                   "name", language_name(code), "url",
                                                   here_with(x, "lang", code), "current",
                                                   strcmp(code, x->lang) == 0));
    }
    return languages;
}

static json_t *urls_of(const sb_exchange_t *x)
{
    const char *home = apr_pstrcat(x->pool, base_path(x->r), "/", NULL);
    const char *plans = sb_page_link(x->r, "plans");
    json_t *urls = json_object();

    json_object_set_new(urls, "home", json_string(home));
    json_object_set_new(urls, "plans", json_string(plans ? plans : home));
    json_object_set_new(urls, "css", json_string(style_link(x)));
    for (const char *const *name =
             (const char *const[]){"checkout", "account", "portal", "subscription",
                                   "change", "cancel", "resume", "pause", "invoices",
                                   "upcoming", NULL};
         *name; name++) {
        const char *link = sb_page_link(x->r, *name);
        if (link) {
            json_object_set_new(urls, *name, json_string(link));
        }
    }
    const char *login = sb_page_login_link(x);
    if (login) {
        json_object_set_new(urls, "login", json_string(login));
    }
    return urls;
}

json_t *sb_page_context(const sb_exchange_t *x, const char *title)
{
    json_t *context = json_object();

    json_object_set_new(context, "languages", languages_of(x));
    json_object_set_new(context, "urls", urls_of(x));
    json_object_set_new(context, "user", x->user ? json_string(x->user) : json_null());
    json_object_set_new(context, "logged_in", json_boolean(x->user != NULL));
    json_object_set_new(context, "csrf", x->csrf ? json_string(x->csrf) : json_null());
    json_object_set_new(context, "test_mode", json_boolean(!x->server->settings->live));
    json_object_set_new(context, "title", json_string(sb_exchange_text(x, title)));
    return context;
}

int sb_page_send(sb_exchange_t *x, int status, const char *page,
                 const char *cache_control, json_t *context)
{
    const char *html;
    sb_result_t result;

    sb_result_clear(&result);
    sb_service_own(context, x->pool);
    if (sb_template_set_render(&html, &result, x->server->templates, page, x->lang,
                               context, x->pool) != SB_OK) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, x->r,
                      "SB120: the page %s cannot be shown: %s", page, result.message);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    sb_answer_headers(x->r, cache_control);
    sb_answer_page_headers(x->r, x->lang);
    apr_table_mergen(x->r->headers_out, "Vary", "Accept, Accept-Language, Cookie");
    return sb_answer_send(x->r, status, SB_TYPE_HTML, html);
}

const char *sb_page_interval(const sb_exchange_t *x, const char *interval, int count)
{
    json_t *args = sb_service_own(json_pack("{s:i}", "count", count), x->pool);

    return sb_i18n_format(sb_template_set_i18n(x->server->templates), x->lang,
                          apr_pstrcat(x->pool, "interval.", interval, NULL), args,
                          x->pool);
}
