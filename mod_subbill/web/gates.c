/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Gates as data: the words of every SubbillGate and Require line of ours are collected while the
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

    /* No word means "any", unless something is asked for by a key. */
    if ((gate->words->nelts || !gate->wanted->nelts) &&
        sb_requirement_parse(requirement, result, server->catalog, gate->words->nelts,
                             (const char *const *)gate->words->elts, pool) != SB_OK) {
        return apr_pstrcat(pool, result->message, result->hint ? "; " : "",
                           result->hint ? result->hint : "", NULL);
    }
    for (int i = 0; i < gate->wanted->nelts; i++) {
        const sb_wanted_t *wanted = &APR_ARRAY_IDX(gate->wanted, i, sb_wanted_t);
        if (wanted->thing == SB_THING_ENTITLEMENT) {
            int bit = wanted->key ? sb_catalog_key(server->catalog, wanted->key) : -1;
            requirement->by_key = true;
            requirement->keys |= bit < 0 ? 0 : (apr_uint64_t)1 << bit;
        }
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
    for (int i = 0; i < gate->wanted->nelts; i++) {
        const sb_wanted_t *wanted = &APR_ARRAY_IDX(gate->wanted, i, sb_wanted_t);
        if (wanted->thing == SB_THING_ENTITLEMENT && wanted->key) {
            sb_catalog_key_add(server->catalog, wanted->key);
        }
    }
    return compile(gate, server, &result, pool);
}

/* --- things asked for by a key ------------------------------------------------------------------ */

/* A word with %{…} in it is an expression of httpd's; *text stays NULL then. */
static const char *read_word(const char **text, const ap_expr_info_t **expression,
                             cmd_parms *cmd, const char *word)
{
    const char *error = NULL;

    if (!strstr(word, "%{")) {
        *text = word;
        return NULL;
    }
    *expression = ap_expr_parse_cmd(cmd, word, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
    return error ? apr_psprintf(cmd->pool, "\"%s\" is no expression: %s", word, error)
                 : NULL;
}

static const char *want(sb_wanted_t **made, sb_gate_t *gate, cmd_parms *cmd,
                        sb_thing_e thing, const char *word)
{
    sb_wanted_t *wanted = apr_array_push(gate->wanted);
    const char *error;

    *wanted = (sb_wanted_t){.thing = thing, .least = 1};
    *made = wanted;
    error = read_word(&wanted->key, &wanted->key_expression, cmd, word);
    if (!error && wanted->key && !sb_thing_key_fits(wanted->key)) {
        error = apr_psprintf(cmd->pool,
                             "\"%s\" is no key: 1 to %d bytes of UTF-8 without control "
                             "characters",
                             word, SB_THING_KEY_MAX);
    }
    gate->by_holding = gate->by_holding || thing == SB_THING_ENTITLEMENT;
    gate->by_address = gate->by_address || wanted->key_expression;
    return error;
}

static const char *want_credit(sb_gate_t *gate, cmd_parms *cmd, const char *meter,
                               const char *units)
{
    sb_wanted_t *wanted;
    const char *text = NULL;
    const char *error = want(&wanted, gate, cmd, SB_THING_CREDIT, meter);

    if (!error && *units) {
        error = read_word(&text, &wanted->least_expression, cmd, units);
        wanted->least = text ? sb_thing_units(text) : 0;
    }
    return !error && text && wanted->least < 1
               ? apr_psprintf(cmd->pool, "\"%s\" is no number of units, from 1 on", text)
               : error;
}

/* SubbillGate says before each key what it is. */
static sb_thing_e thing_of(const char **word)
{
    static const struct {
        const char *prefix;
        sb_thing_e thing;
    } prefixes[] = {{"entitlement:", SB_THING_ENTITLEMENT},
                    {"purchase:", SB_THING_PURCHASE}};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        apr_size_t length = strlen(prefixes[i].prefix);
        if (strncmp(*word, prefixes[i].prefix, length) == 0) {
            *word += length;
            return prefixes[i].thing;
        }
    }
    return SB_THING_NONE;
}

static bool is_one_of(const ap_directive_t *directive, const char *const names[])
{
    for (int i = 0; names[i]; i++) {
        if (strcasecmp(directive->directive, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *const conditions[] = {"<If", "<ElseIf", "<Else", NULL};

static sb_scope_e scope_of(const ap_directive_t *directive)
{
    static const char *const files[] = {"<Directory",  "<DirectoryMatch", "<Files",
                                        "<FilesMatch", "<Proxy",          "<ProxyMatch",
                                        NULL};
    static const char *const addresses[] = {"<Location", "<LocationMatch", NULL};
    sb_scope_e scope = SB_SCOPE_SERVER;

    for (const ap_directive_t *around = directive->parent; around;
         around = around->parent) {
        if (is_one_of(around, files)) {
            return SB_SCOPE_FILES;
        }
        if (is_one_of(around, addresses) || is_one_of(around, conditions)) {
            scope = SB_SCOPE_ADDRESS;
        }
    }
    return scope;
}

/* Whether the section has Require lines that replace all those that httpd has merged before. */
static bool has_requirements(const ap_directive_t *directive)
{
    static const char *const merging[] = {"AuthMerging", NULL};
    static const char *const requirements[] = {"Require", "<RequireAny", "<RequireAll",
                                               "<RequireNone", NULL};
    const ap_directive_t *section = directive->parent;
    bool found = false;

    if (!section || is_one_of(section, conditions)) {
        return false;
    }
    for (const ap_directive_t *line = section->first_child; line; line = line->next) {
        if (is_one_of(line, merging)) {
            return false;
        }
        found = found || is_one_of(line, requirements);
    }
    return found;
}

static const char *read_words(sb_gate_t *gate, cmd_parms *cmd, sb_thing_e thing,
                              const char *args)
{
    sb_wanted_t *wanted;
    const char *error = NULL;

    if (thing == SB_THING_CREDIT) {
        const char *meter = ap_getword_conf(cmd->pool, &args);
        const char *units = ap_getword_conf(cmd->pool, &args);
        return !*meter || *args ? "needs a meter, and perhaps a number of units"
                                : want_credit(gate, cmd, meter, units);
    }
    if (thing != SB_THING_NONE && !*args) {
        return thing == SB_THING_PURCHASE ? "needs one or more SKUs"
                                          : "needs one or more feature keys";
    }
    while (!error && *args) {
        const char *word = ap_getword_conf(cmd->pool, &args);
        sb_thing_e said = gate->door ? thing_of(&word) : thing;
        if (said == SB_THING_NONE) {
            APR_ARRAY_PUSH(gate->words, const char *) = word;
        }
        else {
            error = want(&wanted, gate, cmd, said, word);
        }
    }
    return error;
}

/* --- gates -------------------------------------------------------------------------------------- */

const char *sb_gate_make(sb_gate_t **made, cmd_parms *cmd, const char *directive,
                         sb_thing_e thing, const char *args)
{
    sb_gate_t *gate = apr_pcalloc(cmd->pool, sizeof(*gate));
    const sb_server_t *server = sb_server_of(cmd->server);

    gate->directive = apr_pstrdup(cmd->pool, directive);
    gate->file = cmd->directive->filename;
    gate->line = cmd->directive->line_num;
    gate->door = strcmp(directive, "SubbillGate") == 0;
    gate->scope = scope_of(cmd->directive);
    gate->home = cmd->server;
    gate->words = apr_array_make(cmd->pool, 2, sizeof(const char *));
    gate->wanted = apr_array_make(cmd->pool, 1, sizeof(sb_wanted_t));
    gate->compiled = apr_hash_make(cmd->pool);
    *made = gate;
    const char *wrong = read_words(gate, cmd, thing, args);
    if (wrong) {
        return apr_pstrcat(cmd->pool, directive, ": ", wrong, NULL);
    }
    gate->by_holding = gate->by_holding || gate->words->nelts || !gate->wanted->nelts;

    if (gate->door && gate->words->nelts == 1 && !gate->wanted->nelts &&
        strcasecmp(APR_ARRAY_IDX(gate->words, 0, const char *), "off") == 0) {
        apr_array_clear(gate->words);
        gate->off = true;
        gate->replaces = has_requirements(cmd->directive);
    }
    else if (gate->door && !gate->words->nelts && !gate->wanted->nelts) {
        return "SubbillGate: needs any, plans, entitlement:KEY, purchase:SKU, or Off";
    }
    if (!gate->off) {
        __atomic_store_n(&in_use, 1, __ATOMIC_RELAXED);
    }
    if (server->catalog) {
        sb_result_t result;
        sb_result_clear(&result);
        const char *error = gate->off ? NULL : compile(gate, server, &result, cmd->pool);
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
