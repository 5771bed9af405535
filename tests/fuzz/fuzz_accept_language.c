/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "fuzz.h"
#include "text/i18n.h"

#include <apr_tables.h>
#include <strings.h>

/* Input: the query's language NUL the cookie's NUL Accept-Language. */

static sb_i18n_t *i18n;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    sb_fuzz_holds(sb_i18n_load(&i18n, NULL, NULL, NULL, sb_fuzz_setup_pool()) == SB_OK,
                  "the built-in texts load");
    return 0;
}

static bool is_loaded(const char *language)
{
    const apr_array_header_t *languages = sb_i18n_languages(i18n);

    for (int i = 0; i < languages->nelts; i++) {
        if (APR_ARRAY_IDX(languages, i, const char *) == language) {
            return true;
        }
    }
    return false;
}

/* T47: what every browser sends, and every page is written by. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_fuzz_input_t input = {.at = (const char *)data, .left = size};
    const char *query = sb_fuzz_text(&input, pool);
    const char *cookie = sb_fuzz_text(&input, pool);
    const char *header = sb_fuzz_text(&input, pool);
    const char *chosen = sb_i18n_choose(i18n, query, cookie, header);

    sb_fuzz_holds(is_loaded(chosen), "a language is chosen that there is");
    sb_fuzz_holds(chosen == sb_i18n_choose(i18n, query, cookie, header),
                  "the same wishes choose the same");
    sb_fuzz_holds(is_loaded(sb_i18n_choose(i18n, NULL, NULL, header)) &&
                      is_loaded(sb_i18n_language(i18n, query)),
                  "every wish ends in a language");
    if (strcasecmp(sb_i18n_language(i18n, query), query) == 0) {
        sb_fuzz_holds(strcasecmp(chosen, query) == 0, "the query goes before the rest");
    }
    sb_fuzz_holds(sb_i18n_text(i18n, query, header) != NULL, "every key has a text");
    return 0;
}
