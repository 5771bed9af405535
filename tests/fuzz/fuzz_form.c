/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/form.h"
#include "base/utf8.h"
#include "fuzz.h"

#include <string.h>

/* Input: a posted body or a query string, as it comes. */

static void pairs_check(const sb_form_t *form)
{
    for (int i = 0; i < sb_form_count(form); i++) {
        const char *name = sb_form_name_at(form, i), *value;
        sb_result_t result;
        sb_status_e status = sb_form_get(&value, &result, form, name);
        int same = 0;
        for (int j = 0; j < sb_form_count(form); j++) {
            same += strcmp(sb_form_name_at(form, j), name) == 0;
        }
        sb_fuzz_holds(*name, "every field has a name");
        sb_fuzz_holds(sb_utf8_valid(name, strlen(name)), "names are UTF-8");
        sb_fuzz_holds(
            sb_utf8_valid(sb_form_value_at(form, i), strlen(sb_form_value_at(form, i))),
            "values are UTF-8");
        sb_fuzz_holds(same == 1 ? status == SB_OK && value == sb_form_value_at(form, i)
                                : status == SB_INVALID && !value,
                      "a field is read when it was sent once");
    }
}

/* T10, T34, T47: what browsers and programs post. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_form_t *form, *again;
    sb_result_t result;

    sb_result_clear(&result);
    if (sb_form_parse(&form, &result, (const char *)data, size, SB_FORM_PAIRS_MAX,
                      pool) != SB_OK) {
        sb_fuzz_holds(!form && result.code && result.message, "a refusal has its reason");
        return 0;
    }
    sb_fuzz_holds(sb_form_count(form) <= SB_FORM_PAIRS_MAX, "fields are bounded");
    pairs_check(form);
    const char *text = sb_form_encode(form, pool);
    sb_fuzz_holds(sb_form_parse(&again, NULL, text, strlen(text), SB_FORM_PAIRS_MAX,
                                pool) == SB_OK &&
                      sb_form_count(again) == sb_form_count(form) &&
                      strcmp(sb_form_encode(again, pool), text) == 0,
                  "what was written is read back");
    for (int i = 0; i < sb_form_count(form); i++) {
        sb_fuzz_holds(!strcmp(sb_form_name_at(form, i), sb_form_name_at(again, i)) &&
                          !strcmp(sb_form_value_at(form, i), sb_form_value_at(again, i)),
                      "fields survive encoding");
    }
    return 0;
}
