/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_BASE_LOG_H
#define SB_BASE_LOG_H

#include <apr_errno.h>

/* The core logs through a sink that its host installs once per process: httpd's error log, a
 * terminal, a test. Every message carries an id ("SB017") that exists once in the source (lint
 * checks it), so that an administrator can look it up and a test can expect it. The text is
 * escaped here: control bytes, DEL, C1 and bidirectional marks never reach the sink (T43), one
 * message is one line. Secrets are never arguments of a log call. */

typedef enum {
    SB_LOG_ERROR,
    SB_LOG_WARNING,
    SB_LOG_NOTICE,
    SB_LOG_INFO,
    SB_LOG_DEBUG
} sb_log_level_e;

/* line: complete text without level and newline, "SB017: …". rv: 0 or the status to spell out. */
typedef void (*sb_log_sink_fn)(void *baton, sb_log_level_e level, apr_status_t rv,
                               const char *line);

/* Installs the process's sink, which has heard nothing yet; NULL silences. Call before threads start. */
void sb_log_sink_set(sb_log_sink_fn sink, void *baton);

/* Messages above this level are not even formatted. Default SB_LOG_INFO. */
void sb_log_level_set(sb_log_level_e level);

void sb_log(sb_log_level_e level, apr_status_t rv, const char *id, const char *format,
            ...) __attribute__((format(printf, 4, 5)));

/* As sb_log(), but at most one line per second, id and process; the next line that gets through says how
 * many were swallowed (T36). */
void sb_log_limited(sb_log_level_e level, apr_status_t rv, const char *id,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same once per minute: for what holds on, request after request. */
void sb_log_rarely(sb_log_level_e level, apr_status_t rv, const char *id,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Writes text into out (size bytes, always terminated) as one harmless line: bytes that a log
 * or a terminal would act on become \xNN, bidirectional controls and invalid UTF-8 as well. */
void sb_log_escape(char *out, apr_size_t size, const char *text);

#endif
