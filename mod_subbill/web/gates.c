/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Gates as data: the words of every SubbillGate and `Require subscription` are collected while the
 * configuration is read, because the catalogue that gives them a meaning is only read afterwards,
 * in check_config. From .htaccess they come when the catalogue is there already. */
#include "web/module.h"

#include <apr_strings.h>

static const char gates_key[] = "subbill-gates";

static int in_use; /* only ever goes from 0 to 1 in the life of a loaded module */

bool sb_gates_in_use(void)
{
    return __atomic_load_n(&in_use, __ATOMIC_RELAXED) != 0;
}

apr_array_header_t *sb_gates_open(apr_pool_t *pconf)
{
    apr_array_header_t *gates = apr_array_make(pconf, 8, sizeof(sb_gate_t *));

    apr_pool_userdata_setn(gates, gates_key, NULL, pconf);
    return gates;
}

apr_array_header_t *sb_gates_of(apr_pool_t *pconf)
{
    void *gates = NULL;

    apr_pool_userdata_get(&gates, gates_key, pconf);
    return gates;
}

static const char *compile(sb_gate_t *gate, const sb_server_t *server,
                           sb_result_t *result, apr_pool_t *pool)
{
    sb_requirement_t *requirement = apr_pcalloc(pool, sizeof(*requirement));

    if (sb_requirement_parse(requirement, result, server->catalog, gate->words->nelts,
                             (const char *const *)gate->words->elts, pool) != SB_OK) {
        return apr_pstrcat(pool, result->message, result->hint ? "; " : "",
                           result->hint ? result->hint : "", NULL);
    }
    const sb_catalog_t **key = apr_palloc(pool, sizeof(*key));
    *key = server->catalog;
    apr_hash_set(gate->compiled, key, sizeof(*key), requirement);
    if (!gate->usual) {
        gate->usual = server->catalog;
        gate->usual_rule = requirement;
    }
    return NULL;
}

const char *sb_gate_compile(sb_gate_t *gate, const sb_server_t *server, apr_pool_t *pool)
{
    sb_result_t result;

    sb_result_clear(&result);
    return compile(gate, server, &result, pool);
}

const char *sb_gate_make(sb_gate_t **made, cmd_parms *cmd, const char *directive,
                         const char *args)
{
    sb_gate_t *gate = apr_pcalloc(cmd->pool, sizeof(*gate));
    const sb_server_t *server = sb_server_of(cmd->server);

    gate->directive = apr_pstrdup(cmd->pool, directive);
    gate->file = cmd->directive->filename;
    gate->line = cmd->directive->line_num;
    gate->home = cmd->server;
    gate->words = apr_array_make(cmd->pool, 2, sizeof(const char *));
    gate->compiled = apr_hash_make(cmd->pool);
    while (*args) {
        APR_ARRAY_PUSH(gate->words, const char *) = ap_getword_conf(cmd->pool, &args);
    }
    *made = gate;

    if (gate->words->nelts == 1 &&
        strcasecmp(APR_ARRAY_IDX(gate->words, 0, const char *), "off") == 0 &&
        strcmp(directive, "SubbillGate") == 0) {
        apr_array_clear(gate->words);
        gate->off = true;
    }
    else if (!gate->words->nelts && strcmp(directive, "SubbillGate") == 0) {
        return "SubbillGate: needs any, one or more plans, or Off";
    }
    if (!gate->off) {
        __atomic_store_n(&in_use, 1, __ATOMIC_RELAXED);
    }
    if (server->catalog) {
        const char *error = gate->off ? NULL : sb_gate_compile(gate, server, cmd->pool);
        return error ? apr_pstrcat(cmd->pool, directive, ": ", error, NULL) : NULL;
    }
    apr_array_header_t *gates = sb_gates_of(cmd->pool);
    if (gates) {
        APR_ARRAY_PUSH(gates, sb_gate_t *) = gate;
    }
    return NULL;
}

const sb_requirement_t *sb_gate_requirement(const sb_gate_t *gate,
                                            const sb_server_t *server)
{
    return server->catalog && gate->usual == server->catalog
               ? gate->usual_rule
               : apr_hash_get(gate->compiled, &server->catalog, sizeof(server->catalog));
}
