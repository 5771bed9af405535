/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/json.h"
#include "fuzz.h"

#include <string.h>

/* Input: JSON, as it comes. */

static int depth_of(const json_t *json)
{
    int deepest = 0;
    size_t i;
    const char *key;
    json_t *value;

    if (!json_is_object(json) && !json_is_array(json)) {
        return 0;
    }
    json_array_foreach((json_t *)json, i, value)
    {
        int depth = depth_of(value);
        deepest = depth > deepest ? depth : deepest;
    }
    json_object_foreach((json_t *)json, key, value)
    {
        int depth = depth_of(value);
        deepest = depth > deepest ? depth : deepest;
        sb_json_id(value);
        sb_json_text(json, key); /* a key may look like a path */
    }
    return deepest + 1;
}

static void paths_try(const json_t *json)
{
    static const char *const paths[] = {
        "",  ".",   "..",    "id",        "data.object",
        "0", "0.0", "a.b.c", "data.0.id", "99999999999999999999"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        sb_json_text(json, paths[i]);
        sb_json_int(json, paths[i], -1);
        sb_json_bool(json, paths[i], false);
        sb_json_id(sb_json_get(json, paths[i]));
    }
}

/* T34, T47: a body before anything is known about it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    char error[120] = "";
    json_t *json, *again = NULL;

    if (!sb_json_parse(&json, error, sizeof(error), (const char *)data, size,
                       SB_JSON_DEPTH)) {
        sb_fuzz_holds(!json && *error, "a refusal has its reason");
        return 0;
    }
    sb_fuzz_holds(json_is_object(json) || json_is_array(json),
                  "it is an object or array");
    sb_fuzz_holds(depth_of(json) <= SB_JSON_DEPTH, "nesting is bounded");
    paths_try(json);
    const char *text = sb_json_dump(json, pool);
    sb_fuzz_holds(text && sb_json_parse(&again, error, sizeof(error), text, strlen(text),
                                        SB_JSON_DEPTH),
                  "what was written is read back");
    sb_fuzz_holds(json_equal(json, again), "values survive writing");
    json_decref(again);
    json_decref(json);
    return 0;
}
