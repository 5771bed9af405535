/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/program.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both outputs go to nameless temporary files, so that neither can fill a pipe while the other is
 * read. */

const char *sb_program_find(const char *name, apr_pool_t *pool)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/')) {
        return name;
    }
    char *folders = apr_pstrcat(pool, path ? path : "",
                                ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", NULL);
    char *rest = folders;
    for (char *folder = apr_strtok(folders, ":", &rest); folder;
         folder = apr_strtok(NULL, ":", &rest)) {
        const char *found = apr_pstrcat(pool, folder, "/", name, NULL);
        if (*folder == '/' && access(found, X_OK) == 0) {
            return found;
        }
    }
    return NULL;
}

static apr_status_t scratch_file(apr_file_t **file, apr_pool_t *pool)
{
    const char *folder;
    apr_status_t rv = apr_temp_dir_get(&folder, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    char *name = apr_pstrcat(pool, folder, "/subbillctl.XXXXXX", NULL);
    return apr_file_mktemp(file, name, 0, pool);
}

static apr_status_t read_back(const char **text, apr_file_t *file, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_off_t start = 0;
    apr_size_t n = 0;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);

    if (rv == APR_SUCCESS) {
        rv = apr_file_seek(file, APR_SET, &start);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    char *bytes = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, bytes, (apr_size_t)info.size, &n);
    apr_file_close(file);
    *text = bytes;
    return APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
}

static apr_status_t start(apr_proc_t *process, const char *const argv[], apr_file_t *out,
                          apr_file_t *err, apr_pool_t *pool)
{
    apr_procattr_t *attributes;
    apr_status_t rv = apr_procattr_create(&attributes, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_procattr_io_set(attributes, APR_NO_FILE, APR_NO_PIPE, APR_NO_PIPE);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_child_out_set(attributes, out, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_child_err_set(attributes, err, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_cmdtype_set(attributes, APR_PROGRAM_ENV);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_error_check_set(attributes, 1);
    }
    return rv != APR_SUCCESS
               ? rv
               : apr_proc_create(process, argv[0], argv, NULL, attributes, pool);
}

apr_status_t sb_program_run(sb_program_t *program, const char *const argv[],
                            apr_pool_t *pool)
{
    apr_file_t *out, *err;
    apr_proc_t process;
    apr_exit_why_e why;

    *program = (sb_program_t){.exit_code = -1};
    apr_status_t rv = scratch_file(&out, pool);
    if (rv == APR_SUCCESS) {
        rv = scratch_file(&err, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = start(&process, argv, out, err, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_proc_wait(&process, &program->exit_code, &why, APR_WAIT);
    if (!APR_STATUS_IS_CHILD_DONE(rv)) {
        return rv;
    }
    rv = read_back(&program->out, out, pool);
    return rv != APR_SUCCESS ? rv : read_back(&program->err, err, pool);
}
