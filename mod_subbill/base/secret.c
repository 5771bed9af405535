/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/secret.h"

#include "base/clock.h"
#include "base/file.h"

#include <apr_env.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <string.h>

#define SECRET_MAX_BYTES (8 * 1024)
#define FILE_MAX_BYTES   (64 * 1024)
#define EXEC_STEP_MS     20

static const char *reason_of(apr_status_t rv, apr_pool_t *pool)
{
    char text[200];

    return apr_pstrdup(pool, apr_strerror(rv, text, sizeof(text)));
}

const char *sb_secret_source_check(const char *source, apr_pool_t *pool)
{
    static const char *const looks_secret[] = {"sk_", "rk_", "whsec_"};

    for (apr_size_t i = 0; i < sizeof(looks_secret) / sizeof(*looks_secret); i++) {
        if (strncmp(source, looks_secret[i], strlen(looks_secret[i])) == 0) {
            return "the secret itself stands in the configuration, where server-info and "
                   "configuration dumps show it; put it into a file that only root may "
                   "read and "
                   "write file:/path/to/that/file, file:/path/to/env#NAME, env:NAME or "
                   "exec:/path/to/program instead";
        }
    }
    if (strncmp(source, "file:", 5) == 0) {
        return source[5] && source[5] != '#'
                   ? NULL
                   : "file: needs a path, as in file:/etc/subbill/stripe.key";
    }
    if (strncmp(source, "env:", 4) == 0) {
        return source[4] ? NULL : "env: needs a name, as in env:STRIPE_SECRET_KEY";
    }
    if (strncmp(source, "exec:", 5) == 0) {
        return source[5] == '/' ? NULL
                                : "exec: needs the absolute path of a program, as in "
                                  "exec:/usr/local/sbin/stripe-key";
    }
    return "a secret is named by its source: file:/path, file:/path#NAME, env:NAME or "
           "exec:/path ARGS";
}

/* Whole file of at most FILE_MAX_BYTES as a string. */
static const char *file_read(const char **text, const char *path, apr_pool_t *pool)
{
    apr_size_t length;
    const char *error = sb_file_read(text, &length, path, FILE_MAX_BYTES, pool);

    if (error) {
        return apr_pstrcat(pool, error,
                           "; a secret is a small file, readable by root only", NULL);
    }
    if (strlen(*text) != length) {
        return apr_psprintf(pool, "%s holds a NUL byte; a secret is one line of text",
                            path);
    }
    return NULL;
}

static char *trimmed(char *text)
{
    while (apr_isspace(*text)) {
        text++;
    }
    char *end = text + strlen(text);
    while (end > text && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    return text;
}

/* The value of name in a dotenv text: NAME=value, `export NAME=value`, # comments, and single or
 * double quotes round the whole value. Nothing is expanded. */
static const char *dotenv_value(char *text, const char *name)
{
    char *rest = text;

    for (char *line = apr_strtok(text, "\n", &rest); line;
         line = apr_strtok(NULL, "\n", &rest)) {
        line = trimmed(line);
        if (strncmp(line, "export ", 7) == 0) {
            line = trimmed(line + 7);
        }
        char *equals = strchr(line, '=');
        if (*line == '#' || !equals) {
            continue;
        }
        *equals = '\0';
        if (strcmp(trimmed(line), name) != 0) {
            continue;
        }
        char *value = trimmed(equals + 1);
        apr_size_t length = strlen(value);
        if (length >= 2 && (*value == '"' || *value == '\'') &&
            value[length - 1] == *value) {
            value[length - 1] = '\0';
            return value + 1;
        }
        char *comment = strstr(value, " #");
        if (comment) {
            *comment = '\0';
        }
        return trimmed(value);
    }
    return NULL;
}

/* The path of what stands behind file:; *name: what follows its #, or NULL. */
static const char *file_path(char **name, const char *source, const char *root,
                             apr_pool_t *pool)
{
    char *path = apr_pstrdup(pool, source);

    *name = strchr(path, '#');
    if (*name) {
        *(*name)++ = '\0';
    }
    return *path != '/' && root ? apr_pstrcat(pool, root, "/", path, NULL) : path;
}

static const char *read_file(const char **value, const char *source, const char *root,
                             apr_pool_t *pool)
{
    char *name;
    const char *path = file_path(&name, source, root, pool);
    const char *text;

    const char *error = file_read(&text, path, pool);
    if (error) {
        return error;
    }
    if (!name) {
        apr_size_t length = strlen(text);
        if (length && text[length - 1] == '\n') {
            length -= length > 1 && text[length - 2] == '\r' ? 2 : 1;
        }
        *value = apr_pstrmemdup(pool, text, length);
        return NULL;
    }
    *value = dotenv_value(apr_pstrdup(pool, text), name);
    if (!*value) {
        return apr_psprintf(pool, "%s has no line %s=…; add it", path, name);
    }
    return NULL;
}

static apr_status_t exec_start(apr_proc_t *process, const char *command, apr_pool_t *pool)
{
    char **argv;
    apr_procattr_t *attributes;
    apr_status_t rv = apr_tokenize_to_argv(command, &argv, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_procattr_create(&attributes, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_io_set(attributes, APR_NO_FILE, APR_CHILD_BLOCK, APR_NO_PIPE);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_cmdtype_set(attributes, APR_PROGRAM_ENV);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_error_check_set(attributes, 1);
    }
    return rv == APR_SUCCESS
               ? apr_proc_create(process, argv[0], (const char *const *)argv, NULL,
                                 attributes, pool)
               : rv;
}

/* The first line of what the program prints, up to its end; APR_TIMEUP at the deadline, by which a
 * program that drips is stopped as well. Our end of the pipe never blocks. */
static apr_status_t exec_line(char *line, apr_size_t size, apr_proc_t *process,
                              apr_time_t deadline)
{
    apr_size_t length = 0;

    while (length + 1 < size) {
        apr_size_t n = 1;
        apr_status_t rv = apr_file_read(process->out, line + length, &n);
        if (APR_STATUS_IS_EAGAIN(rv)) {
            if (sb_clock_monotonic() >= deadline) {
                return APR_TIMEUP;
            }
            apr_sleep(apr_time_from_msec(EXEC_STEP_MS));
            continue;
        }
        if (rv != APR_SUCCESS || line[length] == '\n') {
            break;
        }
        length++;
    }
    line[length] = '\0';
    return length ? APR_SUCCESS : APR_EOF;
}

static apr_status_t exec_wait(int *exit_code, apr_proc_t *process, apr_time_t deadline)
{
    apr_exit_why_e why;

    while (apr_proc_wait(process, exit_code, &why, APR_NOWAIT) == APR_CHILD_NOTDONE) {
        if (sb_clock_monotonic() >= deadline) {
            return APR_TIMEUP;
        }
        apr_sleep(apr_time_from_msec(EXEC_STEP_MS));
    }
    return APR_SUCCESS;
}

static const char *read_exec(const char **value, const char *command, apr_pool_t *pool)
{
    apr_time_t deadline =
        sb_clock_monotonic() + apr_time_from_sec(SB_SECRET_EXEC_SECONDS);
    apr_proc_t process;
    char line[SECRET_MAX_BYTES];
    int exit_code = 0;

    apr_status_t rv = exec_start(&process, command, pool);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "%s cannot be started (%s)", command,
                            reason_of(rv, pool));
    }
    rv = exec_line(line, sizeof(line), &process, deadline);
    apr_file_close(process.out);
    apr_status_t ended =
        rv == APR_TIMEUP ? rv : exec_wait(&exit_code, &process, deadline);
    if (ended == APR_TIMEUP) {
        apr_exit_why_e why;
        apr_proc_kill(&process, SIGKILL);
        apr_proc_wait(&process, &exit_code, &why, APR_WAIT);
        return apr_psprintf(pool,
                            "%s did not end within %d seconds and was killed; it has to "
                            "print the secret as its first line and end with 0",
                            command, SB_SECRET_EXEC_SECONDS);
    }
    if (rv != APR_SUCCESS || exit_code != 0) {
        return apr_psprintf(
            pool,
            "%s printed no line or ended with status %d; it has to print the "
            "secret as its first line and end with 0",
            command, exit_code);
    }
    line[strcspn(line, "\r\n")] = '\0';
    *value = apr_pstrdup(pool, line);
    return NULL;
}

/* Database parameters hold spaces, keys do not; control bytes are always a copying accident. */
static const char *content_check(const char *value, const char *source, apr_pool_t *pool)
{
    apr_size_t blanks = strspn(value, " \t\r\n");

    if (!value[blanks]) {
        return apr_psprintf(
            pool, "%s is blank; a blank secret would accept anybody's signature", source);
    }
    for (const char *c = value; *c; c++) {
        if (apr_iscntrl(*c)) {
            return apr_psprintf(
                pool,
                "%s holds a line break or control byte (a copied newline?); a "
                "secret is one line of text",
                source);
        }
    }
    if (blanks || apr_isspace(value[strlen(value) - 1])) {
        return apr_psprintf(pool, "%s begins or ends with white space; remove it",
                            source);
    }
    return NULL;
}

const char *sb_secret_read(const char **value, const char *source, const char *root,
                           apr_pool_t *pool)
{
    const char *error = sb_secret_source_check(source, pool);

    if (error) {
        return error;
    }
    if (strncmp(source, "file:", 5) == 0) {
        error = read_file(value, source + 5, root, pool);
    }
    else if (strncmp(source, "exec:", 5) == 0) {
        error = read_exec(value, source + 5, pool);
    }
    else {
        char *text = NULL;
        if (apr_env_get(&text, source + 4, pool) != APR_SUCCESS) {
            error = apr_psprintf(
                pool,
                "the environment variable %s is not set where httpd was started; "
                "set it there (on Debian in /etc/apache2/envvars) or use file:",
                source + 4);
        }
        *value = text;
    }
    return error ? error : content_check(*value, source, pool);
}

const char *sb_secret_exposure(const char *source, const char *root, apr_pool_t *pool)
{
    char *name;
    apr_finfo_t info;

    if (strncmp(source, "file:", 5) != 0) {
        return NULL;
    }
    const char *path = file_path(&name, source + 5, root, pool);
    if (apr_stat(&info, path, APR_FINFO_PROT, pool) != APR_SUCCESS ||
        !(info.protection &
          (APR_FPROT_GREAD | APR_FPROT_GWRITE | APR_FPROT_WREAD | APR_FPROT_WWRITE))) {
        return NULL;
    }
    return apr_psprintf(pool,
                        "%s holds a secret and is open to others than its owner; run "
                        "chmod 600 %s",
                        path, path);
}
