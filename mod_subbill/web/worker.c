/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Background jobs in httpd: mod_watchdog runs one thread of ours in one child at a time. It may be cut
 * off anywhere (a graceful restart does not wait for it, a killed child cannot), and two generations may
 * have one each for a moment; both is what jobs are made for (service/jobs.c). Nothing here runs in the
 * parent. */
#include "web/module.h"

#include "base/clock.h"
#include "service/catch_up.h"
#include "service/jobs.h"
#include "service/replay.h"

#include <http_core.h>
#include <mod_watchdog.h>

enum {
    TICK_S = 1,
    UPKEEP_S = 30,  /* between two looks for what was forgotten */
    TROUBLE_S = 10, /* while the database is away */
    TURN_S = 1,   /* of one host's jobs before the next host's turn, and the step begun */
    ROUNDS_S = 10 /* before mod_watchdog may say that httpd stops */
};

static int
    stopping; /* atomic: set from other threads, and on prefork by a signal handler */

void sb_worker_stop(void)
{
    __atomic_store_n(&stopping, 1, __ATOMIC_RELAXED);
}

static bool must_stop(void *baton)
{
    return __atomic_load_n(&stopping, __ATOMIC_RELAXED);
}

/* What nobody will ask for: events that were left behind, and events that never came. */
static sb_status_e look_after(const sb_server_t *server, sb_result_t *result,
                              apr_pool_t *pool)
{
    sb_status_e status = sb_replay_stuck(result, server->service, pool);

    return status == SB_OK && server->service->stripe
               ? sb_catch_up_tend(result, server->service, !server->worked, pool)
               : status;
}

/* One host's turn; true: it has more to do at once. One whose database is in trouble is left alone for a
 * while, without holding up the others. */
static bool work_for(sb_server_t *server, apr_pool_t *pool)
{
    sb_jobs_run_t run = {.time = apr_time_from_sec(TURN_S), .stopping = must_stop};
    apr_time_t now = sb_clock_monotonic();
    sb_status_e status = SB_OK;
    sb_result_t result;

    if (now < server->next_try) {
        return false;
    }
    sb_result_clear(&result);
    if (now >= server->next_upkeep) {
        status = look_after(server, &result, pool);
    }
    if (status == SB_OK && now >= server->next_upkeep) {
        server->worked = true;
        server->next_upkeep = now + apr_time_from_sec(UPKEEP_S);
    }
    sb_result_clear(&result);
    if (status == SB_OK) {
        status = sb_jobs_run(&run, &result, server->service, pool);
    }
    if (status != SB_OK) {
        server->next_try = sb_clock_monotonic() + apr_time_from_sec(TROUBLE_S);
    }
    return status == SB_OK && !run.idle && !run.paced;
}

/* A turn of each host; true: one has more to do. */
static bool round_of_turns(server_rec *main_server, apr_pool_t *pool)
{
    bool more = false;

    for (server_rec *s = main_server; s && !must_stop(NULL); s = s->next) {
        sb_server_t *server = sb_server_of(s);
        if (server->service && server->origin == server && server->settings->worker &&
            server->settings->enabled && server->settings->database_driver) {
            more = work_for(server, pool) || more;
        }
    }
    return more;
}

static void tick(server_rec *main_server, apr_pool_t *parent)
{
    apr_time_t until = sb_clock_monotonic() + apr_time_from_sec(ROUNDS_S);
    bool more = true;
    apr_pool_t *pool;

    while (more && !must_stop(NULL) && sb_clock_monotonic() < until &&
           apr_pool_create(&pool, parent) == APR_SUCCESS) {
        more = round_of_turns(main_server, pool);
        apr_pool_destroy(pool);
    }
}

static apr_status_t on_watchdog(int state, void *data, apr_pool_t *pool)
{
    if (state == AP_WATCHDOG_STATE_STOPPING) {
        sb_worker_stop();
    }
    else if (state == AP_WATCHDOG_STATE_RUNNING && !must_stop(NULL)) {
        tick(data, pool);
    }
    return APR_SUCCESS;
}

static bool any_worker(server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        const sb_server_t *server = sb_server_of(s);
        if (sb_server_configured(server) && server->settings->worker &&
            server->settings->database_driver) {
            return true;
        }
    }
    return false;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                       server_rec *s)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) * get_instance;
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) * register_callback;
    ap_watchdog_t *watchdog;

    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        !any_worker(s)) {
        return OK;
    }
    get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    register_callback = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    if (!get_instance || !register_callback) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, s,
            "subbill: SB125: mod_watchdog is not loaded, so nothing is done in the "
            "background; load it, or run `subbillctl work --once` every minute and "
            "write SubbillWorker Off");
        return OK;
    }
    apr_status_t rv = get_instance(&watchdog, "_subbill_", 0, 1, pconf);
    if (rv == APR_SUCCESS) {
        rv = register_callback(watchdog, apr_time_from_sec(TICK_S), s, on_watchdog);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, s,
                     "subbill: SB126: the watchdog takes no job: nothing is done in the "
                     "background");
    }
    return OK;
}

void sb_worker_hooks(apr_pool_t *pool)
{
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};

    /* mod_watchdog makes the threads of those who have registered by then. */
    ap_hook_post_config(post_config, NULL, before_watchdog, APR_HOOK_MIDDLE);
}
