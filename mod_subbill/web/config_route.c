/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "web/handlers.h"

/* What a front end needs before anybody is logged in (B4): both are public. */
int sb_config_run(sb_exchange_t *x)
{
    const char *key = x->server->publishable_key;

    return sb_exchange_json(x, HTTP_OK,
                            json_pack("{s:s?, s:s}", "publishable_key", key, "mode",
                                      x->server->settings->live ? "live" : "test"));
}
