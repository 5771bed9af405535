/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/source.h"

#include "text/assets.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".mustache";

static sb_status_e unreadable(sb_result_t *result, const char *path, const char *why,
                              apr_pool_t *pool)
{
    return sb_result_setf(
        result, pool, SB_INVALID, "template_unreadable",
        "Make the file readable for the user that starts the server, or "
        "remove it to get the built-in one back.",
        "%s: %s", path, why);
}

sb_status_e sb_source_read(sb_source_t *source, sb_result_t *result, const char *dir,
                           const char *name, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t len = 0;
    char error[120];

    *source = (sb_source_t){.where = name};
    if (!dir) {
        return SB_OK;
    }
    const char *path = apr_pstrcat(pool, dir, "/", name, NULL);
    source->where = path;
    apr_status_t rv = apr_file_open(&file, path, APR_READ | APR_BINARY, 0, pool);
    if (APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv)) {
        return SB_OK;
    }
    if (rv) {
        return unreadable(result, path, apr_strerror(rv, error, sizeof(error)), pool);
    }
    rv = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_TYPE, file);
    if (!rv && (info.filetype != APR_REG || info.size > SB_SOURCE_MAX)) {
        apr_file_close(file);
        return unreadable(result, path, "is not a regular file of at most 512 KiB", pool);
    }
    char *text = rv ? NULL : apr_palloc(pool, (apr_size_t)info.size + 1);
    if (!rv) {
        rv = apr_file_read_full(file, text, (apr_size_t)info.size, &len);
    }
    apr_file_close(file);
    if (rv && !(text && APR_STATUS_IS_EOF(rv))) {
        return unreadable(result, path, apr_strerror(rv, error, sizeof(error)), pool);
    }
    text[len] = '\0';
    source->text = text;
    source->len = len;
    return SB_OK;
}

bool sb_source_builtin(sb_source_t *source, const char *name, apr_pool_t *pool)
{
    const sb_asset_t *asset = sb_asset_find(name);

    if (!asset) {
        return false;
    }
    *source = (sb_source_t){.where = apr_pstrcat(pool, "built-in ", name, NULL),
                            .text = asset->data,
                            .len = asset->len};
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

apr_array_header_t *sb_source_list(const char *dir, const char *subdir, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 8, sizeof(const char *));
    apr_dir_t *handle;
    apr_finfo_t info;

    if (!dir) {
        return names;
    }
    if (apr_dir_open(&handle, apr_pstrcat(pool, dir, "/", subdir, NULL), pool)) {
        return names;
    }
    while (!apr_dir_read(&info, APR_FINFO_NAME, handle)) {
        apr_size_t len = strlen(info.name), tail = sizeof(suffix) - 1;
        if (len > tail && !strcmp(info.name + len - tail, suffix) &&
            info.name[0] != '.') {
            *(const char **)apr_array_push(names) =
                apr_pstrmemdup(pool, info.name, len - tail);
        }
    }
    apr_dir_close(handle);
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *), compare_names);
    return names;
}
