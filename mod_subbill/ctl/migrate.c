/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* root makes an SQLite file and gives it to httpd's User; everything that touches the inside of a
 * database happens with the rights of that user, unless --database is given without --owner. */
#include "ctl/output.h"
#include "ctl/session.h"
#include "ctl/settings.h"
#include "store/migrate.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef struct migrate_t {
    const sb_ctl_t *ctl;
    const sb_settings_t *settings;
    sb_migrate_options_t options;
    json_t *steps;
} migrate_t;

static bool has_password(const char *params, apr_pool_t *pool)
{
    apr_uri_t uri;

    return strcasestr(params, "password=") || strcasestr(params, "pass=") ||
           (strstr(params, "://") && apr_uri_parse(pool, params, &uri) == APR_SUCCESS &&
            uri.password);
}

static sb_exit_e check_sqlite_path(const migrate_t *migrate, const char *params)
{
    return strcmp(migrate->options.driver, "sqlite3") != 0 || *params == '/'
               ? SB_EXIT_OK
               : sb_fail(migrate->ctl, SB_EXIT_USAGE, "bad_database",
                         "Write it from the root, as in /var/lib/subbill/subbill.db.",
                         "\"%s\" is not an absolute path.", params);
}

/* --database and --owner in place of httpd's configuration. */
static sb_exit_e from_options(migrate_t *migrate)
{
    const sb_ctl_t *ctl = migrate->ctl;
    sb_settings_t *settings = sb_settings_create(ctl->pool);
    const char *owner = ctl->options.owner;

    settings->database_driver = ctl->options.database_driver;
    settings->database_params = ctl->options.database_params;
    if (has_password(settings->database_params, ctl->pool)) {
        return sb_fail(ctl, SB_EXIT_USAGE, "password_in_arguments",
                       "Put all parameters into a file and name it: --database DRIVER "
                       "file:/etc/subbill/database.",
                       "A password on the command line can be read by everybody on this "
                       "machine.");
    }
    const struct passwd *user = owner ? getpwnam(owner) : NULL;
    if (owner && !user) {
        return sb_fail(ctl, SB_EXIT_USAGE, "unknown_owner",
                       "Name the User of httpd's configuration, www-data on Debian.",
                       "There is no user \"%s\" on this machine.", owner);
    }
    if (user) {
        settings->user_id = (int)user->pw_uid;
        settings->group_id = (int)user->pw_gid;
    }
    migrate->settings = settings;
    return SB_EXIT_OK;
}

static sb_exit_e prepare(migrate_t *migrate)
{
    const sb_ctl_t *ctl = migrate->ctl;
    sb_exit_e status = sb_ctl_given(ctl, SB_OPTION_DATABASE)
                           ? from_options(migrate)
                           : sb_ctl_settings(&migrate->settings, ctl);

    if (status == SB_EXIT_OK) {
        status = sb_ctl_database_params(&migrate->options.params, ctl, migrate->settings);
    }
    if (status != SB_EXIT_OK) {
        return status;
    }
    migrate->options.driver = migrate->settings->database_driver;
    migrate->options.uid = (uid_t)-1;
    migrate->options.gid = (gid_t)-1;
    if (geteuid() == 0 && migrate->settings->user_id > 0) {
        migrate->options.uid = (uid_t)migrate->settings->user_id;
        migrate->options.gid = (gid_t)migrate->settings->group_id;
    }
    return check_sqlite_path(migrate, migrate->options.params);
}

static void report(void *baton, const char *line)
{
    migrate_t *migrate = baton;

    if (sb_ctl_given(migrate->ctl, SB_OPTION_JSON)) {
        json_array_append_new(migrate->steps, sb_json_of(line, migrate->ctl->pool));
    }
    else {
        sb_print(migrate->ctl, "%s", line);
    }
}

static void print_json(const migrate_t *migrate, const sb_schema_t *schema, bool dry_run)
{
    json_t *json = json_object();

    json_object_set_new(json, "database", json_string(migrate->options.driver));
    json_object_set_new(json, "state", json_string(sb_schema_state_word(schema->state)));
    json_object_set_new(json, "found", json_integer(schema->found));
    json_object_set_new(json, "ours", json_integer(schema->ours));
    json_object_set_new(json, "oldest", json_integer(schema->oldest));
    json_object_set_new(json, "dry_run", json_boolean(dry_run));
    json_object_set_new(json, "steps", json_incref(migrate->steps));
    sb_print_json(json);
}

static const char *sentence_of(const sb_schema_t *schema, apr_pool_t *pool)
{
    switch (schema->state) {
    case SB_SCHEMA_CURRENT:
        return apr_psprintf(pool, "The schema is current (version %d).", schema->found);
    case SB_SCHEMA_MISSING:
        return "The database has no tables yet; run subbillctl migrate.";
    case SB_SCHEMA_OLDER:
        return apr_psprintf(pool,
                            "The schema is version %d and must become %d; run subbillctl "
                            "migrate.",
                            schema->found, schema->ours);
    case SB_SCHEMA_NEWER:
        return apr_psprintf(pool,
                            "The schema is version %d, newer than this program's %d, and "
                            "can still be used by it.",
                            schema->found, schema->ours);
    case SB_SCHEMA_INCOMPATIBLE:
        break;
    }
    return apr_psprintf(pool,
                        "The schema is version %d and this program knows %d; install a "
                        "newer module and subbillctl.",
                        schema->found, schema->ours);
}

static bool is_usable(const sb_schema_t *schema)
{
    return schema->state == SB_SCHEMA_CURRENT || schema->state == SB_SCHEMA_NEWER;
}

/* --check and --dry-run look and change nothing; they differ in what they call good news. */
static sb_exit_e look(migrate_t *migrate)
{
    const sb_ctl_t *ctl = migrate->ctl;
    bool dry_run = sb_ctl_given(ctl, SB_OPTION_DRY_RUN);
    sb_schema_t schema;
    sb_result_t result;
    sb_exit_e status = sb_ctl_drop_rights(ctl, migrate->settings);

    if (status != SB_EXIT_OK) {
        return status;
    }
    sb_result_clear(&result);
    if (sb_migrate_check(&schema, &result, &migrate->options, ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    bool due = schema.state == SB_SCHEMA_MISSING || schema.state == SB_SCHEMA_OLDER;
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        print_json(migrate, &schema, dry_run);
    }
    else if (dry_run && due) {
        sb_print(ctl, "Would bring the schema from version %d to %d.", schema.found,
                 schema.ours);
    }
    else {
        sb_print(ctl, "%s", sentence_of(&schema, ctl->pool));
    }
    return is_usable(&schema) || (dry_run && due) ? SB_EXIT_OK : SB_EXIT_FAILED;
}

static sb_exit_e apply(migrate_t *migrate)
{
    const sb_ctl_t *ctl = migrate->ctl;
    sb_migrate_options_t *options = &migrate->options;
    sb_schema_t schema;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_migrate_prepare(&result, options, ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (options->uid != (uid_t)-1) {
        sb_exit_e status = sb_ctl_drop_rights(ctl, migrate->settings);
        if (status != SB_EXIT_OK) {
            return status;
        }
        options->uid = (uid_t)-1; /* it is theirs already */
    }
    if (sb_migrate_apply(&schema, &result, options, ctl->pool) != SB_OK) {
        return sb_fail_result(ctl, &result);
    }
    if (strcmp(options->driver, "sqlite3") == 0 && geteuid() == 0) {
        report(migrate, "made as root: the User of httpd must be able to write the file "
                        "and its folder; --owner gives them away");
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        print_json(migrate, &schema, false);
    }
    else {
        sb_print(ctl, "%s", sentence_of(&schema, ctl->pool));
    }
    return SB_EXIT_OK;
}

sb_exit_e sb_command_migrate(sb_ctl_t *ctl)
{
    migrate_t migrate = {.ctl = ctl, .steps = json_array()};

    if (sb_ctl_given(ctl, SB_OPTION_OWNER) && !sb_ctl_given(ctl, SB_OPTION_DATABASE)) {
        return sb_fail(ctl, SB_EXIT_USAGE, "usage", "Leave it out, or add --database.",
                       "--owner belongs to --database; otherwise the file is given to "
                       "httpd's User.");
    }
    sb_exit_e status = prepare(&migrate);
    if (status == SB_EXIT_OK) {
        migrate.options.report = report;
        migrate.options.baton = &migrate;
        status = ctl->options.given & (SB_OPTION_CHECK | SB_OPTION_DRY_RUN)
                     ? look(&migrate)
                     : apply(&migrate);
    }
    json_decref(migrate.steps);
    return status;
}
