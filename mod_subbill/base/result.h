/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_RESULT_H
#define SB_BASE_RESULT_H

#include <apr_pools.h>

/* What became of a piece of work, in words that a person and a program can act on. One object carries
 * it from the room where it happened to the room that answers; only web/ turns a status into an
 * HTTP status and only ctl/ into an exit code. */

typedef enum {
    SB_OK = 0,
    SB_INVALID,          /* the caller's input is wrong */
    SB_UNAUTHENTICATED,  /* nobody is logged in */
    SB_PAYMENT_REQUIRED, /* nothing paid */
    SB_FORBIDDEN,        /* known, but not allowed */
    SB_NOT_FOUND,
    SB_CONFLICT, /* the state of things forbids it: already subscribed, bound elsewhere */
    SB_TOO_LARGE,   /* more bytes than we read */
    SB_TOO_MANY,    /* a budget is used up; retry_after says for how long */
    SB_INTERNAL,    /* our own fault */
    SB_UPSTREAM,    /* Stripe answered, but not with what was asked for */
    SB_UNAVAILABLE, /* database or Stripe cannot be reached; try again */
    SB_DISABLED     /* SubbillEnabled Off */
} sb_status_e;

typedef struct sb_result_t {
    sb_status_e status;
    const char *code; /* stable word, e.g. "unknown_plan"; never NULL after a failure */
    const char *message; /* a sentence; may be shown to a person, holds no secret */
    const char *hint;    /* what to do about it, or NULL */
    int retry_after;     /* seconds until another try makes sense, 0 = not said */
} sb_result_t;

/* Fills result (when not NULL) and returns status, so that a failure is one statement:
 * `return sb_result_set(result, SB_CONFLICT, "already_subscribed", "…", "…");`
 * The strings are kept by pointer and must outlive the result. */
sb_status_e sb_result_set(sb_result_t *result, sb_status_e status, const char *code,
                          const char *message, const char *hint);

/* The same with a formatted message, allocated from pool. */
sb_status_e sb_result_setf(sb_result_t *result, apr_pool_t *pool, sb_status_e status,
                           const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Back to SB_OK with every other member empty. */
void sb_result_clear(sb_result_t *result);

#endif
