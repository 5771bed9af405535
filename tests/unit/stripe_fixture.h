/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEST_STRIPE_FIXTURE_H
#define SB_TEST_STRIPE_FIXTURE_H

#include "scripted_server.h"
#include "stripe/client.h"

/* What the tests of stripe/ stand on: a client with two keys, a scripted server in
 * Stripe's place, a log that is kept, pauses that are counted and not waited for. */

#define KEY_OLD "sk_test_canaryOld123"
#define KEY_NEW "rk_test_canaryNew456"

typedef struct stripe_fixture_t {
    apr_pool_t *pool;
    sb_http_t *http; /* two threads, 1 s, 64 KiB */
    sb_stripe_t *stripe;
    scripted_server_t *server;
    sb_result_t result;
    json_t *out;
    const char *logged; /* "level line\n" … */
    int sleeps;
    apr_interval_time_t slept;
} stripe_fixture_t;

extern stripe_fixture_t fx;

void stripe_fixture_setup(void);
void stripe_fixture_teardown(void);

/* Starts the server with n answers and a client that asks it; http, api, keys and sleep
 * of options are filled in, keys_n may be 1. */
void stripe_with(const scripted_answer_t *script, int n, sb_stripe_options_t options);

/* An answer of the script. Its connection is closed: on one that was kept, libcurl
 * itself repeats a request that was dropped, and the script would be a line ahead. */
scripted_answer_t stripe_answer(int status, const char *headers, const char *body);

/* The same with an error object that has these members. */
scripted_answer_t stripe_refusal(int status, const char *members);

/* Request i has exactly this header; "" = has it not. */
void assert_header(int i, const char *name, const char *value);

/* The form that request i sent. */
const char *sent_body(int i);

/* Does it hold this pair, given decoded? value NULL: does it lack the name? */
bool sent(int i, const char *name, const char *value);

#endif
