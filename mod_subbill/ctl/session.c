/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/session.h"

#include "base/file.h"
#include "base/secret.h"
#include "ctl/output.h"
#include "ctl/settings.h"

#include <apr_env.h>
#include <apr_strings.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sb_exit_e sb_ctl_catalog(sb_catalog_t **catalog, sb_result_t *result, const sb_ctl_t *ctl,
                         const char *path)
{
    const char *text;
    apr_size_t length;

    *catalog = NULL;
    sb_result_clear(result);
    if (!path) {
        return SB_EXIT_OK;
    }
    const char *error =
        sb_file_read(&text, &length, path, SB_CATALOG_BYTES_MAX, ctl->pool);
    if (error) {
        return sb_fail(ctl, SB_EXIT_CONFIG, "catalog_unreadable", NULL, "%s.", error);
    }
    return sb_catalog_parse(catalog, result, text, length, ctl->pool) == SB_OK
               ? SB_EXIT_OK
               : SB_EXIT_FAILED;
}

/* A source that only httpd's environment can resolve deserves a word more. */
static const char *source_hint(const char *source)
{
    if (strncmp(source, "env:", 4) == 0) {
        return "subbillctl reads env: sources from its own environment; on Debian start "
               "it "
               "by: . /etc/apache2/envvars && subbillctl …";
    }
    return geteuid() == 0 ? NULL : "Only root may read it; run this command as root.";
}

sb_exit_e sb_ctl_database_params(const char **params, const sb_ctl_t *ctl,
                                 const sb_settings_t *settings)
{
    const char *error = sb_settings_database_params(params, settings, ctl->pool);

    return error ? sb_fail(ctl, SB_EXIT_CONFIG, "database_source",
                           settings->database_params
                               ? source_hint(settings->database_params)
                               : NULL,
                           "SubbillDatabase: %s.", error)
                 : SB_EXIT_OK;
}

static sb_exit_e read_keys(apr_array_header_t *keys, const sb_ctl_t *ctl,
                           const sb_settings_t *settings)
{
    const char *mode = settings->live ? "k_live_" : "k_test_";

    for (int i = 0; i < settings->stripe_keys->nelts; i++) {
        const char *source = APR_ARRAY_IDX(settings->stripe_keys, i, const char *);
        const char *key;
        const char *error =
            sb_secret_read(&key, source, settings->server_root, ctl->pool);
        if (error) {
            return sb_fail(ctl, SB_EXIT_CONFIG, "stripe_key_source", source_hint(source),
                           "SubbillStripeKey: %s.", error);
        }
        if (*key && strncmp(key + 1, mode, strlen(mode)) == 0) {
            APR_ARRAY_PUSH(keys, const char *) = key;
        }
    }
    return SB_EXIT_OK;
}

const char *sb_ctl_operator(apr_pool_t *pool)
{
    enum { NAME_MAX_BYTES = 64 };
    const struct passwd *user = getpwuid(getuid());
    const char *name = getuid() == 0 ? getenv("SUDO_USER") : NULL;

    if (!name || !*name) {
        name = user ? user->pw_name : apr_psprintf(pool, "uid %d", (int)getuid());
    }
    return apr_pstrndup(pool, name, NAME_MAX_BYTES);
}

sb_exit_e sb_ctl_drop_rights(const sb_ctl_t *ctl, const sb_settings_t *settings)
{
    if (geteuid() != 0 || settings->user_id <= 0 || settings->group_id < 0) {
        return SB_EXIT_OK;
    }
    uid_t uid = (uid_t)settings->user_id;
    gid_t gid = (gid_t)settings->group_id;
    const struct passwd *user = getpwuid(uid);
    int refused = user ? initgroups(user->pw_name, gid) : setgroups(1, &gid);

    if (refused || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) {
        return sb_fail(ctl, SB_EXIT_FAILED, "rights",
                       "Run the command as root or as httpd's User.",
                       "The rights of root cannot be given up for those of httpd's User "
                       "(%s).",
                       strerror(errno));
    }
    if (user) {
        /* libpq looks for files below HOME and gives up where it may not look. */
        apr_env_set("HOME", user->pw_dir, ctl->pool);
    }
    return SB_EXIT_OK;
}

/* The counters exist while httpd runs; a file made here would be root's or nobody's. */
static sb_epochs_t *open_epochs(const sb_settings_t *settings, apr_pool_t *pool)
{
    sb_epochs_t *epochs = NULL;

    if (settings->epochs_path && access(settings->epochs_path, F_OK) == 0) {
        sb_epochs_open(&epochs, settings->epochs_path, pool);
    }
    return epochs;
}

static sb_exit_e configured_catalog(sb_catalog_t **catalog, const sb_ctl_t *ctl,
                                    const sb_settings_t *settings)
{
    sb_result_t result;
    sb_exit_e status = sb_ctl_catalog(catalog, &result, ctl, settings->catalog_path);

    return status == SB_EXIT_FAILED
               ? sb_fail(ctl, SB_EXIT_CONFIG, "bad_catalog", result.hint, "%s: %s",
                         settings->catalog_path, result.message)
               : status;
}

sb_exit_e sb_ctl_service(sb_service_t **service, const sb_ctl_t *ctl, bool with_stripe)
{
    const sb_settings_t *settings;
    sb_service_options_t options = {.stripe_keys = NULL};
    sb_catalog_t *catalog = NULL;
    sb_result_t result;
    apr_array_header_t *keys = apr_array_make(ctl->pool, 2, sizeof(const char *));
    sb_exit_e status = sb_ctl_settings(&settings, ctl);

    *service = NULL;
    if (status == SB_EXIT_OK) {
        status = configured_catalog(&catalog, ctl, settings);
    }
    if (status == SB_EXIT_OK) {
        status = sb_ctl_database_params(&options.database_params, ctl, settings);
    }
    if (status == SB_EXIT_OK && with_stripe) {
        status = read_keys(keys, ctl, settings);
    }
    if (status == SB_EXIT_OK) {
        options.epochs = open_epochs(settings, ctl->pool);
        status = sb_ctl_drop_rights(ctl, settings);
    }
    if (status != SB_EXIT_OK) {
        return status;
    }
    options.settings = settings;
    options.catalog = catalog;
    options.stripe_keys = keys;
    sb_result_clear(&result);
    return sb_service_create(service, &result, &options, ctl->pool) == SB_OK
               ? SB_EXIT_OK
               : sb_fail_result(ctl, &result);
}
