/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_CLOCK_H
#define SB_BASE_CLOCK_H

#include <apr_time.h>

/* Wall clock, Unix seconds UTC: for everything Stripe and people talk about. */
apr_int64_t sb_clock_now(void);

/* Monotonic clock in microseconds: for deadlines, TTLs and budgets, which must not move when an
 * administrator or NTP sets the wall clock (F24). */
apr_time_t sb_clock_monotonic(void);

/* The same at the system's last tick, some milliseconds ago at most, at half the cost: for every request. */
apr_time_t sb_clock_coarse(void);

#endif
