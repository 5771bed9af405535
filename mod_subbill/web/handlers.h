/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_HANDLERS_H
#define SB_WEB_HANDLERS_H

#include "web/exchange.h"

/* The table of our public handlers, and what each may count on before it runs. */

enum { SB_METHOD_GET = 1, SB_METHOD_POST = 2 }; /* GET stands for HEAD as well */

enum {
    SB_NEEDS_USER = 1,   /* 401 without one */
    SB_CSRF = 2,         /* a POST must prove that it comes from us: web/csrf.h */
    SB_CORS = 4,         /* front ends of SubbillReturnURLs may call it */
    SB_CALLS_STRIPE = 8, /* within a budget per user and address */
    SB_FIELDS = 16,      /* the body is a form or a JSON object, read before it runs */
    SB_RAW = 32,         /* no person: neither language nor page, the body stays unread */
    SB_EVEN_DISABLED = 64
};

typedef struct sb_handler_t {
    const char *name; /* as in web/routes.c */
    unsigned methods;
    unsigned flags;
    int (*run)(sb_exchange_t *x); /* returns what an httpd handler returns */
} sb_handler_t;

extern const sb_handler_t sb_handlers[];
extern const int sb_handlers_count;

/* Answers a request for route, rest being what follows it in the path. What a handler returns. */
int sb_handler_dispatch(request_rec *r, const char *route, const char *rest);

/* Whether front ends on other origins may call this route. */
bool sb_handler_cors(const char *route);

/* The methods of a route for an Allow header, e.g. "GET, HEAD, OPTIONS"; NULL for none of ours. */
const char *sb_handler_allow(const char *route);

/* Registers what the handlers need besides the handler hook: budgets in each child, and preflights,
 * which have to be answered before anybody asks for a login. */
void sb_handler_hooks(apr_pool_t *pool);

/* One file each. */
int sb_webhook_run(sb_exchange_t *x);
int sb_checkout_run(sb_exchange_t *x);
int sb_return_run(sb_exchange_t *x);
int sb_plans_run(sb_exchange_t *x);
int sb_account_run(sb_exchange_t *x);
int sb_subscription_run(sb_exchange_t *x);
int sb_change_run(sb_exchange_t *x);
int sb_cancel_run(sb_exchange_t *x);
int sb_resume_run(sb_exchange_t *x);
int sb_pause_run(sb_exchange_t *x);
int sb_portal_run(sb_exchange_t *x);
int sb_invoices_run(sb_exchange_t *x);
int sb_upcoming_run(sb_exchange_t *x);
int sb_config_run(sb_exchange_t *x);
int sb_style_run(sb_exchange_t *x);

#endif
