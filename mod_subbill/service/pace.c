/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/pace.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/limiter.h"

#include <apr_time.h>
#include <string.h>

/* Two fifths of what Stripe allows per account (25 and 100 calls a second, docs.stripe.com/rate-limits). */
static const sb_rate_t test_rate = {.interval_ms = 100, .burst = 5};
static const sb_rate_t live_rate = {.interval_ms = 25, .burst = 20};

enum { WAIT_MS = 1000, NAP_MS = 50, PAUSE_MS = 1000, PAUSE_MAX_S = 300 };

typedef struct pace_t {
    bool livemode;
    bool taken;
    int pause_ms;
} pace_t;

static sb_rate_t rate_of(const pace_t *pace)
{
    return pace->livemode ? live_rate : test_rate;
}

static apr_status_t take(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    pace_t *pace = baton;

    return sb_limiter_take(&pace->taken, conn, pace->livemode, rate_of(pace), pool);
}

static apr_status_t slow_down(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    const pace_t *pace = baton;

    return sb_limiter_pause(conn, pace->livemode, rate_of(pace), pace->pause_ms, pool);
}

sb_status_e sb_pace_take(sb_result_t *result, sb_service_t *service, apr_pool_t *pool)
{
    pace_t pace = {.livemode = service->settings->live};
    apr_time_t until = sb_clock_monotonic() + apr_time_from_msec(WAIT_MS);

    for (;;) {
        sb_status_e status =
            sb_db_transaction(service->db, SB_DEADLINE_PAGE, take, &pace, result, pool);
        if (status != SB_OK || pace.taken) {
            return status;
        }
        if (sb_clock_monotonic() >= until) {
            break;
        }
        apr_sleep(apr_time_from_msec(NAP_MS));
    }
    sb_result_set(result, SB_UNAVAILABLE, "rate_limited",
                  "Too many calls to the payment service are waiting.", NULL);
    if (result) {
        result->retry_after = 1;
    }
    return SB_UNAVAILABLE;
}

/* The client's own words for what is no answer of Stripe's are no reason to slow down, nor is a 429 that is
 * about one object. */
static bool refused_by_rate(sb_status_e status, const sb_result_t *result)
{
    return status == SB_UNAVAILABLE && result->code && result->retry_after &&
           strcmp(result->code, "stripe_unavailable") != 0 &&
           strcmp(result->code, "stripe_busy") != 0 &&
           strcmp(result->code, "rate_limited") != 0 &&
           strcmp(result->code, "lock_timeout") != 0 &&
           strncmp(result->code, "database_", 9) != 0;
}

sb_status_e sb_pace_heed(sb_status_e status, const sb_result_t *result,
                         sb_service_t *service, apr_pool_t *pool)
{
    pace_t pace = {.livemode = service->settings->live, .pause_ms = PAUSE_MS};
    sb_result_t trouble;

    if (!refused_by_rate(status, result)) {
        return status;
    }
    int seconds = result->retry_after > PAUSE_MAX_S ? PAUSE_MAX_S : result->retry_after;
    pace.pause_ms = seconds * 1000;
    sb_log_limited(SB_LOG_WARNING, 0, "SB480",
                   "Stripe asks for fewer calls (%s): background calls wait %d s",
                   result->code, seconds);
    sb_result_clear(&trouble);
    sb_db_transaction(service->db, SB_DEADLINE_PAGE, slow_down, &pace, &trouble, pool);
    return status;
}
