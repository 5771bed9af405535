/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "fuzz.h"
#include "text/template.h"

#include <string.h>

/* Input: a page's template NUL the template of its partials, whatever they are called. The
 * values are fixed, and hostile. */

static json_t *values, *texts;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    values = json_loads(
        "{\"name\":\"<script>alert(1)</script>\",\"a\":{\"b\":{\"c\":\"<&\\\"'\"}},"
        "\"empty\":\"\",\"none\":null,\"yes\":true,\"no\":false,\"zero\":0,\"n\":-3,"
        "\"real\":1e300,\"void\":[],\"bytes\":\"\\u0001\\u202e\\u00e9\\ud83d\\ude00\","
        "\"list\":[1,\"<b>\",{\"name\":\"<i>\",\"list\":[true,null,[\"x\"]]}],"
        "\"plans\":[{\"plan\":\"basic\",\"name\":\"<Basic>\"},{\"plan\":\"pro\"}]}",
        0, NULL);
    texts = json_loads("{\"t\":{\"title\":\"Plans < All\"},\"lang\":\"en\"}", 0, NULL);
    sb_fuzz_holds(values && texts, "the target's own values are JSON");
    return 0;
}

static const sb_template_t *partial_find(const void *baton, const char *name)
{
    return baton;
}

/* Whether every value it prints is escaped: no "{{{", no "&" and, so that it can be seen, no "<" of its
 * own. */
static bool is_careful(const uint8_t *data, size_t size)
{
    size_t braces = 0;

    for (size_t i = 0; i < size; i++) {
        bool blank = data[i] && strchr(" \t\r\n", data[i]);
        braces = data[i] == '{' ? braces + 1 : blank ? braces : 0;
        if (braces > 2 || data[i] == '<' || data[i] == '&') {
            return false;
        }
    }
    return true;
}

static void names_check(const sb_template_t *tmpl, apr_pool_t *pool)
{
    const apr_array_header_t *names = sb_template_names(tmpl, pool);

    for (int i = 0; i < names->nelts; i++) {
        const sb_template_name_t *name = &APR_ARRAY_IDX(names, i, sb_template_name_t);
        sb_fuzz_holds(*name->name && name->line > 0, "a name stands in some line");
    }
}

static bool parse(sb_template_t **tmpl, const char *name, const char *source, size_t size,
                  apr_pool_t *pool)
{
    sb_result_t result = {.status = SB_OK};

    if (sb_template_parse(tmpl, &result, name, source, size, pool) == SB_OK) {
        names_check(*tmpl, pool);
        return true;
    }
    sb_fuzz_holds(result.code && strcmp(result.code, "template_syntax") == 0 &&
                      strstr(result.message, name) == result.message,
                  "a refusal says in which file");
    return false;
}

/* T27, T47: what an operator wrote, around what strangers wrote. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    const char *source = (const char *)data;
    const char *cut = size ? memchr(source, '\0', size) : NULL;
    size_t length = cut ? (size_t)(cut - source) : size;
    sb_result_t result = {.status = SB_OK};
    sb_template_t *page, *partial = NULL;
    const char *html;
    apr_size_t html_length;

    if (!parse(&page, "page", source, length, pool) ||
        (cut && !parse(&partial, "partial", cut + 1, size - length - 1, pool))) {
        return 0;
    }
    const sb_template_partials_t partials = {.find = partial_find, .baton = partial};
    if (sb_template_render(&html, &html_length, &result, page, texts, values, &partials,
                           pool) != SB_OK) {
        sb_fuzz_holds(result.code && result.message, "a failure has its reason");
        return 0;
    }
    sb_fuzz_holds(html_length <= SB_TEMPLATE_OUTPUT_MAX && !html[html_length],
                  "a page is bounded and ended");
    sb_fuzz_holds(!is_careful(data, size) || !memchr(html, '<', html_length),
                  "values are escaped");
    return 0;
}
