/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "text/template_set.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The cases of tests/unit/data/mustache were written after the Mustache specification; one file is one
 * loop test, so that a failing case is told by its name. */

static sb_result_t result;

static void setup(void)
{
    sb_unit_setup();
    sb_result_clear(&result);
}

static json_t *cases_load(const char *file)
{
    return sb_unit_data(apr_pstrcat(sb_unit_pool, "mustache/", file, ".json", NULL));
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    ck_assert_ptr_nonnull(text);
    return text;
}

static const sb_template_t *partial_find(const void *baton, const char *name)
{
    const char *source = json_string_value(json_object_get(baton, name));
    sb_template_t *tmpl = NULL;

    if (source) {
        ck_assert_int_eq(
            sb_template_parse(&tmpl, &result, name, source, strlen(source), sb_unit_pool),
            SB_OK);
    }
    return tmpl;
}

static const char *rendered(const char *source, const json_t *context,
                            const json_t *partials)
{
    const sb_template_partials_t finder = {.find = partial_find, .baton = partials};
    sb_template_t *tmpl;
    const char *out = NULL;
    apr_size_t len;

    if (sb_template_parse(&tmpl, &result, "case", source, strlen(source), sb_unit_pool) ||
        sb_template_render(&out, &len, &result, tmpl, NULL, context, &finder,
                           sb_unit_pool)) {
        return result.message;
    }
    ck_assert_uint_eq(len, strlen(out));
    return out;
}

static const char *const files[] = {"comments", "interpolation", "inverted", "partials",
                                    "sections"};

START_TEST(test_templates_render_as_the_mustache_specification_says)
{
    json_t *json = cases_load(files[_i]), *test;
    size_t i;

    json_array_foreach(json_object_get(json, "tests"), i, test)
    {
        const char *out =
            rendered(text_of(test, "template"), json_object_get(test, "data"),
                     json_object_get(test, "partials"));
        ck_assert_msg(!strcmp(out, text_of(test, "expected")), "%s: %s: [%s]", files[_i],
                      text_of(test, "name"), out);
    }
    ck_assert_uint_ge(i, 14);
    json_decref(json);
}
END_TEST

START_TEST(test_an_error_in_a_template_names_template_and_line)
{
    json_t *json = cases_load("errors"), *test;
    size_t i;

    json_array_foreach(json_object_get(json, "tests"), i, test)
    {
        const char *name = text_of(test, "name"), *source = text_of(test, "template");
        const char *place = apr_psprintf(
            sb_unit_pool,
            "page.mustache:%d: ", (int)json_integer_value(json_object_get(test, "line")));
        sb_template_t *tmpl;
        ck_assert_msg(sb_template_parse(&tmpl, &result, "page.mustache", source,
                                        strlen(source), sb_unit_pool) == SB_INVALID,
                      "%s was accepted", name);
        ck_assert_str_eq(result.code, "template_syntax");
        ck_assert_msg(!strncmp(result.message, place, strlen(place)), "%s: %s", name,
                      result.message);
        ck_assert_msg(strstr(result.message, text_of(test, "message")) != NULL, "%s: %s",
                      name, result.message);
    }
    ck_assert_uint_ge(i, 20);
    json_decref(json);
}
END_TEST

START_TEST(test_every_truncation_of_a_template_ends_in_a_page_or_a_sentence)
{
    static const char source[] =
        "a{{#b}}\n {{> c}}\n{{{d}}} {{& e.f }}{{^g}}x{{/g}}{{/b}}\r\n"
        " {{! i }}\n{{.}}\n";
    json_t *context = json_pack("{s:[i,i],s:s}", "b", 1, 2, "d", "<");

    for (size_t len = 0; len < sizeof(source); len++) {
        sb_template_t *tmpl;
        const char *out;
        if (!sb_template_parse(&tmpl, &result, "cut", source, len, sb_unit_pool)) {
            ck_assert_int_eq(sb_template_render(&out, NULL, &result, tmpl, NULL, context,
                                                NULL, sb_unit_pool),
                             SB_OK);
        }
        else {
            ck_assert_ptr_nonnull(strstr(result.message, "cut:"));
        }
    }
    json_decref(context);
}
END_TEST

START_TEST(test_a_nul_byte_in_a_template_is_text_or_an_error)
{
    sb_template_t *tmpl;
    const char *out;
    apr_size_t len;

    ck_assert_int_eq(sb_template_parse(&tmpl, &result, "nul", "a\0b", 3, sb_unit_pool),
                     SB_OK);
    ck_assert_int_eq(
        sb_template_render(&out, &len, &result, tmpl, NULL, NULL, NULL, sb_unit_pool),
        SB_OK);
    ck_assert_uint_eq(len, 3);
    ck_assert_int_eq(sb_template_parse(&tmpl, &result, "nul", "{{\0}}", 5, sb_unit_pool),
                     SB_INVALID);
}
END_TEST

START_TEST(test_partials_that_include_each_other_without_end_are_stopped)
{
    json_t *partials = json_pack("{s:s,s:s}", "a", "\n  {{> b}}\n", "b", "{{> a}}");

    ck_assert_ptr_nonnull(strstr(rendered("{{> a}}", NULL, partials), "too deeply"));
    ck_assert_str_eq(result.code, "template_depth");
    json_decref(partials);
}
END_TEST

START_TEST(test_a_page_cannot_grow_without_limit)
{
    json_t *context = json_object(), *list = json_array();

    for (int i = 0; i < 200; i++) {
        json_array_append_new(list, json_integer(i));
    }
    json_object_set_new(context, "l", list);
    rendered("{{#l}}{{#l}}{{#l}}0123456789{{/l}}{{/l}}{{/l}}", context, NULL);
    ck_assert_str_eq(result.code, "template_too_large");
    sb_result_clear(&result);
    rendered("{{#l}}{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}{{/l}}", context, NULL);
    ck_assert_str_eq(result.code, "template_too_large");
    json_decref(context);
}
END_TEST

static long most_memory_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* T47: the blanks before a partial are in the template once; a list does not multiply them. */
START_TEST(test_an_indented_partial_takes_its_blanks_from_the_template)
{
    enum { BLANKS = 100 * 1024, TIMES = 1000 };
    char *source =
        apr_psprintf(sb_unit_pool, "{{#l}}\n%*s{{> empty}}\n{{/l}}\n", BLANKS, "");
    json_t *context = json_object(), *list = json_array();
    json_t *partials = json_pack("{s:s}", "empty", "");

    for (int i = 0; i < TIMES; i++) {
        json_array_append_new(list, json_true());
    }
    json_object_set_new(context, "l", list);
    long before = most_memory_kib();
    ck_assert_str_eq(rendered(source, context, partials), "");
    ck_assert_int_lt(most_memory_kib() - before, 32 * 1024);
    json_decref(partials);
    json_decref(context);
}
END_TEST

START_TEST(test_a_name_is_looked_up_in_the_context_before_the_base)
{
    json_t *base = json_pack("{s:s,s:{s:s}}", "a", "base", "t", "x", "text");
    json_t *context = json_pack("{s:s}", "a", "context");
    sb_template_t *tmpl;
    const char *out;

    ck_assert_int_eq(
        sb_template_parse(&tmpl, &result, "n", "{{a}} {{t.x}}", 13, sb_unit_pool), SB_OK);
    ck_assert_int_eq(
        sb_template_render(&out, NULL, &result, tmpl, base, context, NULL, sb_unit_pool),
        SB_OK);
    ck_assert_str_eq(out, "context text");
    json_decref(base);
    json_decref(context);
}
END_TEST

static void file_write(const char *dir, const char *name, const char *text)
{
    const char *path = apr_pstrcat(sb_unit_pool, dir, "/", name, NULL);
    apr_file_t *file;
    char *folder = apr_pstrdup(sb_unit_pool, path);

    *strrchr(folder, '/') = '\0';
    ck_assert_int_eq(apr_dir_make_recursive(folder, APR_OS_DEFAULT, sb_unit_pool),
                     APR_SUCCESS);
    ck_assert_int_eq(apr_file_open(&file, path, APR_WRITE | APR_CREATE | APR_TRUNCATE,
                                   APR_OS_DEFAULT, sb_unit_pool),
                     APR_SUCCESS);
    apr_file_puts(text, file);
    apr_file_close(file);
}

static const char *directory_make(void)
{
    char *dir = apr_pstrdup(sb_unit_pool, "/tmp/sb-templates-XXXXXX");

    ck_assert_ptr_nonnull(mkdtemp(dir));
    return dir;
}

static void directory_remove(const char *dir)
{
    static const char *const names[] = {
        "de/error.mustache", "de",          "i18n/de.json",
        "i18n/fr.json",      "i18n",        "error.mustache",
        "extra.mustache",    "subbill.css", ""};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *path = apr_pstrcat(sb_unit_pool, dir, "/", names[i], NULL);
        if (unlink(path)) {
            rmdir(path);
        }
    }
}

static apr_array_header_t *languages(const char *first, const char *second)
{
    apr_array_header_t *codes = apr_array_make(sb_unit_pool, 2, sizeof(const char *));

    *(const char **)apr_array_push(codes) = first;
    *(const char **)apr_array_push(codes) = second;
    return codes;
}

static const char *page(const sb_template_set_t *set, const char *name, const char *lang,
                        const json_t *context)
{
    const char *html = NULL;

    ck_assert_int_eq(
        sb_template_set_render(&html, &result, set, name, lang, context, sb_unit_pool),
        SB_OK);
    return html;
}

/* A63 */
START_TEST(test_the_built_in_pages_need_no_file_beside_the_module)
{
    static const char *const pages[] = {"plans", "account", "return", "error"};
    sb_template_set_t *set;
    apr_size_t len;
    const char *etag;

    ck_assert_int_eq(sb_template_set_load(&set, &result, NULL, NULL, sb_unit_pool),
                     SB_OK);
    for (int i = 0; i < 4; i++) {
        const char *html = page(set, pages[i], "de", NULL);
        ck_assert_ptr_nonnull(strstr(html, "<!DOCTYPE html>"));
        ck_assert_ptr_nonnull(strstr(html, "<html lang=\"de\">"));
        ck_assert_ptr_nonnull(strstr(html, "Zum Inhalt springen"));
        ck_assert_ptr_nonnull(strstr(html, "</html>"));
        /* the strict policy of T27 would block any of these */
        ck_assert_ptr_null(strstr(html, "<script"));
        ck_assert_ptr_null(strstr(html, "<style"));
        ck_assert_ptr_null(strstr(html, " style="));
        ck_assert_ptr_null(strstr(html, "src=\"http"));
    }
    ck_assert_ptr_nonnull(sb_template_set_css(set, &len, &etag));
    ck_assert_uint_gt(len, 1000);
    ck_assert_uint_eq(strlen(etag), 34);
    ck_assert_int_eq(
        sb_template_set_render(&etag, &result, set, "nowhere", "en", NULL, sb_unit_pool),
        SB_INTERNAL);
}
END_TEST

/* T27 */
START_TEST(test_names_from_strangers_stay_text_in_every_page)
{
    static const char evil[] = "\"'><img src=x onerror=alert(1)>";
    sb_template_set_t *set;
    json_t *context =
        json_pack("{s:s, s:s, s:b, s:s, s:s, s:[{s:[{s:s,s:s,s:[s],s:b,s:[{s:s,s:s}]}]}],"
                  " s:[{s:s,s:s}], s:[{s:s,s:s}], s:b, s:b, s:s, s:s}",
                  "user", evil, "email", evil, "logged_in", 1, "heading", evil, "text",
                  evil, "groups", "plans", "name", evil, "description", evil, "features",
                  evil, "has_prices", 1, "prices", "amount_text", evil, "interval_text",
                  evil, "subscriptions", "plan_name", evil, "status_text", evil,
                  "invoices", "number", evil, "hosted_url", evil, "has_invoices", 1,
                  "owner", 1, "plan_name", evil, "detail", evil);
    static const char *const pages[] = {"plans", "account", "return", "error"};

    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(sb_template_set_load(&set, &result, NULL, NULL, sb_unit_pool),
                     SB_OK);
    for (int i = 0; i < 4; i++) {
        const char *html = page(set, pages[i], "en", context);
        ck_assert_ptr_null(strstr(html, "<img"));
        ck_assert_ptr_null(strstr(html, "\"'>"));
        ck_assert_ptr_nonnull(strstr(html, "&lt;img"));
    }
    json_decref(context);
}
END_TEST

START_TEST(test_a_site_replaces_pages_texts_and_style_file_by_file)
{
    const char *dir = directory_make();
    sb_template_set_t *set;
    apr_size_t len;
    const char *etag;

    file_write(dir, "error.mustache", "E {{t.brand}} {{> extra}}");
    file_write(dir, "extra.mustache", "[{{lang}}{{#page.error}} error{{/page.error}}]");
    file_write(dir, "de/error.mustache", "D {{t.brand}} {{t.nav.plans}} {{t.own}}");
    file_write(dir, "i18n/de.json", "{\"brand\": \"Lesezimmer\", \"own\": \"Eigenes\"}");
    file_write(dir, "i18n/fr.json", "{\"brand\": \"Salle\"}");
    file_write(dir, "subbill.css", "body{}");
    apr_array_header_t *codes = languages("de", "fr");
    *(const char **)apr_array_push(codes) = "en";

    ck_assert_msg(!sb_template_set_load(&set, &result, dir, codes, sb_unit_pool), "%s",
                  result.message);
    directory_remove(dir);
    ck_assert_str_eq(page(set, "error", "de", NULL), "D Lesezimmer Tarife Eigenes");
    ck_assert_str_eq(page(set, "error", "en", NULL), "E Membership [en error]");
    ck_assert_str_eq(page(set, "error", "fr", NULL), "E Salle [fr error]");
    ck_assert_str_eq(page(set, "error", "xx", NULL), "D Lesezimmer Tarife Eigenes");
    ck_assert_ptr_nonnull(strstr(page(set, "plans", "fr", NULL), "Tarife"));
    ck_assert_str_eq(sb_template_set_css(set, &len, &etag), "body{}");
    ck_assert_uint_eq(len, 6);
}
END_TEST

static const struct {
    const char *file, *text, *code, *words;
} broken[] = {
    {"error.mustache", "a\n{{#x}}", "template_syntax", "/error.mustache:2: "},
    {"error.mustache", "\n\n{{> nowhere}}", "template_unknown_partial",
     "/error.mustache:3: "},
    {"error.mustache", "{{t.nav.nowhere}}", "template_unknown_text", "t.nav.nowhere"},
    {"extra.mustache", "{{#t.nav}}{{/t.nav}}", "template_unknown_text", "t.nav"},
    {"de/error.mustache", "{{", "template_syntax", "/de/error.mustache:1: "},
    {"i18n/de.json", "{\n\"brand\": }", "i18n_invalid", "/i18n/de.json:2: "},
    {"i18n/de.json", "[]", "i18n_invalid", "not a JSON object"},
    {"i18n/de.json", "{\"brand\": 1}", "i18n_invalid", "\"brand\""},
    {"i18n/de.json", "{\"nav\": \"x\"}", "i18n_invalid", "\"nav\""},
    {"i18n/de.json", "{\"a\": \"1\", \"a\": \"2\"}", "i18n_invalid", "duplicate"},
};

START_TEST(test_a_broken_file_of_the_site_is_told_with_its_place_when_loading)
{
    const char *dir = directory_make();
    sb_template_set_t *set;

    file_write(dir, broken[_i].file, broken[_i].text);
    sb_status_e status = sb_template_set_load(&set, &result, dir, NULL, sb_unit_pool);
    directory_remove(dir);
    ck_assert_int_eq(status, SB_INVALID);
    ck_assert_str_eq(result.code, broken[_i].code);
    ck_assert_msg(strstr(result.message, broken[_i].words) != NULL, "%s", result.message);
    ck_assert_ptr_nonnull(result.hint);
}
END_TEST

static const char *const wrong_languages[] = {"fr",  "",    "../en",      "d",
                                              "e n", "en-", "deutschland"};

START_TEST(test_a_language_without_texts_is_refused_when_loading)
{
    sb_template_set_t *set;

    ck_assert_int_eq(sb_template_set_load(&set, &result, NULL,
                                          languages("en", wrong_languages[_i]),
                                          sb_unit_pool),
                     SB_INVALID);
    ck_assert_ptr_nonnull(strstr(result.message, "SubbillLanguages"));
}
END_TEST

Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tests = tcase_create("template");

    tcase_add_checked_fixture(tests, setup, sb_unit_teardown);
    tcase_add_loop_test(tests, test_templates_render_as_the_mustache_specification_says,
                        0, sizeof(files) / sizeof(*files));
    tcase_add_test(tests, test_an_error_in_a_template_names_template_and_line);
    tcase_add_test(tests,
                   test_every_truncation_of_a_template_ends_in_a_page_or_a_sentence);
    tcase_add_test(tests, test_a_nul_byte_in_a_template_is_text_or_an_error);
    tcase_add_test(tests, test_partials_that_include_each_other_without_end_are_stopped);
    tcase_add_test(tests, test_a_page_cannot_grow_without_limit);
    tcase_add_test(tests, test_an_indented_partial_takes_its_blanks_from_the_template);
    tcase_add_test(tests, test_a_name_is_looked_up_in_the_context_before_the_base);
    tcase_add_test(tests, test_the_built_in_pages_need_no_file_beside_the_module);
    tcase_add_test(tests, test_names_from_strangers_stay_text_in_every_page);
    tcase_add_test(tests, test_a_site_replaces_pages_texts_and_style_file_by_file);
    tcase_add_loop_test(
        tests, test_a_broken_file_of_the_site_is_told_with_its_place_when_loading, 0,
        sizeof(broken) / sizeof(*broken));
    tcase_add_loop_test(tests, test_a_language_without_texts_is_refused_when_loading, 0,
                        sizeof(wrong_languages) / sizeof(*wrong_languages));
    suite_add_tcase(suite, tests);
    return suite;
}
