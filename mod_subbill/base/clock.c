/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/clock.h"

#include <time.h>

apr_int64_t sb_clock_now(void)
{
    return apr_time_sec(apr_time_now());
}

apr_time_t sb_clock_monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (apr_time_t)ts.tv_sec * APR_USEC_PER_SEC + ts.tv_nsec / 1000;
}
