/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "base/json.h"
#include "domain/signature.h"

#include <string.h>

#define SECRETS_MAX 16

static int secrets_of(const char *secrets[SECRETS_MAX], const json_t *entry)
{
    const json_t *list = sb_json_get(entry, "secrets");
    int n = (int)json_array_size(list);

    ck_assert_int_le(n, SECRETS_MAX);
    for (int i = 0; i < n; i++) {
        secrets[i] = json_string_value(json_array_get(list, (size_t)i));
    }
    return n;
}

/* A17, T01, T02, T04, T05: the corpus of headers, written against an independent verifier. */
START_TEST(test_the_corpus_of_signatures_has_its_outcomes)
{
    json_t *corpus = sb_unit_data("signatures.json");
    size_t i;
    json_t *entry;

    ck_assert_uint_ge(json_array_size(corpus), 150);
    json_array_foreach(corpus, i, entry)
    {
        const char *name = sb_json_text(entry, "name");
        const char *hex = sb_json_text(entry, "header_hex");
        const char *secrets[SECRETS_MAX];
        int n = secrets_of(secrets, entry), which = 99;
        apr_size_t length, header_length;
        const char *body = sb_unit_unhex(sb_json_text(entry, "body_hex"), &length);
        const char *header =
            hex ? sb_unit_unhex(hex, &header_length) : sb_json_text(entry, "header");
        sb_signature_outcome_e why;
        bool ok = sb_signature_verify(&why, &which, header, body, length, secrets, n,
                                      sb_json_int(entry, "now", 0),
                                      (int)sb_json_int(entry, "tolerance", 0));
        ck_assert_msg(strcmp(sb_signature_word(why), sb_json_text(entry, "expect")) == 0,
                      "%s: %s", name, sb_signature_word(why));
        ck_assert_int_eq(ok, why == SB_SIGNATURE_OK);
        ck_assert_int_eq(which, (int)sb_json_int(entry, "which", -1));
    }
    json_decref(corpus);
}
END_TEST

/* A17 */
START_TEST(test_the_published_vectors_verify)
{
    const char *text = sb_unit_file("../shared/stripe/testdata.json", NULL);
    json_t *json, *vector;
    size_t i;

    if (!text) {
        fprintf(stderr, "skipped: no published signature vectors beside the project\n");
        return;
    }
    ck_assert(sb_json_parse(&json, NULL, 0, text, strlen(text), 16));
    json_array_foreach(sb_json_get(json, "signature_vectors"), i, vector)
    {
        const char *secret = sb_json_text(vector, "secret");
        const char *body = sb_json_text(vector, "body");
        sb_signature_outcome_e why;
        ck_assert(sb_signature_verify(&why, NULL, sb_json_text(vector, "header"), body,
                                      strlen(body), &secret, 1,
                                      sb_json_int(vector, "timestamp", 0) + 10, 300));
    }
    json_decref(json);
}
END_TEST

/* T01: no single changed byte of header or body gets through. */
START_TEST(test_every_changed_byte_is_noticed)
{
    const char *secret = "whsec_test_0123456789abcdefghijklmnopqrstuv";
    char body[] = "{\"id\":\"evt_test_1\",\"object\":\"event\"}";
    char header[] = "t=1793610000,v1="
                    "5cad137340bac29107b26f3a94805fa6d69baef5aea29a78538d68a07773f7aa";
    sb_signature_outcome_e why;

    ck_assert(sb_signature_verify(&why, NULL, header, body, strlen(body), &secret, 1,
                                  1793610000, 300));
    for (size_t i = 0; i < strlen(body); i++) {
        body[i] ^= 1;
        ck_assert(!sb_signature_verify(&why, NULL, header, body, strlen(body), &secret, 1,
                                       1793610000, 300));
        body[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(header) - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            header[i] ^= (char)(1 << bit);
            ck_assert(!sb_signature_verify(&why, NULL, header, body, strlen(body),
                                           &secret, 1, 1793610000, 300));
            header[i] ^= (char)(1 << bit);
        }
    }
}
END_TEST

Suite *signature_suite(void)
{
    Suite *suite = suite_create("signature");
    TCase *tcase = sb_unit_case("signature");

    tcase_add_test(tcase, test_the_corpus_of_signatures_has_its_outcomes);
    tcase_add_test(tcase, test_the_published_vectors_verify);
    tcase_add_test(tcase, test_every_changed_byte_is_noticed);
    suite_add_tcase(suite, tcase);
    return suite;
}
