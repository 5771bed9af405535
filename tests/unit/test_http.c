/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "net/http.h"
#include "base/clock.h"
#include "base/version.h"
#include "scripted_server.h"
#include "unit.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static apr_pool_t *pool;
static sb_http_t *http;
static sb_http_response_t response;

static void setup(void)
{
    static const sb_http_options_t quick = {
        .connect_ms = 500, .total_ms = 700, .response_max = 4096, .max_concurrent = 2};

    apr_pool_create(&pool, NULL);
    ck_assert_int_eq(sb_http_create(&http, &quick, pool), APR_SUCCESS);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static sb_http_failure_e get(const char *url)
{
    sb_http_handle_t *handle = NULL;
    sb_http_request_t request = {.method = "GET", .url = url};

    ck_assert_int_eq(sb_http_borrow(&handle, http), SB_HTTP_DONE);
    sb_http_failure_e failure = sb_http_send(&response, handle, &request, pool);
    sb_http_release(handle);
    return failure;
}

/* T39 */
START_TEST(test_only_https_and_this_machines_loopback_may_be_called)
{
    static const char *const good[] = {
        "https://api.stripe.com", "https://api.stripe.com/", "http://127.0.0.1:12111",
        "http://127.9.9.9",       "http://localhost:1/x",    "http://[::1]:80"};
    static const char *const bad[] = {"http://api.stripe.com",
                                      "http://127.0.0.1.evil.test",
                                      "http://localhost.evil.test",
                                      "http://169.254.169.254/latest",
                                      "http://[::2]",
                                      "http://10.0.0.1",
                                      "https://user:pass@api.stripe.com",
                                      "http://127.0.0.1@evil.test",
                                      "https://api.stripe.com/?x=1",
                                      "https://api.stripe.com/#x",
                                      "file:///etc/passwd",
                                      "gopher://127.0.0.1/",
                                      "ftp://127.0.0.1/",
                                      "//127.0.0.1",
                                      "127.0.0.1",
                                      "",
                                      "https://"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(!sb_http_base_check(good[i]), "%s: %s", good[i],
                      sb_http_base_check(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(sb_http_base_check(bad[i]) != NULL, "%s was taken", bad[i]);
    }
    ck_assert_int_eq(get("http://192.0.2.1/v1/x"), SB_HTTP_BAD_REQUEST);
    ck_assert_int_eq(get("file:///etc/hostname"), SB_HTTP_BAD_REQUEST);
}
END_TEST

START_TEST(test_an_answer_comes_with_its_headers_and_body)
{
    const scripted_answer_t script[] = {
        {.bytes = scripted_json(
             200,
             "Request-Id:  req_1 \r\nRETRY-AFTER: 7\r\nStripe-Should-Retry: false\r\n"
             "Idempotent-Replayed: true\r\n",
             "{\"a\":1}", pool)},
        {.bytes = scripted_json(404, "", "", pool)}};
    scripted_server_t *server = scripted_server_start(script, 2);
    char header[128];

    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_DONE);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.body, "{\"a\":1}");
    ck_assert_uint_eq(response.length, 7);
    ck_assert_str_eq(response.content_type, "application/json");
    ck_assert_str_eq(response.request_id, "req_1");
    ck_assert_str_eq(response.retry_after, "7");
    ck_assert_str_eq(response.should_retry, "false");
    ck_assert_str_eq(response.idempotent_replayed, "true");
    scripted_server_header(header, sizeof(header), server, 0, "User-Agent");
    ck_assert_str_eq(header, "mod_subbill/" SB_VERSION);

    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_DONE);
    ck_assert_int_eq(response.status, 404);
    ck_assert_ptr_null(response.request_id);
    ck_assert_str_eq(response.body, "");
    ck_assert_int_eq(scripted_server_connections(server), 1);
    scripted_server_stop(server);
}
END_TEST

START_TEST(test_a_post_sends_its_body_and_headers_as_given)
{
    const scripted_answer_t script[] = {{.bytes = scripted_json(200, "", "{}", pool)}};
    scripted_server_t *server = scripted_server_start(script, 1);
    const sb_http_header_t headers[] = {{"Authorization", "Bearer canary"}, {"X-A", "b"}};
    sb_http_request_t request = {.method = "POST",
                                 .url = scripted_server_url(server),
                                 .headers = headers,
                                 .headers_n = 2,
                                 .body = "a=1&b=%20",
                                 .length = 9};
    sb_http_handle_t *handle = NULL;
    char header[128];

    ck_assert_int_eq(sb_http_borrow(&handle, http), SB_HTTP_DONE);
    ck_assert_int_eq(sb_http_send(&response, handle, &request, pool), SB_HTTP_DONE);
    const char *text = scripted_server_request(server, 0);
    ck_assert_int_eq(strncmp(text, "POST / HTTP/1.1\r\n", 17), 0);
    ck_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "a=1&b=%20");
    scripted_server_header(header, sizeof(header), server, 0, "Authorization");
    ck_assert_str_eq(header, "Bearer canary");
    scripted_server_header(header, sizeof(header), server, 0, "Content-Type");
    ck_assert_str_eq(header, "application/x-www-form-urlencoded");

    /* What one request carried is gone from the handle before the next. */
    ck_assert_int_eq(
        sb_http_send(&response, handle,
                     &(sb_http_request_t){.method = "GET", .url = request.url}, pool),
        SB_HTTP_DONE);
    ck_assert_ptr_null(strstr(scripted_server_request(server, 1), "canary"));
    sb_http_release(handle);
    scripted_server_stop(server);
}
END_TEST

START_TEST(test_a_header_that_would_break_out_of_its_line_is_never_sent)
{
    const sb_http_header_t headers[] = {{"Idempotency-Key", "a\r\nX-Evil: 1"}};
    sb_http_request_t request = {.method = "POST",
                                 .url = "http://127.0.0.1:1/",
                                 .headers = headers,
                                 .headers_n = 1,
                                 .body = ""};
    sb_http_handle_t *handle = NULL;

    ck_assert_int_eq(sb_http_borrow(&handle, http), SB_HTTP_DONE);
    ck_assert_int_eq(sb_http_send(&response, handle, &request, pool),
                     SB_HTTP_BAD_REQUEST);
    sb_http_release(handle);
}
END_TEST

/* F13 */
START_TEST(test_a_dead_or_silent_server_is_a_failure_in_bounded_time)
{
    const scripted_answer_t dead[] = {{.bytes = NULL}};
    const scripted_answer_t slow[] = {
        {.bytes = scripted_json(200, "", "{}", pool), .delay_ms = 1500}};
    scripted_server_t *server = scripted_server_start(dead, 1);

    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_UNREACHABLE);
    ck_assert_ptr_nonnull(response.detail);
    ck_assert_int_eq(response.status, 0);
    char *url = apr_pstrdup(pool, scripted_server_url(server));
    scripted_server_stop(server);
    ck_assert_int_eq(get(url), SB_HTTP_UNREACHABLE);

    server = scripted_server_start(slow, 1);
    apr_time_t start = sb_clock_monotonic();
    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_TIMEOUT);
    ck_assert_int_lt(apr_time_as_msec(sb_clock_monotonic() - start), 1200);
    scripted_server_stop(server);
}
END_TEST

/* F14 */
START_TEST(test_a_server_that_dribbles_does_not_stretch_the_time)
{
    const scripted_answer_t script[] = {
        {.bytes = scripted_json(200, "", "{\"a\":1}", pool), .dribble_ms = 50}};
    scripted_server_t *server = scripted_server_start(script, 1);
    apr_time_t start = sb_clock_monotonic();

    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_TIMEOUT);
    ck_assert_int_lt(apr_time_as_msec(sb_clock_monotonic() - start), 1200);
    scripted_server_stop(server);
}
END_TEST

/* F16 */
START_TEST(test_truncated_and_oversized_answers_are_failures)
{
    char *body = apr_palloc(pool, 8193);
    memset(body, 'x', 8192);
    body[8192] = '\0';
    const char *large = scripted_json(200, "", body, pool);
    body[4096] = '\0';
    const char *full = scripted_json(200, "", body, pool);
    const scripted_answer_t script[] = {{.bytes = full},
                                        {.bytes = large, .cut = 1},
                                        {.bytes = large, .length = 600, .cut = 1}};
    scripted_server_t *server = scripted_server_start(script, 3);

    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_DONE);
    ck_assert_uint_eq(response.length, 4096);
    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_TOO_LARGE);
    ck_assert_ptr_null(response.body);
    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_UNREACHABLE);
    scripted_server_stop(server);
}
END_TEST

/* T38: whoever redirects us does not get the key */
START_TEST(test_redirects_are_answers_and_are_not_followed)
{
    const scripted_answer_t script[] = {
        {.bytes = scripted_json(302, "Location: http://127.0.0.1:1/\r\n", "", pool)}};
    scripted_server_t *server = scripted_server_start(script, 1);

    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_DONE);
    ck_assert_int_eq(response.status, 302);
    ck_assert_int_eq(scripted_server_requests(server), 1);
    scripted_server_stop(server);
}
END_TEST

START_TEST(test_the_environments_proxy_is_not_used)
{
    const scripted_answer_t script[] = {{.bytes = scripted_json(200, "", "{}", pool)}};
    scripted_server_t *server = scripted_server_start(script, 1);

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_DONE);
    scripted_server_stop(server);
}
END_TEST

/* F14 */
START_TEST(test_more_threads_than_allowed_are_turned_away_at_once)
{
    sb_http_handle_t *handles[3] = {NULL};

    ck_assert_int_eq(sb_http_borrow(&handles[0], http), SB_HTTP_DONE);
    ck_assert_int_eq(sb_http_borrow(&handles[1], http), SB_HTTP_DONE);
    ck_assert_int_eq(sb_http_borrow(&handles[2], http), SB_HTTP_BUSY);
    ck_assert_ptr_null(handles[2]);
    sb_http_release(handles[0]);
    ck_assert_int_eq(sb_http_borrow(&handles[2], http), SB_HTTP_DONE);
    ck_assert_ptr_eq(handles[2], handles[0]);
    sb_http_release(handles[1]);
    sb_http_release(handles[2]);
}
END_TEST

static void *stop_soon(void *data)
{
    usleep(100 * 1000);
    sb_http_stop(data);
    return NULL;
}

START_TEST(test_a_stopping_server_ends_running_exchanges_and_starts_none)
{
    const scripted_answer_t script[] = {
        {.bytes = scripted_json(200, "", "{}", pool), .delay_ms = 3000}};
    const sb_http_options_t patient = {.total_ms = 5000};
    scripted_server_t *server = scripted_server_start(script, 1);
    sb_http_handle_t *handle = NULL;
    pthread_t thread;

    ck_assert_int_eq(sb_http_create(&http, &patient, pool), APR_SUCCESS);
    apr_time_t start = sb_clock_monotonic();
    pthread_create(&thread, NULL, stop_soon, http);
    ck_assert_int_eq(get(scripted_server_url(server)), SB_HTTP_STOPPING);
    pthread_join(thread, NULL);
    ck_assert_int_lt(apr_time_as_msec(sb_clock_monotonic() - start), 2000);
    ck_assert_int_eq(sb_http_borrow(&handle, http), SB_HTTP_STOPPING);
    scripted_server_stop(server);
}
END_TEST

/* A TLS server with a fresh certificate for the name `localhost`; 0 when there is no
 * openssl. */
static pid_t tls_server(int *port, const char **certificate)
{
    const char *dir = apr_psprintf(pool, "/tmp/sb-unit-tls-%d", (int)getpid());
    const char *make = apr_psprintf(
        pool,
        "mkdir -p %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
        "-nodes "
        "-days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/key "
        "-out %s/cert >/dev/null 2>&1",
        dir, dir, dir);

    if (system(make) != 0) {
        return 0;
    }
    *certificate = apr_pstrcat(pool, dir, "/cert", NULL);
    *port = 20000 + (int)(getpid() % 20000);
    pid_t pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "r", stdin);
        freopen("/dev/null", "w", stdout);
        freopen("/dev/null", "w", stderr);
        execlp("openssl", "openssl", "s_server", "-www", "-naccept", "16", "-accept",
               apr_psprintf(pool, "127.0.0.1:%d", *port), "-cert", *certificate, "-key",
               apr_pstrcat(pool, dir, "/key", NULL), (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* T38 */
START_TEST(test_only_trusted_certificates_of_the_right_name_are_spoken_to)
{
    const char *certificate = NULL;
    int port = 0;
    pid_t pid = tls_server(&port, &certificate);

    if (pid == 0) {
        puts("skipped: no openssl program to play the TLS server");
        return;
    }
    /* Reading the system's certificates takes seconds under valgrind. */
    sb_http_options_t options = {
        .ca_file = certificate, .connect_ms = 60000, .total_ms = 60000};
    const char *right = apr_psprintf(pool, "https://localhost:%d/", port);
    const char *wrong = apr_psprintf(pool, "https://127.0.0.1:%d/", port);
    ck_assert_int_eq(sb_http_create(&http, &options, pool), APR_SUCCESS);
    sb_http_failure_e failure = SB_HTTP_UNREACHABLE;
    for (int i = 0; i < 50 && failure != SB_HTTP_DONE; i++) {
        failure = get(right);
        usleep(20 * 1000);
    }
    sb_http_failure_e wrong_name = get(wrong);
    options.ca_file = NULL;
    ck_assert_int_eq(sb_http_create(&http, &options, pool), APR_SUCCESS);
    sb_http_failure_e untrusted = get(right);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    system(apr_psprintf(pool, "rm -r /tmp/sb-unit-tls-%d", (int)getpid()));

    ck_assert_int_eq(failure, SB_HTTP_DONE);
    ck_assert_int_eq(wrong_name, SB_HTTP_UNREACHABLE);
    ck_assert_int_eq(untrusted, SB_HTTP_UNREACHABLE);
}
END_TEST

Suite *http_suite(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("http");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, test_only_https_and_this_machines_loopback_may_be_called);
    tcase_add_test(tests, test_an_answer_comes_with_its_headers_and_body);
    tcase_add_test(tests, test_a_post_sends_its_body_and_headers_as_given);
    tcase_add_test(tests, test_a_header_that_would_break_out_of_its_line_is_never_sent);
    tcase_add_test(tests, test_a_dead_or_silent_server_is_a_failure_in_bounded_time);
    tcase_add_test(tests, test_a_server_that_dribbles_does_not_stretch_the_time);
    tcase_add_test(tests, test_truncated_and_oversized_answers_are_failures);
    tcase_add_test(tests, test_redirects_are_answers_and_are_not_followed);
    tcase_add_test(tests, test_the_environments_proxy_is_not_used);
    tcase_add_test(tests, test_more_threads_than_allowed_are_turned_away_at_once);
    tcase_add_test(tests, test_a_stopping_server_ends_running_exchanges_and_starts_none);
    tcase_add_test(tests, test_only_trusted_certificates_of_the_right_name_are_spoken_to);
    suite_add_tcase(suite, tests);
    return suite;
}
