/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The sink is per-process state: it is set once before threads start and only read afterwards. The
 * table behind sb_log_limited() is a fixed array indexed by a hash of the id; two ids that collide
 * share a budget, which loses a repeated line at worst and never grows. */
#include "base/log.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define LINE_MAX_BYTES 2048
#define LIMIT_SLOTS    64

static struct {
    sb_log_sink_fn sink;
    void *baton;
    sb_log_level_e level;
} process_log = {.level = SB_LOG_INFO};

static struct {
    apr_time_t until;       /* monotonic; nothing gets through before */
    unsigned int swallowed; /* since the last line that got through */
} limits[LIMIT_SLOTS];

void sb_log_sink_set(sb_log_sink_fn sink, void *baton)
{
    process_log.sink = sink;
    process_log.baton = baton;
    memset(limits, 0, sizeof(limits)); /* it has heard nothing yet */
}

void sb_log_level_set(sb_log_level_e level)
{
    process_log.level = level;
}

/* C0, DEL and C1 move terminals; bidirectional controls and line separators reorder or split what a
 * person reads. */
static bool is_harmful(apr_uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x061C ||
           (point >= 0x200E && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

void sb_log_escape(char *out, apr_size_t size, const char *text)
{
    apr_size_t used = 0, left = strlen(text);

    while (left) {
        apr_uint32_t point = 0;
        apr_size_t length = sb_utf8_sequence(&point, text, left);
        bool harmful = length == 0 || is_harmful(point);
        apr_size_t consumed = length ? length : 1;
        apr_size_t need = harmful ? 4 * consumed : consumed;

        if (used + need + 1 > size) {
            break;
        }
        for (apr_size_t i = 0; i < consumed; i++) {
            if (harmful) {
                used += (apr_size_t)apr_snprintf(out + used, 5, "\\x%02x",
                                                 (unsigned char)text[i]);
            }
            else {
                out[used++] = text[i];
            }
        }
        text += consumed;
        left -= consumed;
    }
    if (size) {
        out[used] = '\0';
    }
}

static void emit(sb_log_level_e level, apr_status_t rv, const char *id,
                 unsigned int swallowed, const char *format, va_list args)
{
    char raw[LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    int head = apr_snprintf(raw, sizeof(raw), "%s: ", id);

    apr_vsnprintf(raw + head, sizeof(raw) - (apr_size_t)head, format, args);
    if (swallowed) {
        apr_size_t end = strlen(raw);
        apr_snprintf(raw + end, sizeof(raw) - end, " (%u more of these were not logged)",
                     swallowed);
    }
    sb_log_escape(line, sizeof(line), raw);
    process_log.sink(process_log.baton, level, rv, line);
}

void sb_log(sb_log_level_e level, apr_status_t rv, const char *id, const char *format,
            ...)
{
    va_list args;

    if (!process_log.sink || level > process_log.level) {
        return;
    }
    va_start(args, format);
    emit(level, rv, id, 0, format, args);
    va_end(args);
}

static void emit_limited(apr_interval_time_t pause, sb_log_level_e level, apr_status_t rv,
                         const char *id, const char *format, va_list args)
{
    unsigned int slot = 5381;

    if (!process_log.sink || level > process_log.level) {
        return;
    }
    for (const char *c = id; *c; c++) {
        slot = slot * 33 + (unsigned char)*c;
    }
    slot %= LIMIT_SLOTS;

    apr_time_t now = sb_clock_monotonic();
    apr_time_t until = __atomic_load_n(&limits[slot].until, __ATOMIC_RELAXED);
    if (now < until ||
        !__atomic_compare_exchange_n(&limits[slot].until, &until, now + pause, 0,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&limits[slot].swallowed, 1, __ATOMIC_RELAXED);
        return;
    }
    unsigned int swallowed =
        __atomic_exchange_n(&limits[slot].swallowed, 0, __ATOMIC_RELAXED);
    emit(level, rv, id, swallowed, format, args);
}

void sb_log_limited(sb_log_level_e level, apr_status_t rv, const char *id,
                    const char *format, ...)
{
    va_list args;

    va_start(args, format);
    emit_limited(APR_USEC_PER_SEC, level, rv, id, format, args);
    va_end(args);
}

void sb_log_rarely(sb_log_level_e level, apr_status_t rv, const char *id,
                   const char *format, ...)
{
    va_list args;

    va_start(args, format);
    emit_limited(60 * APR_USEC_PER_SEC, level, rv, id, format, args);
    va_end(args);
}
