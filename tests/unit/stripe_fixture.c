/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "stripe_fixture.h"
#include "base/log.h"

#include <apr_strings.h>
#include <check.h>
#include <string.h>

stripe_fixture_t fx;

static void sink(void *baton, sb_log_level_e level, apr_status_t rv, const char *line)
{
    fx.logged = apr_psprintf(fx.pool, "%s%d %s\n", fx.logged, (int)level, line);
}

static void count_sleep(void *baton, apr_interval_time_t pause)
{
    fx.sleeps++;
    fx.slept += pause;
}

void stripe_fixture_setup(void)
{
    static const sb_http_options_t quick = {
        .connect_ms = 500, .total_ms = 1000, .response_max = 65536, .max_concurrent = 2};

    fx = (stripe_fixture_t){.logged = ""};
    apr_pool_create(&fx.pool, NULL);
    ck_assert_int_eq(sb_http_create(&fx.http, &quick, fx.pool), APR_SUCCESS);
    sb_log_sink_set(sink, NULL);
}

void stripe_fixture_teardown(void)
{
    sb_log_sink_set(NULL, NULL);
    if (fx.server) {
        scripted_server_stop(fx.server);
    }
    apr_pool_destroy(fx.pool);
}

void stripe_with(const scripted_answer_t *script, int n, sb_stripe_options_t options)
{
    static const char *const keys[] = {KEY_OLD, KEY_NEW};

    fx.server = scripted_server_start(script, n);
    options.http = fx.http;
    options.api = scripted_server_url(fx.server);
    options.keys = keys;
    options.keys_n = options.keys_n ? options.keys_n : 2;
    options.sleep = count_sleep;
    ck_assert_int_eq(sb_stripe_create(&fx.stripe, &options, fx.pool), APR_SUCCESS);
}

scripted_answer_t stripe_answer(int status, const char *headers, const char *body)
{
    headers = apr_pstrcat(fx.pool, "Connection: close\r\n", headers, NULL);
    return (scripted_answer_t){.bytes = scripted_json(status, headers, body, fx.pool),
                               .cut = 1};
}

scripted_answer_t stripe_refusal(int status, const char *members)
{
    return stripe_answer(status, "Request-Id: req_no\r\n",
                         apr_psprintf(fx.pool, "{\"error\":{%s}}", members));
}

void assert_header(int i, const char *name, const char *value)
{
    char header[256];

    scripted_server_header(header, sizeof(header), fx.server, i, name);
    ck_assert_str_eq(header, value);
}

const char *sent_body(int i)
{
    return strstr(scripted_server_request(fx.server, i), "\r\n\r\n") + 4;
}

bool sent(int i, const char *name, const char *value)
{
    sb_form_t *form = NULL;
    const char *found = NULL;
    const char *body = sent_body(i);

    ck_assert_int_eq(sb_form_parse(&form, NULL, body, strlen(body), 100, fx.pool), SB_OK);
    ck_assert_int_eq(sb_form_get(&found, NULL, form, name), SB_OK);
    return value ? found && strcmp(found, value) == 0 : found == NULL;
}
