/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A response that runs for long was granted by a decision that grows old. Where SubbillRevokeRunning
 * is set each such response is entered in a list of this process, and one thread asks the door about
 * all of them again, half as often as the directive says; the cache answers, so a change of access is
 * seen at once. Whoever is refused by then has his connection shut down. A filter alone would not do:
 * it sees nothing while a stream is silent, while the kernel sends a file, or while mod_proxy
 * tunnels a WebSocket past all filters.
 *
 * The list holds a duplicate of the connection's descriptor: httpd may close its own, and the
 * kernel give the number to somebody else, before the request's pool is cleared. Unsent data is thrown
 * away, so that the client sees a reset and never an answer that looks complete.
 *
 * On HTTP/2 the connection belongs to other requests, too: there a filter cuts the stream at the next
 * piece of data, in pieces small enough that there is a next one, and only a stream that has not ended
 * by then takes its connection along.
 *
 * Whether nothing can be decided (no database, say) is no reason to cut: the next request is asked. */
#include "web/revoke.h"

#include "base/clock.h"
#include "store/connect.h"
#include "web/metrics.h"

#include <apr_buckets.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <util_filter.h>

enum { TICK_US = 100000, PIECE = 16384 };

static const char cut_filter[] = "SUBBILL_REVOKE";

typedef struct watched_t {
    struct watched_t *next;
    server_rec *s;
    sb_opened_t opened[SB_DOORS];
    int grace_days;
    int fd;
    bool shared; /* HTTP/2: the connection has other streams */
    bool asked;  /* the thread is deciding about it, and looks at it without the lock */
    bool shut;
    int cut; /* atomic: refused */
    apr_interval_time_t interval;
    apr_time_t due; /* monotonic; when cut, the end of its connection */
} watched_t;

/* Of this process. */
static struct {
    pthread_mutex_t
        lock;            /* knows its owner: prefork ends a child from a signal handler */
    pthread_cond_t tick; /* work has come, or the end */
    pthread_cond_t answered;
    pthread_t thread;
    bool ready, running, stopping;
    watched_t *first;
} watch;

/* --- the thread ----------------------------------------------------------------------------- */

/* Both directions: httpd's thread, which may be reading from a silent backend, is woken where it looks
 * at the client at all. Nothing that waits in the kernel is sent any more. */
static void shut(watched_t *one)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    one->shut = true;
    setsockopt(one->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    shutdown(one->fd, SHUT_RDWR);
}

/* Under the lock. */
static void cut(watched_t *one, sb_reason_e reason, apr_time_t now)
{
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, one->s,
                 "subbill: SB140: a running response is ended: %s",
                 sb_reason_word(reason));
    __atomic_store_n(&one->cut, 1, __ATOMIC_RELEASE);
    sb_metrics_count(SB_METRIC_CUT, 0);
    if (one->shared) {
        one->due = now + one->interval / 2;
    }
    else {
        shut(one);
    }
}

/* Under the lock, which is let go while the door is asked: what the entry points to stays, because
 * its request waits for the answer before it ends. */
static void ask(watched_t *one, apr_time_t now, apr_pool_t *pool)
{
    one->asked = true;
    pthread_mutex_unlock(&watch.lock);
    sb_verdict_t verdict = {.granted = true};
    for (int door = 0; door < SB_DOORS; door++) {
        if (one->opened[door].user &&
            (verdict.granted || verdict.reason == SB_REASON_UNAVAILABLE)) {
            verdict = sb_gate_ask(sb_server_of(one->s), &one->opened[door],
                                  one->grace_days, pool);
        }
    }
    apr_pool_clear(pool);
    pthread_mutex_lock(&watch.lock);
    one->asked = false;
    one->due = now + one->interval;
    if (!verdict.granted && verdict.reason != SB_REASON_UNAVAILABLE) {
        cut(one, verdict.reason, now);
    }
    pthread_cond_broadcast(&watch.answered);
}

/* The first entry that is due; NULL: none is. */
static watched_t *due(apr_time_t now)
{
    for (watched_t *one = watch.first; one; one = one->next) {
        if (one->due <= now && !one->shut) {
            return one;
        }
    }
    return NULL;
}

static void wait_a_tick(apr_time_t now)
{
    apr_time_t end = now + TICK_US;
    struct timespec at = {.tv_sec = (time_t)apr_time_sec(end),
                          .tv_nsec = (long)apr_time_usec(end) * 1000};

    pthread_cond_timedwait(&watch.tick, &watch.lock, &at);
}

static void *look_after(void *unused)
{
    apr_pool_t *pool;

    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    pthread_mutex_lock(&watch.lock);
    while (!watch.stopping) {
        apr_time_t now = sb_clock_monotonic();
        watched_t *one = due(now);
        if (one && __atomic_load_n(&one->cut, __ATOMIC_RELAXED)) {
            shut(one);
        }
        else if (one) {
            ask(one, now, pool);
        }
        else if (watch.first) {
            wait_a_tick(now);
        }
        else {
            pthread_cond_wait(&watch.tick, &watch.lock);
        }
    }
    pthread_mutex_unlock(&watch.lock);
    apr_pool_destroy(pool);
    return NULL;
}

/* --- the list ------------------------------------------------------------------------------- */

/* The request is over. A signal handler that ends the process on top of a thread that holds the lock
 * leaves everything as it is: nobody will look again. */
static apr_status_t forget(void *data)
{
    watched_t *one = data;

    if (pthread_mutex_lock(&watch.lock)) {
        return APR_SUCCESS;
    }
    while (one->asked) {
        pthread_cond_wait(&watch.answered, &watch.lock);
    }
    for (watched_t **at = &watch.first; *at; at = &(*at)->next) {
        if (*at == one) {
            *at = one->next;
            break;
        }
    }
    pthread_mutex_unlock(&watch.lock);
    close(one->fd);
    return APR_SUCCESS;
}

static bool enter(watched_t *one, apr_pool_t *pool)
{
    bool entered = false;

    if (pthread_mutex_lock(&watch.lock)) {
        return false;
    }
    if (!watch.running && !watch.stopping) {
        watch.running = !sb_thread_create(&watch.thread, look_after, NULL);
    }
    if (watch.running && !watch.stopping) {
        one->next = watch.first;
        watch.first = one;
        entered = true;
        if (!one->next) {
            pthread_cond_signal(&watch.tick);
        }
    }
    pthread_mutex_unlock(&watch.lock);
    if (entered) {
        apr_pool_cleanup_register(pool, one, forget, apr_pool_cleanup_null);
    }
    return entered;
}

static apr_status_t stop(void *unused)
{
    if (pthread_mutex_lock(&watch.lock)) {
        return APR_SUCCESS;
    }
    bool running = watch.running;
    watch.stopping = true;
    watch.running = false;
    pthread_cond_broadcast(&watch.tick);
    pthread_mutex_unlock(&watch.lock);
    if (running) {
        pthread_join(watch.thread, NULL);
    }
    return APR_SUCCESS;
}

/* --- streams of HTTP/2 ---------------------------------------------------------------------- */

/* An error bucket behind the headers is how a broken answer is told: the stream is reset. Without one
 * mod_http2 would wait for an end. */
static apr_status_t give_up(ap_filter_t *f, apr_bucket_brigade *bb)
{
    apr_brigade_cleanup(bb);
    if (!f->c->aborted) {
        APR_BRIGADE_INSERT_TAIL(bb, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL,
                                                           f->r->pool, bb->bucket_alloc));
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
        ap_pass_brigade(f->next, bb);
        apr_brigade_cleanup(bb);
        f->c->aborted = 1;
    }
    return APR_ECONNABORTED;
}

/* In pieces that lie in memory: a file would pass as a whole, be the session's from then on, and go
 * on when its request is long over. */
static apr_status_t filter_cut(ap_filter_t *f, apr_bucket_brigade *bb)
{
    const watched_t *one = f->ctx;
    apr_bucket_brigade *piece = apr_brigade_create(f->r->pool, f->c->bucket_alloc);
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(bb)) {
        apr_bucket *e = APR_BRIGADE_FIRST(bb);
        const char *data;
        apr_size_t length;
        if (__atomic_load_n(&one->cut, __ATOMIC_ACQUIRE)) {
            rv = give_up(f, bb);
            break;
        }
        if (APR_BUCKET_IS_METADATA(e)) {
            APR_BUCKET_REMOVE(e);
            APR_BRIGADE_INSERT_TAIL(piece, e);
        }
        else {
            rv = apr_bucket_read(e, &data, &length, APR_BLOCK_READ);
            if (rv != APR_SUCCESS) {
                break;
            }
            length = length > PIECE ? PIECE : length;
            apr_brigade_write(piece, NULL, NULL, data, length);
            if (length < e->length) {
                apr_bucket_split(e, length);
            }
            apr_bucket_delete(e);
        }
        rv = ap_pass_brigade(f->next, piece);
        apr_brigade_cleanup(piece);
    }
    apr_brigade_destroy(piece);
    return rv;
}

/* --- hooks ---------------------------------------------------------------------------------- */

/* The request that met the door: this one, or the one it was redirected from. */
static request_rec *let_in(request_rec *r)
{
    for (; r; r = r->prev) {
        const sb_request_t *request =
            ap_get_module_config(r->request_config, &subbill_module);
        for (int door = 0; request && door < SB_DOORS; door++) {
            if (request->opened[door].user) {
                return r;
            }
        }
    }
    return NULL;
}

static int descriptor(const conn_rec *c)
{
    apr_socket_t *socket = ap_get_conn_socket(c->master ? c->master : (conn_rec *)c);
    apr_os_sock_t fd;

    return socket && apr_os_sock_get(&fd, socket) == APR_SUCCESS
               ? fcntl(fd, F_DUPFD_CLOEXEC, 0)
               : -1;
}

static void watch_response(request_rec *r)
{
    request_rec *met = r->main || !watch.ready ? NULL : let_in(r);
    int seconds = met ? sb_dir_of(met)->revoke_running : 0;

    if (seconds <= 0) {
        return;
    }
    const sb_request_t *request = sb_request_of(met);
    watched_t *one = apr_pcalloc(r->pool, sizeof(*one));
    one->s = r->server;
    memcpy(one->opened, request->opened, sizeof(one->opened));
    one->grace_days = sb_dir_of(met)->grace_days > 0 ? sb_dir_of(met)->grace_days : 0;
    one->shared = r->connection->master != NULL;
    one->interval = apr_time_from_sec(seconds) / 2;
    one->due = sb_clock_monotonic() + one->interval;
    one->fd = descriptor(r->connection);
    if (one->fd < 0 || !enter(one, r->pool)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "SB141: this response cannot be watched: SubbillRevokeRunning has "
                      "no descriptor or no thread left for it");
        if (one->fd >= 0) {
            close(one->fd);
        }
        return;
    }
    if (one->shared) {
        ap_add_output_filter(cut_filter, one, r, r->connection);
    }
}

static void child_init(apr_pool_t *pool, server_rec *s)
{
    pthread_mutexattr_t checked;
    pthread_condattr_t monotonic;

    pthread_mutexattr_init(&checked);
    pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&watch.lock, &checked);
    pthread_mutexattr_destroy(&checked);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch.tick, &monotonic);
    pthread_cond_init(&watch.answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    watch.ready = true;
    apr_pool_cleanup_register(pool, NULL, stop, apr_pool_cleanup_null);
}

void sb_revoke_hooks(apr_pool_t *pool)
{
    /* After the services have been opened, so that the thread ends before they do. */
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_REALLY_LAST);
    /* Every handler, those that tunnel too, comes after it. */
    ap_hook_insert_filter(watch_response, NULL, NULL, APR_HOOK_MIDDLE);
    /* Behind everything that changes the content. */
    ap_register_output_filter(cut_filter, filter_cut, NULL,
                              (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}
