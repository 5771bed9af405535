/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The counters lie in a mapping that the children inherit, in copies, each on cache lines of its own, so that
 * threads which count at once seldom meet; whoever reads adds them up. */
#include "web/metrics.h"

#include <apr_strings.h>
#include <errno.h>
#include <http_protocol.h>
#include <stddef.h>
#include <sys/mman.h>

enum { COPIES = 16, LINE = 64 };

typedef struct counters_t {
    apr_uint64_t decided[2][SB_REASON_COUNT]; /* in earnest, rehearsed */
    apr_uint64_t counted[SB_METRIC_COUNT];
} __attribute__((aligned(LINE))) counters_t;

/* Of the generation that is running; NULL: there is no memory for it. */
static counters_t *copies;

static apr_status_t unmap(void *mapping)
{
    munmap(mapping, COPIES * sizeof(counters_t));
    copies = NULL;
    return APR_SUCCESS;
}

apr_status_t sb_metrics_open(apr_pool_t *pconf)
{
    void *mapping = mmap(NULL, COPIES * sizeof(counters_t), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (mapping == MAP_FAILED) {
        return errno;
    }
    copies = mapping;
    apr_pool_cleanup_register(pconf, mapping, unmap, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

static void add(apr_uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void sb_metrics_count(sb_metric_e metric, long spread)
{
    if (copies) {
        add(&copies[spread & (COPIES - 1)].counted[metric]);
    }
}

void sb_metrics_decided(sb_reason_e reason, bool rehearsed, long spread)
{
    if (copies) {
        add(&copies[spread & (COPIES - 1)].decided[rehearsed][reason]);
    }
}

/* The sum of the counter that lies so many bytes into each copy. */
static apr_uint64_t sum(apr_size_t offset)
{
    apr_uint64_t total = 0;

    for (int i = 0; copies && i < COPIES; i++) {
        total += __atomic_load_n(
            (const apr_uint64_t *)((const char *)&copies[i] + offset), __ATOMIC_RELAXED);
    }
    return total;
}

static void decisions(request_rec *r, const char *name, const char *help, bool rehearsed)
{
    ap_rprintf(r, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    for (int reason = 0; reason < SB_REASON_COUNT; reason++) {
        ap_rprintf(r, "%s{reason=\"%s\"} %" APR_UINT64_T_FMT "\n", name,
                   sb_reason_word((sb_reason_e)reason),
                   sum(offsetof(counters_t, decided) +
                       ((apr_size_t)rehearsed * SB_REASON_COUNT + (apr_size_t)reason) *
                           sizeof(apr_uint64_t)));
    }
}

int sb_metrics_answer(request_rec *r)
{
    static const struct {
        const char *name, *help;
    } texts[SB_METRIC_COUNT] = {
        [SB_METRIC_STALE] = {"subbill_gate_stale_total",
                             "Requests let in by what was known before the database "
                             "went away (SubbillStale)."},
        [SB_METRIC_ON_ERROR] = {"subbill_gate_on_error_total",
                                "Requests let in although nothing could be decided "
                                "(SubbillOnError allow)."},
        [SB_METRIC_QUERIES] = {"subbill_gate_queries_total",
                               "Questions of gates that no cache could answer."},
        [SB_METRIC_CUT] = {"subbill_gate_cut_total", "Running responses that were ended "
                                                     "(SubbillRevokeRunning)."}};

    r->allowed |= AP_METHOD_BIT << M_GET;
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    ap_set_content_type(r, "text/plain; version=0.0.4; charset=utf-8");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    decisions(r, "subbill_gate_decisions_total", "Decisions of gates, by reason.", false);
    decisions(r, "subbill_gate_rehearsed_total",
              "Decisions that were only told (SubbillDryRun), by reason.", true);
    for (int i = 0; i < SB_METRIC_COUNT; i++) {
        ap_rprintf(
            r, "# HELP %s %s\n# TYPE %s counter\n%s %" APR_UINT64_T_FMT "\n",
            texts[i].name, texts[i].help, texts[i].name, texts[i].name,
            sum(offsetof(counters_t, counted) + (apr_size_t)i * sizeof(apr_uint64_t)));
    }
    return OK;
}
