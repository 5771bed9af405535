/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STRIPE_BREAKER_H
#define SB_STRIPE_BREAKER_H

#include <apr_pools.h>
#include <apr_thread_mutex.h>
#include <stdbool.h>

/* A circuit breaker (F13): after `threshold` calls in a row that reached nobody,
 * further calls fail at once for `open_for`; then one call goes through as a probe, and
 * its outcome closes the circuit or opens it again. Times are monotonic
 * (base/clock.h). */
typedef struct sb_breaker_t sb_breaker_t;

typedef enum {
    SB_BREAKER_PASS,  /* closed: go on */
    SB_BREAKER_PROBE, /* half open: go on, alone and without retries */
    SB_BREAKER_OPEN   /* do not call */
} sb_breaker_verdict_e;

typedef enum {
    SB_BREAKER_SUCCESS, /* somebody answered sensibly */
    SB_BREAKER_FAILURE,
    SB_BREAKER_UNKNOWN /* the call was not made after all */
} sb_breaker_outcome_e;

apr_status_t sb_breaker_create(sb_breaker_t **breaker, int threshold,
                               apr_interval_time_t open_for, apr_pool_t *pool);

/* Asks before a call; *retry_after (seconds, at least 1) is set with SB_BREAKER_OPEN.
 * After PASS and PROBE sb_breaker_report() must follow. */
sb_breaker_verdict_e sb_breaker_ask(sb_breaker_t *breaker, int *retry_after);

typedef enum {
    SB_BREAKER_SAME,
    SB_BREAKER_OPENED,
    SB_BREAKER_CLOSED
} sb_breaker_change_e;

/* Tells how it went; says whether this report changed the circuit, so that it is logged
 * once. */
sb_breaker_change_e sb_breaker_report(sb_breaker_t *breaker, sb_breaker_verdict_e verdict,
                                      sb_breaker_outcome_e outcome);

#endif
