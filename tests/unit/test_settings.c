/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/secret.h"
#include "base/settings.h"
#include "unit.h"

#include <apr_env.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A private file with this text; its path lives in the test's pool. */
static const char *file_with(const char *text)
{
    apr_file_t *file;
    char *path = apr_pstrdup(sb_unit_pool, "/tmp/sb-secret-XXXXXX");

    ck_assert_int_eq(apr_file_mktemp(&file, path,
                                     APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL |
                                         APR_FOPEN_DELONCLOSE,
                                     sb_unit_pool),
                     APR_SUCCESS);
    apr_file_puts(text, file);
    return path;
}

static const char *read_ok(const char *source)
{
    const char *value = NULL;
    const char *error = sb_secret_read(&value, source, NULL, sb_unit_pool);

    ck_assert_msg(!error, "%s", error);
    return value;
}

static const char *read_error(const char *source)
{
    const char *value = NULL;
    const char *error = sb_secret_read(&value, source, NULL, sb_unit_pool);

    ck_assert_msg(error != NULL, "%s was taken", source);
    return error;
}

static const char *in_file(const char *text, const char *name)
{
    return apr_pstrcat(sb_unit_pool, "file:", file_with(text), name, NULL);
}

/* A64, A20, C26, D4: the whole file, less one final newline. */
/* T37: a warning with its cure, for the eyes of whoever starts the server. */
START_TEST(test_a_secret_file_that_others_may_read_is_told)
{
    char *path = apr_pstrdup(sb_unit_pool, "/tmp/sb-secret-XXXXXX");
    int fd = mkstemp(path);
    const char *source = apr_pstrcat(sb_unit_pool, "file:", path, "#KEY", NULL);

    ck_assert_int_ge(fd, 0);
    ck_assert_ptr_null(sb_secret_exposure(source, NULL, sb_unit_pool));
    ck_assert_int_eq(fchmod(fd, 0640), 0);
    const char *told = sb_secret_exposure(source, NULL, sb_unit_pool);
    close(fd);
    unlink(path);
    ck_assert_ptr_nonnull(
        strstr(told, apr_pstrcat(sb_unit_pool, "chmod 600 ", path, NULL)));
    ck_assert_ptr_null(sb_secret_exposure("env:HOME", NULL, sb_unit_pool));
}
END_TEST

/* A20: a start does not hang on a program that does. */
START_TEST(test_a_program_that_hangs_is_killed)
{
    apr_time_t start = apr_time_now();

    ck_assert_ptr_nonnull(strstr(read_error("exec:/bin/sleep 60"), "within 10 seconds"));
    ck_assert_int_lt(apr_time_sec(apr_time_now() - start), 13);
}
END_TEST

START_TEST(test_a_file_is_the_secret)
{
    ck_assert_str_eq(read_ok(in_file("sk_test_1\n", "")), "sk_test_1");
    ck_assert_str_eq(read_ok(in_file("sk_test_1\r\n", "")), "sk_test_1");
    ck_assert_str_eq(read_ok(in_file("host=db user=x", "")), "host=db user=x");
}
END_TEST

/* A64, A65: a dotenv file as people write them. */
START_TEST(test_a_name_in_a_dotenv_file_is_the_secret)
{
    const char *text = "# comment\n\nA=first\nexport B = \"with # sharp\"\nC='single'\n"
                       "D=plain # note\nAB=other\n#E=no\nF=a=b\n";

    ck_assert_str_eq(read_ok(in_file(text, "#A")), "first");
    ck_assert_str_eq(read_ok(in_file(text, "#B")), "with # sharp");
    ck_assert_str_eq(read_ok(in_file(text, "#C")), "single");
    ck_assert_str_eq(read_ok(in_file(text, "#D")), "plain");
    ck_assert_str_eq(read_ok(in_file(text, "#F")), "a=b");
    ck_assert_ptr_nonnull(strstr(read_error(in_file(text, "#E")), "has no line E="));
}
END_TEST

/* A64, B20: the environment, and a program's first line. */
START_TEST(test_environment_and_program_are_sources)
{
    apr_env_set("SB_UNIT_SECRET", "whsec_x", sb_unit_pool);
    ck_assert_str_eq(read_ok("env:SB_UNIT_SECRET"), "whsec_x");
    ck_assert_ptr_nonnull(strstr(read_error("env:SB_UNIT_NOTHING"), "is not set"));
    ck_assert_str_eq(read_ok("exec:/bin/echo sk_test_2"), "sk_test_2");
    ck_assert_ptr_nonnull(strstr(read_error("exec:/bin/false"), "status 1"));
    ck_assert_ptr_nonnull(
        strstr(read_error("exec:/nowhere/at/all"), "cannot be started"));
}
END_TEST

/* T02: blank, padded and broken secrets are errors that say what is wrong. */
START_TEST(test_blank_and_broken_secrets_are_refused)
{
    ck_assert_ptr_nonnull(strstr(read_error(in_file("", "")), "is blank"));
    ck_assert_ptr_nonnull(strstr(read_error(in_file("\n", "")), "is blank"));
    ck_assert_ptr_nonnull(strstr(read_error(in_file(" \t \n", "")), "is blank"));
    ck_assert_ptr_nonnull(strstr(read_error(in_file("A=\n", "#A")), "is blank"));
    ck_assert_ptr_nonnull(
        strstr(read_error(in_file("whsec_a\nwhsec_b\n", "")), "line break"));
    ck_assert_ptr_nonnull(strstr(read_error(in_file(" whsec_a\n", "")), "white space"));
    ck_assert_ptr_nonnull(strstr(read_error("file:/nowhere/secret"), "cannot be read"));
    ck_assert_ptr_nonnull(strstr(read_error("file:/etc"), "not a regular file"));
}
END_TEST

/* T37, A20: inline secrets are refused, and the sentence does not repeat them. */
START_TEST(test_inline_secrets_are_refused_without_being_told)
{
    static const char *const inlined[] = {"sk_test_hunter2", "sk_live_hunter2",
                                          "rk_test_hunter2", "whsec_hunter2", "hunter2"};

    for (size_t i = 0; i < sizeof(inlined) / sizeof(*inlined); i++) {
        ck_assert_ptr_null(strstr(read_error(inlined[i]), "hunter2"));
    }
}
END_TEST

/* C32, T37: the dump is read back as it was written; sources stay sources. */
START_TEST(test_settings_survive_the_way_through_json)
{
    sb_settings_t *settings = sb_settings_create(sb_unit_pool);
    sb_settings_t *again;

    settings->enabled = false;
    settings->database_driver = "pgsql";
    settings->database_params = "file:/etc/subbill/database";
    settings->pool_max = 3;
    settings->catch_up = 0;
    settings->live = true;
    settings->base_url = "https://example.org";
    APR_ARRAY_PUSH(settings->stripe_keys, const char *) = "file:/etc/subbill/key";
    APR_ARRAY_PUSH(settings->languages, const char *) = "de";
    APR_ARRAY_PUSH(settings->routes, sb_route_setting_t) =
        (sb_route_setting_t){"plans", "/pricing/"};
    sb_webhook_endpoint_t endpoint = {
        "9b1deb4d", apr_array_make(sb_unit_pool, 1, sizeof(const char *))};
    APR_ARRAY_PUSH(endpoint.secrets, const char *) = "env:HOOK";
    APR_ARRAY_PUSH(settings->endpoints, sb_webhook_endpoint_t) = endpoint;

    json_t *json = sb_settings_to_json(settings);
    ck_assert_ptr_null(sb_settings_from_json(&again, json, sb_unit_pool));
    json_t *second = sb_settings_to_json(again);
    ck_assert(json_equal(json, second));
    ck_assert_int_eq(again->catch_up, 0);
    ck_assert_str_eq(APR_ARRAY_IDX(again->endpoints, 0, sb_webhook_endpoint_t).uuid,
                     "9b1deb4d");
    json_decref(json);
    json_decref(second);
}
END_TEST

/* C32: a settings file that is none is an error that names the member. */
START_TEST(test_settings_of_the_wrong_kind_are_named)
{
    static const struct {
        const char *json;
        const char *names;
    } wrong[] = {{"[]", "JSON object"},
                 {"{'pool_max':'8'}", "pool_max"},
                 {"{'catch_up':true}", "catch_up"},
                 {"{'live':1}", "live"},
                 {"{'base_url':7}", "base_url"},
                 {"{'stripe_keys':'x'}", "stripe_keys"},
                 {"{'languages':[1]}", "languages[0]"},
                 {"{'routes':[{}]}", "routes"},
                 {"{'endpoints':[{}]}", "endpoints"}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        sb_settings_t *settings;
        json_t *json = sb_unit_json(wrong[i].json);
        const char *error = sb_settings_from_json(&settings, json, sb_unit_pool);
        ck_assert_msg(error && strstr(error, wrong[i].names), "%s: %s", wrong[i].json,
                      error);
        json_decref(json);
    }
}
END_TEST

Suite *settings_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *tcase = sb_unit_case("secrets");

    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, test_a_secret_file_that_others_may_read_is_told);
    tcase_add_test(tcase, test_a_program_that_hangs_is_killed);
    tcase_add_test(tcase, test_a_file_is_the_secret);
    tcase_add_test(tcase, test_a_name_in_a_dotenv_file_is_the_secret);
    tcase_add_test(tcase, test_environment_and_program_are_sources);
    tcase_add_test(tcase, test_blank_and_broken_secrets_are_refused);
    tcase_add_test(tcase, test_inline_secrets_are_refused_without_being_told);
    suite_add_tcase(suite, tcase);
    tcase = sb_unit_case("json");
    tcase_add_test(tcase, test_settings_survive_the_way_through_json);
    tcase_add_test(tcase, test_settings_of_the_wrong_kind_are_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
