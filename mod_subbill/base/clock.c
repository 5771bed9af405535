/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/clock.h"

#include <time.h>

apr_int64_t sb_clock_now(void)
{
    return apr_time_sec(apr_time_now());
}

static inline apr_time_t read_clock(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (apr_time_t)ts.tv_sec * APR_USEC_PER_SEC + ts.tv_nsec / 1000;
}

apr_time_t sb_clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

apr_time_t sb_clock_coarse(void)
{
#ifdef CLOCK_MONOTONIC_COARSE /* Linux */
    return read_clock(CLOCK_MONOTONIC_COARSE);
#else
    return read_clock(CLOCK_MONOTONIC);
#endif
}
