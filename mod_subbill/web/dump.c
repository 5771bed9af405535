/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* -t -D DUMP_SUBBILL: the effective settings as one JSON document on standard output. It is how
 * subbillctl learns what the module knows. Secrets appear as sources, never as values. */
#include "web/module.h"

#include "base/version.h"

#include <http_core.h>
#include <stdio.h>

void sb_dump_config(apr_pool_t *pool, server_rec *main_server)
{
    if (!ap_exists_config_define("DUMP_SUBBILL")) {
        return;
    }
    json_t *servers = json_array();
    for (server_rec *s = main_server; s; s = s->next) {
        const sb_server_t *server = sb_server_of(s);
        bool shared = s != main_server && server == sb_server_of(main_server);
        if (!shared && sb_server_configured(server)) {
            json_array_append_new(servers, sb_settings_to_json(server->settings));
        }
    }
    json_t *dump = json_pack("{s:s, s:o}", "subbill", SB_VERSION, "servers", servers);
    char *text = json_dumps(dump, JSON_INDENT(2));
    json_decref(dump);
    if (text) {
        puts(text);
        free(text);
    }
}
