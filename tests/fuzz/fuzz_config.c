/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/secret.h"
#include "domain/identity.h"
#include "domain/return_url.h"
#include "fuzz.h"
#include "net/http.h"
#include "store/dsn.h"

#include <string.h>

/* Input: the argument of a directive or of subbillctl, offered to everything that takes one. */

static void dsn_try(const char *driver, const char *params, apr_pool_t *pool)
{
    sb_result_t result = {.status = SB_OK};
    sb_dsn_t dsn, copy;

    if (sb_dsn_parse(&dsn, &result, driver, params, pool) != SB_OK) {
        sb_fuzz_holds(result.code && strcmp(result.code, "bad_database") == 0,
                      "a refusal has its reason");
        return;
    }
    sb_fuzz_holds(dsn.params && dsn.driver, "a database has driver and parameters");
    sb_dsn_copy(&copy, &dsn, pool);
    const char *told = sb_dsn_redact(&copy, params, pool);
    sb_fuzz_holds(!strpbrk(told, "\r\n"), "a message is one line");
}

/* T37, T39, T47: what stands in the configuration or on the command line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_fuzz_input_t input = {.at = (const char *)data, .left = size};
    const char *text = sb_fuzz_text(&input, pool);

    dsn_try("sqlite3", text, pool);
    dsn_try("pgsql", text, pool);
    dsn_try("mysql", text, pool);
    if (!sb_http_base_check(text)) {
        sb_fuzz_holds(!strpbrk(text, "@?#\r\n "), "an API's address is only one");
    }
    const char *origin = sb_url_origin(text, pool);
    sb_fuzz_holds(sb_return_origin_check(text, pool) || origin,
                  "an origin that may be configured is one");
    const char *wrong = sb_secret_source_check(text, pool);
    sb_fuzz_holds(wrong || strchr(text, ':'),
                  "a secret's source says of which kind it is");
    if (strncmp(text, "sk_", 3) == 0 || strncmp(text, "whsec_", 6) == 0) {
        sb_fuzz_holds(wrong && (strlen(text) < 8 || !strstr(wrong, text)),
                      "a secret is refused and not repeated");
    }
    sb_identity_check(text);
    sb_fuzz_holds(!sb_email_valid(text) || (strlen(text) <= 254 && strchr(text, '@')),
                  "an e-mail address has its form");
    return 0;
}
