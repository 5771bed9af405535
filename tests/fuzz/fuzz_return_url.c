/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/return_url.h"
#include "fuzz.h"

#include <apr_strings.h>
#include <string.h>

/* Input: the server's own address NUL allowed origins, a space between them NUL the address asked
 * for. The first two come from the configuration: what that would refuse is left out. */

#define ORIGINS_MAX 8

/* Scheme, host and port, cut by hand at the first slash behind "//", which has to be there. */
static const char *origin_cut(const char *url, apr_pool_t *pool)
{
    apr_size_t scheme = strcspn(url, ":");

    sb_fuzz_holds(!strncmp(url + scheme, "://", 3), "an accepted address has a scheme");
    apr_size_t length = scheme + 3 + strcspn(url + scheme + 3, "/");
    sb_fuzz_holds(url[length] == '/', "an accepted address has a path");
    return apr_pstrmemdup(pool, url, length);
}

static void text_check(const char *url, const char *origin, apr_pool_t *pool)
{
    const char *path = url + strlen(origin);

    path = apr_pstrmemdup(pool, path, strcspn(path, "?#"));
    sb_fuzz_holds(!strncmp(url, "http://", 7) || !strncmp(url, "https://", 8),
                  "the scheme is http or https");
    for (const char *c = url; *c; c++) {
        sb_fuzz_holds(*c > ' ' && *c < 0x7f && !strchr("\\<>\"`^|", *c),
                      "an accepted address holds URL text only");
    }
    sb_fuzz_holds(!strpbrk(origin + 8, "@?#%"), "an origin is scheme, host and port");
    sb_fuzz_holds(path[1] != '/', "the path does not name another host");
    sb_fuzz_holds(!strstr(path, "/../") && !strstr(path, "/./"),
                  "dot segments are resolved");
}

/* T24, T47: where a client wants its buyer to be sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_fuzz_input_t fields = {.at = (const char *)data, .left = size};
    const char *base = sb_fuzz_text(&fields, pool);
    const char *list = sb_fuzz_text(&fields, pool);
    const char *input = sb_fuzz_text(&fields, pool);
    const char *origins[ORIGINS_MAX], *url, *again, *origin;
    char *rest;
    int n = 0;

    sb_url_origin(input, pool);
    if (sb_return_origin_check(base, pool)) {
        return 0;
    }
    for (char *word = apr_strtok(apr_pstrdup(pool, list), " ", &rest);
         word && n < ORIGINS_MAX; word = apr_strtok(NULL, " ", &rest)) {
        if (!sb_return_origin_check(word, pool)) {
            origins[n++] = word;
        }
    }
    if (sb_return_url_check(&url, NULL, input, base, origins, n, pool) != SB_OK) {
        return 0;
    }
    origin = origin_cut(url, pool);
    text_check(url, origin, pool);
    bool known = strcmp(origin, sb_url_origin(base, pool)) == 0;
    for (int i = 0; i < n; i++) {
        known |= strcmp(origin, sb_url_origin(origins[i], pool)) == 0;
    }
    sb_fuzz_holds(known, "an accepted address keeps an allowed origin");
    if (strlen(url) <= SB_RETURN_URL_MAX) {
        sb_fuzz_holds(sb_return_url_check(&again, NULL, url, base, origins, n, pool) ==
                              SB_OK &&
                          strcmp(again, url) == 0,
                      "an accepted address is accepted again, unchanged");
        sb_fuzz_holds(strcmp(sb_url_origin(url, pool), origin) == 0,
                      "both readings find the same origin");
    }
    return 0;
}
