/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/file.h"

#include <apr_file_io.h>
#include <apr_strings.h>

static const char *unreadable(const char *path, apr_status_t rv, apr_pool_t *pool)
{
    char reason[200];

    return apr_psprintf(pool, "%s cannot be read (%s)", path,
                        apr_strerror(rv, reason, sizeof(reason)));
}

static const char *read_open(const char **text, apr_size_t *length, apr_file_t *file,
                             const char *path, apr_size_t max, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_size_t n = 0;
    apr_status_t rv = apr_file_info_get(&info, APR_FINFO_TYPE | APR_FINFO_SIZE, file);

    if (rv != APR_SUCCESS || info.filetype != APR_REG) {
        return apr_psprintf(pool, "%s is not a regular file", path);
    }
    if (info.size > (apr_off_t)max) {
        return apr_psprintf(pool, "%s is larger than %" APR_SIZE_T_FMT " KiB", path,
                            max / 1024);
    }
    char *bytes = apr_palloc(pool, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, bytes, (apr_size_t)info.size, &n);
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EOF(rv)) {
        return unreadable(path, rv, pool);
    }
    bytes[n] = '\0';
    *text = bytes;
    if (length) {
        *length = n;
    }
    return NULL;
}

const char *sb_file_read(const char **text, apr_size_t *length, const char *path,
                         apr_size_t max, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, pool);

    if (rv != APR_SUCCESS) {
        return unreadable(path, rv, pool);
    }
    const char *error = read_open(text, length, file, path, max, pool);
    apr_file_close(file);
    return error;
}
