/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_SERVICE_INGEST_H
#define SB_SERVICE_INGEST_H

#include "domain/signature.h"
#include "domain/stripe_event.h"
#include "service/service.h"
#include "store/events.h"

/* Events: verified, stored and applied in one transaction. After SB_OK the event is durable,
 * whatever became of it, and must be acknowledged; after anything else it must come again. */

#define SB_EVENT_BODY_MAX (512 * 1024) /* bytes; larger ones are refused by the reader */

typedef struct sb_ingest_t {
    /* "done", "duplicate" (finished before; nothing was done now), "ignored" (understood, none of
     * our business), "received" (a thin event, whose object the worker reads) or "failed" (stored,
     * visible, and not applied: reason says why). */
    const char *state;
    const char *event; /* id */
    const char *type;
    const char *reason; /* of ignored and failed, else NULL */
    sb_signature_outcome_e signature;
    int secret; /* index of the secret that matched, or -1 */
} sb_ingest_t;

/* A delivery. secrets: const char *, values; of the mount it came to. Besides sb_ingest_event():
 *   SB_INVALID      "bad_signature": outcome->signature says which check failed, nothing was parsed
 *   SB_UNAVAILABLE  "webhook_not_configured": there is no secret to verify with */
sb_status_e sb_ingest_webhook(sb_ingest_t *outcome, sb_result_t *result,
                              sb_service_t *service, const char *signature_header,
                              const char *body, apr_size_t length,
                              const apr_array_header_t *secrets, apr_pool_t *pool);

/* An event whose origin is beyond doubt. source: SB_SOURCE_…
 *   SB_INVALID      "bad_json", "not_an_event"
 *   SB_TOO_LARGE    "payload_too_large"
 *   SB_UNAVAILABLE  database: try again */
sb_status_e sb_ingest_event(sb_ingest_t *outcome, sb_result_t *result,
                            sb_service_t *service, const char *source, const char *body,
                            apr_size_t length, apr_pool_t *pool);

/* A fact that no webhook told: an object read from Stripe, kept as an event row like any other so that
 * the tables can be rebuilt. id must say what was seen, so that seeing it again is a duplicate;
 * event->object is what is applied, by event->type. */
sb_status_e sb_ingest_fact(sb_ingest_t *outcome, sb_result_t *result,
                           sb_service_t *service, const sb_event_t *event,
                           const char *source, apr_pool_t *pool);

/* Why an event is none of this site's business: the word it is ignored under, or NULL. */
const char *sb_ingest_foreign(const sb_service_t *service, const sb_event_t *event);

/* An event that is stored and not finished, once more. event: read from body, with the id it is stored
 * under. What fails again keeps the job it has. */
sb_status_e sb_ingest_kept(sb_ingest_t *outcome, sb_result_t *result,
                           sb_service_t *service, const sb_event_t *event,
                           const char *source, const char *body, apr_pool_t *pool);

#endif
