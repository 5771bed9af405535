/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/form.h"
#include "base/log.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "text/escape.h"

#include <stdlib.h>
#include <string.h>

/* Input: text of a stranger's on its way into a page, an address, the log. */

static void log_check(const char *text)
{
    char line[256], tiny[7];

    sb_log_escape(line, sizeof(line), text);
    sb_log_escape(tiny, sizeof(tiny), text);
    sb_fuzz_holds(strlen(tiny) < sizeof(tiny), "a short line is ended");
    sb_fuzz_holds(sb_utf8_valid(line, strlen(line)), "a line of the log is UTF-8");
    for (const char *c = line; *c; c++) {
        sb_fuzz_holds((unsigned char)*c >= ' ' && *c != 0x7f &&
                          !(c[0] == '\xc2' && (unsigned char)c[1] < 0xa0),
                      "a line of the log holds no control character");
    }
}

/* T27, T43, T47: names, messages, addresses. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_fuzz_input_t input = {.at = (const char *)data, .left = size};
    apr_size_t length;
    sb_form_t *form;
    const char *html = sb_escape_html((const char *)data, size, &length, pool);

    sb_fuzz_holds(!html[length] && sb_utf8_valid(html, length), "HTML is UTF-8, ended");
    sb_fuzz_holds(!strpbrk(html, "<>\"'"), "text stays text in a page");

    const char *text = sb_fuzz_text(&input, pool);
    const char *url = sb_escape_url(text, pool);
    sb_fuzz_holds(strcmp(url, sb_form_escape(text, pool)) == 0,
                  "addresses are written in one way");
    if (*text && sb_utf8_valid(text, strlen(text))) {
        sb_fuzz_holds(sb_form_parse(&form, NULL, url, strlen(url), 1, pool) == SB_OK &&
                          strcmp(sb_form_name_at(form, 0), text) == 0,
                      "what was escaped is read back");
    }
    log_check(text);
    return 0;
}
