/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Calls, not tries, are counted: a call that succeeded on its second try is a success.
 * Calls that were let in while the circuit was closed and fail after it opened change
 * nothing any more; the probe alone decides. */
#include "stripe/breaker.h"
#include "base/clock.h"

struct sb_breaker_t {
    apr_thread_mutex_t *mutex;
    int threshold;
    apr_interval_time_t open_for;
    int failures;         /* in a row, while closed */
    bool open;            /* also while half open */
    bool probing;         /* half open: the probe is under way */
    apr_time_t probe_due; /* monotonic, while open */
};

apr_status_t sb_breaker_create(sb_breaker_t **breaker, int threshold,
                               apr_interval_time_t open_for, apr_pool_t *pool)
{
    sb_breaker_t *created = apr_pcalloc(pool, sizeof(*created));

    created->threshold = threshold;
    created->open_for = open_for;
    *breaker = created;
    return apr_thread_mutex_create(&created->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
}

static int seconds_up(apr_interval_time_t left)
{
    return left <= APR_USEC_PER_SEC ? 1 : (int)((left - 1) / APR_USEC_PER_SEC) + 1;
}

sb_breaker_verdict_e sb_breaker_ask(sb_breaker_t *breaker, int *retry_after)
{
    sb_breaker_verdict_e verdict = SB_BREAKER_PASS;
    apr_time_t now = sb_clock_monotonic();

    apr_thread_mutex_lock(breaker->mutex);
    if (breaker->open) {
        if (!breaker->probing && now >= breaker->probe_due) {
            breaker->probing = true;
            verdict = SB_BREAKER_PROBE;
        }
        else {
            *retry_after = seconds_up(breaker->probe_due - now);
            verdict = SB_BREAKER_OPEN;
        }
    }
    apr_thread_mutex_unlock(breaker->mutex);
    return verdict;
}

static sb_breaker_change_e probed(sb_breaker_t *breaker, sb_breaker_outcome_e outcome)
{
    breaker->probing = false;
    if (outcome == SB_BREAKER_SUCCESS) {
        breaker->open = false;
        breaker->failures = 0;
        return SB_BREAKER_CLOSED;
    }
    if (outcome == SB_BREAKER_FAILURE) {
        breaker->probe_due = sb_clock_monotonic() + breaker->open_for;
    }
    return SB_BREAKER_SAME;
}

static sb_breaker_change_e passed(sb_breaker_t *breaker, sb_breaker_outcome_e outcome)
{
    if (breaker->open || outcome == SB_BREAKER_UNKNOWN) {
        return SB_BREAKER_SAME;
    }
    if (outcome == SB_BREAKER_SUCCESS) {
        breaker->failures = 0;
        return SB_BREAKER_SAME;
    }
    if (++breaker->failures < breaker->threshold) {
        return SB_BREAKER_SAME;
    }
    breaker->open = true;
    breaker->probe_due = sb_clock_monotonic() + breaker->open_for;
    return SB_BREAKER_OPENED;
}

sb_breaker_change_e sb_breaker_report(sb_breaker_t *breaker, sb_breaker_verdict_e verdict,
                                      sb_breaker_outcome_e outcome)
{
    apr_thread_mutex_lock(breaker->mutex);
    sb_breaker_change_e change =
        verdict == SB_BREAKER_PROBE ? probed(breaker, outcome) : passed(breaker, outcome);
    apr_thread_mutex_unlock(breaker->mutex);
    return change;
}
