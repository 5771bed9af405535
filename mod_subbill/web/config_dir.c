/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The directives of a location: setters, defaults, merging. All of them may stand in a server, a
 * virtual host or a section; the innermost one that says something counts. */
#include "web/config.h"

#include <apr_strings.h>

static sb_dir_t *dir_of(void *section)
{
    sb_dir_t *dir = section;

    dir->given = true;
    return dir;
}

/* httpd makes our configuration of a section when it meets a directive of ours there. An alias belongs to no
 * section yet. */
void sb_dir_require(cmd_parms *cmd)
{
    sb_dir_t *dir = ap_get_module_config(cmd->context, &subbill_module);

    if (strcasecmp(cmd->directive->directive, "<AuthzProviderAlias") == 0) {
        return;
    }
    if (!dir) {
        dir = sb_dir_create(cmd->pool, NULL);
        ap_set_module_config(cmd->context, &subbill_module, dir);
    }
    dir_of(dir)->required = true;
}

/* httpd would drop a <Limit> around these without a word, and a SubbillGate Off meant for one method
 * would open all of them. */
static const char *not_in_limit(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_LIMIT);
}

static const sb_gate_t *shut(const sb_gate_t *gate)
{
    return gate && !gate->off ? gate : NULL;
}

/* What holds of all that was written: a server's gate where nothing else is said, those of files and of addresses
 * beside each other. */
static void settle_gates(sb_dir_t *dir)
{
    const sb_gate_t *files = dir->written[SB_SCOPE_FILES];
    const sb_gate_t *address = dir->written[SB_SCOPE_ADDRESS];

    dir->gate = shut(address);
    dir->beneath = dir->gate ? shut(files) : NULL;
    if (!dir->gate) {
        dir->gate = files || address ? shut(files) : shut(dir->written[SB_SCOPE_SERVER]);
    }
}

static bool replaces(const sb_dir_t *dir)
{
    for (int scope = 0; scope < SB_SCOPES; scope++) {
        if (dir->written[scope] && dir->written[scope]->replaces) {
            return true;
        }
    }
    return false;
}

const char *sb_dir_set_gate(cmd_parms *cmd, void *dir, const char *args)
{
    sb_gate_t *gate = NULL;
    const char *error = not_in_limit(cmd);

    if (!error) {
        error = sb_gate_make(&gate, cmd, cmd->cmd->name, SB_THING_NONE, args);
    }
    if (!error && gate) {
        dir_of(dir)->written[gate->scope] = gate;
        settle_gates(dir);
    }
    return error;
}

static const char *parse_expression(const ap_expr_info_t **expression, cmd_parms *cmd,
                                    const char *arg)
{
    const char *error = not_in_limit(cmd);

    if (error) {
        return error;
    }
    sb_identity_expect();
    *expression = ap_expr_parse_cmd(cmd, arg, AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
    return error ? sb_config_complain(cmd, "cannot read the expression \"%s\": %s", arg,
                                      error)
                 : NULL;
}

const char *sb_dir_set_user(cmd_parms *cmd, void *dir, const char *arg)
{
    return parse_expression(&dir_of(dir)->user, cmd, arg);
}

const char *sb_dir_set_email(cmd_parms *cmd, void *dir, const char *arg)
{
    return parse_expression(&dir_of(dir)->email, cmd, arg);
}

const char *sb_dir_set_on_deny(cmd_parms *cmd, void *dir, const char *word,
                               const char *url)
{
    static const struct {
        const char *word;
        sb_on_deny_e on_deny;
    } words[] = {{"auto", SB_DENY_AUTO},
                 {"402", SB_DENY_402},
                 {"403", SB_DENY_403},
                 {"redirect", SB_DENY_REDIRECT}};
    sb_dir_t *config = dir_of(dir);
    const char *misplaced = not_in_limit(cmd);

    if (misplaced) {
        return misplaced;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcasecmp(word, words[i].word) == 0) {
            config->on_deny = words[i].on_deny;
            if (url && config->on_deny != SB_DENY_REDIRECT) {
                return sb_config_complain(cmd, "only redirect takes an address");
            }
            if (url && *url != '/' && strncmp(url, "https://", 8) != 0 &&
                strncmp(url, "http://", 7) != 0) {
                return sb_config_complain(
                    cmd, "\"%s\" is neither a path nor an http(s) address", url);
            }
            config->deny_url = url ? apr_pstrdup(cmd->pool, url) : NULL;
            return NULL;
        }
    }
    return sb_config_complain(cmd, "\"%s\" is none of auto, 402, 403, redirect", word);
}

const char *sb_dir_set_grace(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *error = not_in_limit(cmd);

    return error ? error
                 : sb_config_number(&dir_of(dir)->grace_days, cmd, arg, 0, 365, "days");
}

/* Of any location; only ever grows in the life of a loaded module. */
static int longest_stale;

int sb_dir_longest_stale(void)
{
    return longest_stale;
}

const char *sb_dir_set_stale(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *error = not_in_limit(cmd);

    if (!error) {
        error =
            sb_config_number(&dir_of(dir)->stale_seconds, cmd, arg, 0, 86400, "seconds");
    }
    if (!error && dir_of(dir)->stale_seconds > longest_stale) {
        longest_stale = dir_of(dir)->stale_seconds;
    }
    return error;
}

const char *sb_dir_set_on_error(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *error = not_in_limit(cmd);

    if (!error && strcasecmp(arg, "deny") != 0 && strcasecmp(arg, "allow") != 0) {
        error = sb_config_complain(cmd, "\"%s\" is neither deny nor allow", arg);
    }
    if (!error) {
        dir_of(dir)->allow_on_error = strcasecmp(arg, "allow") == 0;
    }
    return error;
}

const char *sb_dir_set_dry_run(cmd_parms *cmd, void *dir, int on)
{
    const char *error = not_in_limit(cmd);

    if (!error) {
        dir_of(dir)->dry_run = on;
    }
    return error;
}

const char *sb_dir_set_export(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *error = not_in_limit(cmd);

    if (error) {
        return error;
    }
    dir_of(dir)->export = strcasecmp(arg, "off") == 0       ? SB_EXPORT_OFF
                          : strcasecmp(arg, "env") == 0     ? SB_EXPORT_ENV
                          : strcasecmp(arg, "headers") == 0 ? SB_EXPORT_HEADERS
                                                            : SB_EXPORT_UNSET;
    return dir_of(dir)->export == SB_EXPORT_UNSET
               ? sb_config_complain(cmd, "\"%s\" is none of off, env, headers", arg)
               : NULL;
}

const char *sb_dir_set_teaser(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *error = not_in_limit(cmd);
    bool path = *arg == '/' && arg[1] != '/' && !strpbrk(arg, "?#\\");

    if (error) {
        return error;
    }
    if (!path && strcasecmp(arg, "marker") != 0 && strcasecmp(arg, "off") != 0) {
        return sb_config_complain(cmd,
                                  "\"%s\" is none of marker, off, or the path of a "
                                  "document of this site, as in /teaser.html",
                                  arg);
    }
    dir_of(dir)->teaser = path                          ? apr_pstrdup(cmd->pool, arg)
                          : strcasecmp(arg, "off") == 0 ? ""
                                                        : "marker";
    return NULL;
}

const char *sb_dir_set_revoke_running(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *error = not_in_limit(cmd);

    return error ? error
                 : sb_config_number(&dir_of(dir)->revoke_running, cmd, arg, 0, 3600,
                                    "seconds");
}

/* --- create and merge ---------------------------------------------------------------------- */

void *sb_dir_create(apr_pool_t *pool, char *path)
{
    sb_dir_t *dir = apr_pcalloc(pool, sizeof(*dir));

    dir->on_deny = SB_DENY_UNSET;
    dir->grace_days = -1;
    dir->stale_seconds = -1;
    dir->allow_on_error = -1;
    dir->dry_run = -1;
    dir->revoke_running = -1;
    dir->export = SB_EXPORT_UNSET;
    return dir;
}

void *sb_dir_merge(apr_pool_t *pool, void *base_config, void *add_config)
{
    const sb_dir_t *base = base_config;
    const sb_dir_t *add = add_config;

    /* Most sections say nothing or add to nothing, and sections are merged for every request. */
    if (!base->given) {
        return add_config;
    }
    if (!add->given) {
        return base_config;
    }
    sb_dir_t *merged = apr_palloc(pool, sizeof(*merged));
    merged->given = true;
    for (int scope = 0; scope < SB_SCOPES; scope++) {
        merged->written[scope] =
            add->written[scope] ? add->written[scope] : base->written[scope];
    }
    settle_gates(merged);
    merged->required = add->required || (base->required && !replaces(add));
    merged->user = add->user ? add->user : base->user;
    merged->email = add->email ? add->email : base->email;
    merged->on_deny = add->on_deny != SB_DENY_UNSET ? add->on_deny : base->on_deny;
    merged->deny_url = add->on_deny != SB_DENY_UNSET ? add->deny_url : base->deny_url;
    merged->grace_days = add->grace_days >= 0 ? add->grace_days : base->grace_days;
    merged->stale_seconds =
        add->stale_seconds >= 0 ? add->stale_seconds : base->stale_seconds;
    merged->allow_on_error =
        add->allow_on_error >= 0 ? add->allow_on_error : base->allow_on_error;
    merged->dry_run = add->dry_run >= 0 ? add->dry_run : base->dry_run;
    merged->teaser = add->teaser ? add->teaser : base->teaser;
    merged->revoke_running =
        add->revoke_running >= 0 ? add->revoke_running : base->revoke_running;
    merged->export = add->export != SB_EXPORT_UNSET ? add->export : base->export;
    return merged;
}
