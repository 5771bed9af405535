/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "ctl/output.h"

#include "base/log.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 16, COLUMN_GAP = 2 };

/* As sb_log_escape(), as long as it comes. */
static const char *escaped(const char *text, apr_pool_t *pool)
{
    apr_size_t size = 4 * strlen(text) + 1;
    char *out = apr_palloc(pool, size);

    sb_log_escape(out, size, text);
    return out;
}

void sb_print(const sb_ctl_t *ctl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *line = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    puts(escaped(line, ctl->pool));
}

void sb_print_pair(const sb_ctl_t *ctl, const char *label, const char *value)
{
    printf("%-*s%s\n", LABEL_WIDTH, apr_pstrcat(ctl->pool, label, ":", NULL),
           value ? escaped(value, ctl->pool) : "-");
}

static void print_lines(FILE *out, const char *indent, const char *text, apr_pool_t *pool)
{
    while (*text) {
        apr_size_t length = strcspn(text, "\n");
        const char *line = apr_pstrmemdup(pool, text, length);
        fprintf(out, "%s%s\n", indent, escaped(line, pool));
        text += length + (text[length] == '\n');
    }
}

void sb_print_block(const sb_ctl_t *ctl, const char *indent, const char *text)
{
    print_lines(stdout, indent, text, ctl->pool);
}

/* --- tables --------------------------------------------------------------------------------- */

struct sb_table_t {
    int columns;
    apr_array_header_t *cells; /* const char *: escaped, row by row, the heads first */
    apr_pool_t *pool;
};

/* Characters, not bytes: what is harmless takes one place each, near enough for a table. */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return width;
}

sb_table_t *sb_table_create(const sb_ctl_t *ctl, const char *const heads[], int columns)
{
    sb_table_t *table = apr_palloc(ctl->pool, sizeof(*table));

    table->columns = columns;
    table->pool = ctl->pool;
    table->cells = apr_array_make(ctl->pool, columns * 16, sizeof(const char *));
    sb_table_add(table, heads);
    return table;
}

void sb_table_add(sb_table_t *table, const char *const cells[])
{
    for (int i = 0; i < table->columns; i++) {
        APR_ARRAY_PUSH(table->cells, const char *) =
            cells[i] && *cells[i] ? escaped(cells[i], table->pool) : "-";
    }
}

void sb_table_print(const sb_table_t *table)
{
    const char *const *cells = (const char *const *)table->cells->elts;
    int *widths = apr_pcalloc(table->pool, sizeof(int) * (apr_size_t)table->columns);

    for (int i = 0; i < table->cells->nelts; i++) {
        int width = width_of(cells[i]);
        if (width > widths[i % table->columns]) {
            widths[i % table->columns] = width;
        }
    }
    for (int i = 0; i < table->cells->nelts; i++) {
        int column = i % table->columns;
        bool last = column == table->columns - 1;
        int padding = last ? 0 : widths[column] - width_of(cells[i]) + COLUMN_GAP;
        printf("%s%*s%s", cells[i], padding, "", last ? "\n" : "");
    }
}

/* --- JSON ----------------------------------------------------------------------------------- */

/* jansson's ASCII still holds DEL, which stands only inside strings and may be written as an
 * escape there. */
void sb_print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII);

    for (const char *c = text; c && *c; c++) {
        if (*c == '\x7f') {
            fputs("\\u007f", stdout);
        }
        else {
            putchar(*c);
        }
    }
    putchar('\n');
    free(text);
    json_decref(json);
}

json_t *sb_json_of(const char *text, apr_pool_t *pool)
{
    if (!text) {
        return json_null();
    }
    json_t *json = json_string(text);
    return json ? json : json_string(escaped(text, pool));
}

json_t *sb_json_time(apr_int64_t time)
{
    return time ? json_integer((json_int_t)time) : json_null();
}

const char *sb_time_text(apr_int64_t time, apr_pool_t *pool)
{
    apr_time_exp_t exploded;

    if (!time || apr_time_exp_gmt(&exploded, apr_time_from_sec(time)) != APR_SUCCESS) {
        return NULL;
    }
    return apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d:%02d UTC",
                        exploded.tm_year + 1900, exploded.tm_mon + 1, exploded.tm_mday,
                        exploded.tm_hour, exploded.tm_min, exploded.tm_sec);
}

/* --- failures ------------------------------------------------------------------------------- */

static sb_exit_e fail(const sb_ctl_t *ctl, sb_exit_e status, const char *code,
                      const char *hint, const char *message)
{
    fflush(stdout);
    fprintf(stderr, "subbillctl: ");
    print_lines(stderr, "", message, ctl->pool);
    if (hint) {
        print_lines(stderr, "  ", hint, ctl->pool);
    }
    if (sb_ctl_given(ctl, SB_OPTION_JSON)) {
        json_t *error = json_object();
        json_object_set_new(error, "code", sb_json_of(code, ctl->pool));
        json_object_set_new(error, "message", sb_json_of(message, ctl->pool));
        json_object_set_new(error, "hint", sb_json_of(hint, ctl->pool));
        sb_print_json(json_pack("{s:o}", "error", error));
    }
    return status;
}

sb_exit_e sb_fail(const sb_ctl_t *ctl, sb_exit_e status, const char *code,
                  const char *hint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const char *message = apr_pvsprintf(ctl->pool, format, args);
    va_end(args);
    return fail(ctl, status, code, hint, message);
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

sb_exit_e sb_exit_of(const sb_result_t *result)
{
    static const char *const configured[] = {"bad_database", "bad_stripe_api",
                                             "stripe_not_configured"};
    const char *code = result->code ? result->code : "";

    if (begins(code, "database_") || begins(code, "schema_")) {
        return SB_EXIT_DATABASE;
    }
    for (size_t i = 0; i < sizeof(configured) / sizeof(*configured); i++) {
        if (strcmp(code, configured[i]) == 0) {
            return SB_EXIT_CONFIG;
        }
    }
    switch (result->status) {
    case SB_INVALID:
        return SB_EXIT_USAGE;
    case SB_UPSTREAM:
    case SB_UNAVAILABLE:
    case SB_TOO_MANY:
        return SB_EXIT_STRIPE;
    default:
        return SB_EXIT_FAILED;
    }
}

sb_exit_e sb_fail_result(const sb_ctl_t *ctl, const sb_result_t *result)
{
    return fail(ctl, sb_exit_of(result), result->code, result->hint,
                result->message ? result->message : "It did not work.");
}

bool sb_print_end(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}
