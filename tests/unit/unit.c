/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

apr_pool_t *sb_unit_pool;

void sb_unit_setup(void)
{
    ck_assert_int_eq(apr_pool_create(&sb_unit_pool, NULL), APR_SUCCESS);
}

void sb_unit_teardown(void)
{
    apr_pool_destroy(sb_unit_pool);
    sb_unit_pool = NULL;
}

TCase *sb_unit_case(const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, sb_unit_setup, sb_unit_teardown);
    return tcase;
}

const char *sb_unit_file(const char *path, apr_size_t *length)
{
    apr_file_t *file;
    apr_finfo_t info;

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, sb_unit_pool) !=
        APR_SUCCESS) {
        return NULL;
    }
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    char *text = apr_palloc(sb_unit_pool, (apr_size_t)info.size + 1);
    ck_assert_int_eq(apr_file_read_full(file, text, (apr_size_t)info.size, NULL),
                     APR_SUCCESS);
    text[info.size] = '\0';
    apr_file_close(file);
    if (length) {
        *length = (apr_size_t)info.size;
    }
    return text;
}

json_t *sb_unit_data(const char *name)
{
    const char *folder = getenv("SB_UNIT_DATA");
    const char *path =
        apr_pstrcat(sb_unit_pool, folder ? folder : "tests/unit/data", "/", name, NULL);
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);

    ck_assert_msg(json != NULL, "%s: %s", path, error.text);
    return json;
}

char *sb_unit_unhex(const char *hex, apr_size_t *length)
{
    apr_size_t n = strlen(hex) / 2;
    char *bytes = apr_palloc(sb_unit_pool, n + 1);

    for (apr_size_t i = 0; i < n; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (char)strtol(digits, NULL, 16);
    }
    bytes[n] = '\0';
    *length = n;
    return bytes;
}

json_t *sb_unit_json(const char *text)
{
    char *copy = apr_pstrdup(sb_unit_pool, text);
    json_error_t error;

    for (char *p = copy; *p; p++) {
        if (*p == '\'') {
            *p = '"';
        }
    }
    json_t *json = json_loads(copy, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json != NULL, "%s in %s", error.text, copy);
    return json;
}
