/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEST_SERVICE_FIXTURE_H
#define SB_TEST_SERVICE_FIXTURE_H

#include "scripted_server.h"
#include "service/access.h"
#include "service/ingest.h"
#include "service/jobs.h"
#include "store_fixture.h"

/* What the tests of service/ stand on: a service over an empty, migrated database, with a catalogue of free,
 * basic and pro, and a scripted server in Stripe's place. */

#define SERVICE_SECRET "whsec_canaryService"
#define PRICE_BASIC    "price_1SbBasicMonthEUR0000001"
#define PRICE_PRO      "price_1SbProMonthEUR00000001"

typedef struct service_fixture_t {
    sb_service_t *service;
    scripted_server_t *server;
    sb_result_t result;
    sb_ingest_t outcome;
    apr_array_header_t *secrets;
} service_fixture_t;

extern service_fixture_t sv;

/* Checked fixture. */
void service_setup(void);
void service_teardown(void);

/* An empty, migrated database of this dialect; false when there is none to test with. */
bool service_on(int dialect);

/* Makes sv.service, on SQLite unless service_on() chose; n 0: no Stripe key and no server. */
void service_with(const scripted_answer_t *script, int n);

/* The catalogue is another one from now on, as after a reload. */
void service_catalog(const char *text);

/* An answer of Stripe's: JSON written with ' instead of ". */
scripted_answer_t service_answer(int status, const char *json);
/* 429, and no use in trying again at once. */
scripted_answer_t service_slower(void);
/* No answer: the connection is dropped. */
scripted_answer_t service_silence(void);

/* Text in the pool of the test, with ' turned into ". */
const char *service_json(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A subscription object. user NULL: not stamped. */
const char *service_subscription(const char *id, const char *customer, const char *user,
                                 const char *status, const char *price);

/* The event around an object, created so many seconds from now. */
const char *service_event(const char *id, const char *type, int created,
                          const char *object);

/* A page of one of Stripe's lists, of n objects in JSON, the newest first. */
scripted_answer_t service_page(bool more, int n, ...);

/* Runs at most so many steps of due jobs (0: all of them, in whatever they end). */
sb_jobs_run_t service_steps(int max);

/* Ingests it as a webhook's, signed; returns the state. */
const char *service_deliver(const char *event);

/* Runs every job that is due, as the worker does; what became of the steps. */
sb_jobs_run_t service_work(void);

/* Makes every waiting job due, whatever its time and its lease. */
void service_jobs_due(void);

/* How many rows "TABLE WHERE …" has, as text. */
const char *service_count(const char *where);

/* The word of the reason with which the gate "any" or of a plan answers this user. */
const char *service_gate(const char *user, const char *plan);

#endif
