/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* httpd alone can say what its configuration means (includes, conditions, virtual hosts, variables),
 * so it is asked and no second parser guesses. Its answer is a JSON document somewhere in what the
 * program prints; whatever else other modules print around it is skipped. */
#include "ctl/settings.h"

#include "base/file.h"
#include "base/json.h"
#include "base/version.h"
#include "ctl/output.h"
#include "ctl/program.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DUMP_MAX = 4 * 1024 * 1024 };

/* --- the dump ------------------------------------------------------------------------------- */

/* A new reference to the first document in text that is a dump, or NULL. */
static json_t *find_dump(const char *text)
{
    for (const char *start = strchr(text, '{'); start; start = strchr(start + 1, '{')) {
        if (start != text && start[-1] != '\n') {
            continue;
        }
        json_t *json = json_loads(start, JSON_DISABLE_EOF_CHECK, NULL);
        if (sb_json_text(json, "subbill") &&
            json_is_array(json_object_get(json, "servers"))) {
            return json;
        }
        json_decref(json);
    }
    return NULL;
}

/* The program's words with its arguments, ending in NULL; NULL when it is not there. */
static const char **command_of(const sb_ctl_t *ctl, const char **asked)
{
    static const char *const usual[] = {"apachectl", "apache2ctl", "httpd"};
    const char *given = ctl->options.httpd ? ctl->options.httpd : getenv("SUBBILL_HTTPD");
    apr_array_header_t *argv = apr_array_make(ctl->pool, 8, sizeof(const char *));
    char **words = NULL;
    const char *program = NULL;

    if (given && *given) {
        *asked = given;
        if (apr_tokenize_to_argv(given, &words, ctl->pool) != APR_SUCCESS || !words[0]) {
            return NULL;
        }
        program = sb_program_find(words[0], ctl->pool);
    }
    else {
        *asked = usual[0];
        for (size_t i = 0; i < sizeof(usual) / sizeof(*usual) && !program; i++) {
            program = sb_program_find(usual[i], ctl->pool);
        }
    }
    if (!program) {
        return NULL;
    }
    APR_ARRAY_PUSH(argv, const char *) = program;
    for (char **word = words ? words + 1 : NULL; word && *word; word++) {
        APR_ARRAY_PUSH(argv, const char *) = *word;
    }
    APR_ARRAY_PUSH(argv, const char *) = "-t";
    APR_ARRAY_PUSH(argv, const char *) = "-D";
    APR_ARRAY_PUSH(argv, const char *) = "DUMP_SUBBILL";
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (const char **)argv->elts;
}

static const char *trimmed(const char *text, apr_pool_t *pool)
{
    apr_size_t length = strlen(text);

    while (length && (text[length - 1] == '\n' || text[length - 1] == ' ')) {
        length--;
    }
    return apr_pstrmemdup(pool, text, length);
}

static sb_exit_e ask_httpd(json_t **dump, const sb_ctl_t *ctl)
{
    const char *asked;
    char reason[200];
    sb_program_t program;
    const char **argv = command_of(ctl, &asked);

    if (!argv) {
        return sb_fail(
            ctl, SB_EXIT_CONFIG, "httpd_not_found",
            "Name the program with --httpd, as in --httpd /usr/sbin/apachectl, "
            "or a saved dump with --config.",
            "%s is not installed, so httpd's configuration is not known.", asked);
    }
    apr_status_t rv = sb_program_run(&program, argv, ctl->pool);
    if (rv != APR_SUCCESS) {
        return sb_fail(ctl, SB_EXIT_CONFIG, "httpd_not_started",
                       "Name another program with --httpd.", "%s cannot be started (%s).",
                       argv[0], apr_strerror(rv, reason, sizeof(reason)));
    }
    *dump = program.exit_code == 0 ? find_dump(program.out) : NULL;
    if (*dump) {
        return SB_EXIT_OK;
    }
    if (program.exit_code == 0) {
        return sb_fail(ctl, SB_EXIT_CONFIG, "module_not_loaded",
                       "Add a line \"LoadModule subbill_module …/mod_subbill.so\" to it; "
                       "where apachectl takes no arguments use --httpd httpd.",
                       "%s -t -D DUMP_SUBBILL says nothing of mod_subbill: httpd's "
                       "configuration does not load it.",
                       argv[0]);
    }
    const char *words = trimmed(*program.err ? program.err : program.out, ctl->pool);
    return sb_fail(ctl, SB_EXIT_CONFIG, "bad_configuration",
                   geteuid() == 0 ? NULL
                                  : "If it could not read a file, run this command as "
                                    "root, as httpd is started.",
                   "httpd refuses its configuration (%s -t ended with status %d):\n%s",
                   argv[0], program.exit_code, words);
}

static sb_exit_e read_config(json_t **dump, const sb_ctl_t *ctl)
{
    const char *path = ctl->options.config;
    const char *text;
    const char *error = sb_file_read(&text, NULL, path, DUMP_MAX, ctl->pool);

    if (error) {
        return sb_fail(ctl, SB_EXIT_CONFIG, "config_unreadable",
                       "Write it with: apachectl -t -D DUMP_SUBBILL >FILE", "%s.", error);
    }
    *dump = find_dump(text);
    return *dump ? SB_EXIT_OK
                 : sb_fail(ctl, SB_EXIT_CONFIG, "config_unreadable",
                           "Write it with: apachectl -t -D DUMP_SUBBILL >FILE",
                           "%s holds no dump of mod_subbill's settings.", path);
}

/* --- one server ----------------------------------------------------------------------------- */

static const char *name_of(const json_t *server)
{
    const char *name = sb_json_text(server, "server_name");

    return name && *name ? name : "main";
}

/* Servers that differ in none of these are the same to every command. */
static bool alike(const json_t *a, const json_t *b)
{
    static const char *const members[] = {
        "database_driver", "database_params", "live",
        "catalog_path",    "stripe_api",      "stripe_keys"};

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        const json_t *one = json_object_get(a, members[i]);
        const json_t *other = json_object_get(b, members[i]);
        if (one != other && !json_equal(one, other)) {
            return false;
        }
    }
    return true;
}

static const char *names_of(const json_t *servers, apr_pool_t *pool)
{
    const char *names = "";
    size_t i;
    json_t *server;

    json_array_foreach(servers, i, server)
    {
        names = apr_pstrcat(pool, names, i ? ", " : "", name_of(server), NULL);
    }
    return names;
}

static sb_exit_e choose(const json_t **chosen, const sb_ctl_t *ctl, const json_t *servers)
{
    const char *wanted = ctl->options.server;
    const char *names = names_of(servers, ctl->pool);
    bool differ = false;
    size_t i;
    json_t *server;

    *chosen = NULL;
    json_array_foreach(servers, i, server)
    {
        if (wanted && strcmp(wanted, name_of(server)) != 0) {
            continue;
        }
        differ = differ || (*chosen && !alike(*chosen, server));
        *chosen = *chosen ? *chosen : server;
    }
    if (!json_array_size(servers)) {
        return sb_fail(ctl, SB_EXIT_CONFIG, "not_configured",
                       "Write SubbillDatabase and what else README.md shows.",
                       "No server or virtual host configures mod_subbill.");
    }
    if (!*chosen) {
        return sb_fail(ctl, SB_EXIT_USAGE, "unknown_server",
                       apr_psprintf(ctl->pool, "There are: %s.", names),
                       "No configured server is called \"%s\".", wanted);
    }
    if (differ) {
        return sb_fail(ctl, SB_EXIT_USAGE, "which_server",
                       apr_psprintf(ctl->pool, "There are: %s.", names),
                       "Several servers with different settings are configured; name "
                       "one with --server.");
    }
    return SB_EXIT_OK;
}

sb_exit_e sb_ctl_settings(const sb_settings_t **settings, const sb_ctl_t *ctl)
{
    sb_settings_t *read = NULL;
    json_t *dump = NULL;
    const json_t *server;
    sb_exit_e status =
        ctl->options.config ? read_config(&dump, ctl) : ask_httpd(&dump, ctl);

    if (status == SB_EXIT_OK) {
        status = choose(&server, ctl, json_object_get(dump, "servers"));
    }
    if (status == SB_EXIT_OK) {
        const char *error = sb_settings_from_json(&read, server, ctl->pool);
        if (error) {
            status = sb_fail(ctl, SB_EXIT_CONFIG, "config_unreadable",
                             apr_psprintf(ctl->pool,
                                          "The dump is of mod_subbill %s, this is "
                                          "subbillctl %s; install both in one version.",
                                          sb_json_text(dump, "subbill"), SB_VERSION),
                             "The settings cannot be read: %s.", error);
        }
    }
    json_decref(dump);
    *settings = read;
    return status;
}
