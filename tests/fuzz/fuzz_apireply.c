/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "fuzz.h"
#include "stripe/answer.h"

#include <ctype.h>
#include <string.h>

/* Input: HTTP status NUL Retry-After NUL Stripe-Should-Retry NUL body. */

/* Does a word of text look like a key? */
static bool tells_secret(const char *text)
{
    static const char *const prefixes[] = {"sk_", "rk_", "whsec_"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        for (const char *at = text; (at = strstr(at, prefixes[i])); at++) {
            if (at == text ||
                !(isalnum((unsigned char)at[-1]) || at[-1] == '_' || at[-1] == '*')) {
                return true;
            }
        }
    }
    return false;
}

/* F16, T37, T47: what comes from where Stripe's API should be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = sb_fuzz_pool();
    sb_fuzz_input_t input = {.at = (const char *)data, .left = size};
    sb_http_response_t response = {.status = sb_fuzz_number(&input, pool)};
    sb_result_t result = {.status = SB_OK};
    json_t *out;

    response.retry_after = sb_fuzz_text(&input, pool);
    response.should_retry = sb_fuzz_text(&input, pool);
    response.status &= 0x3ff; /* three digits is what libcurl reads */
    response.body = input.left ? input.at : "";
    response.length = input.left;
    if (!*response.should_retry) {
        response.should_retry = NULL;
    }

    bool good = response.status >= 200 && response.status <= 299;
    sb_status_e status = sb_stripe_answer_read(&out, &result, &response, pool);
    sb_fuzz_holds(status != SB_OK || (good && json_is_object(out)),
                  "success is an object behind a 2xx");
    sb_fuzz_holds(status == SB_OK || (result.status == status && result.code &&
                                      result.message && (!out || !good)),
                  "a failure has code and message");
    sb_fuzz_holds(result.retry_after >= 0 && result.retry_after <= 3600,
                  "a pause is bounded");
    int seconds = sb_stripe_answer_retry_after(&response);
    sb_fuzz_holds(seconds >= 0 && seconds <= 3600, "Retry-After is bounded");
    sb_fuzz_holds(!good || !sb_stripe_answer_may_retry(SB_HTTP_DONE, &response),
                  "what was done is not repeated");
    sb_fuzz_holds(!tells_secret(sb_stripe_answer_words(out, pool)),
                  "no key reaches the log");
    return 0;
}
