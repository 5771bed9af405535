/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_REFRESH_H
#define SB_SERVICE_REFRESH_H

#include "domain/stripe_event.h"
#include "service/service.h"

/* Reading from Stripe what an event leaves open: the object of a thin event, or which of two statements of
 * one second is the last. Called by jobs only. */

/* What raised the question: an event's id and time. */
typedef struct sb_cause_t {
    const char *id;
    apr_int64_t created;
} sb_cause_t;

/* The cause as a job's payload, and back; false when it is none. */
const char *sb_refresh_cause(const sb_event_t *event, apr_pool_t *pool);
bool sb_refresh_cause_read(sb_cause_t *cause, const char *payload, apr_pool_t *pool);

/* The id of the event that keeps what was read about the object for this cause. */
const char *sb_refresh_answer(const char *object, const char *cause, apr_pool_t *pool);

/* Why the object of a thin event is not to be read: a word to ignore it under, or NULL. */
const char *sb_refresh_thin(const sb_event_t *event);

/* Reads the object (kind: "subscription", "customer", …) and applies what Stripe says about it now, as an
 * event of this type, or of the one that fits the object when type is NULL; unless something newer
 * than the cause has been told meanwhile. What was read is kept as the event "fetch:OBJECT:CAUSE".
 * Failures: those of sb_stripe_object_retrieve() and of sb_ingest_fact(). */
sb_status_e sb_refresh_object(sb_result_t *result, sb_service_t *service,
                              const char *kind, const char *id, const char *type,
                              const sb_cause_t *cause, apr_pool_t *pool);

#endif
