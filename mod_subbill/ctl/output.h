/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_OUTPUT_H
#define SB_CTL_OUTPUT_H

#include "ctl/ctl.h"

#include <jansson.h>

/* What a person or a program reads. Nothing that comes from a database, from Stripe or from the command
 * line reaches the terminal unescaped (T43): text goes through sb_log_escape(), JSON is
 * written in ASCII. */

/* One line on standard output. */
void sb_print(const sb_ctl_t *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "Label:        value", the values aligned; a NULL value is printed as "-". */
void sb_print_pair(const sb_ctl_t *ctl, const char *label, const char *value);

/* text, which may hold line ends, with every line escaped and behind indent. */
void sb_print_block(const sb_ctl_t *ctl, const char *indent, const char *text);

/* A table: columns as wide as their widest cell. Cells are kept by pointer; NULL is "-". */
typedef struct sb_table_t sb_table_t;

sb_table_t *sb_table_create(const sb_ctl_t *ctl, const char *const heads[], int columns);
void sb_table_add(sb_table_t *table, const char *const cells[]);
void sb_table_print(const sb_table_t *table);

/* Writes json as the program's one document on standard output and drops the reference. */
void sb_print_json(json_t *json);

/* json_string(), also for bytes that are no UTF-8 (escaped then); JSON null for NULL. */
json_t *sb_json_of(const char *text, apr_pool_t *pool);
/* JSON null for 0: no time known. */
json_t *sb_json_time(apr_int64_t time);

/* "2026-11-21 10:04:05 UTC", NULL for 0. */
const char *sb_time_text(apr_int64_t time, apr_pool_t *pool);

/* The end of a command that failed: the sentence and its cure on standard error, with --json also
 * {"error":{"code","message","hint"}} on standard output. Returns status. */
sb_exit_e sb_fail(const sb_ctl_t *ctl, sb_exit_e status, const char *code,
                  const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* How a program ends whose work ended like this. */
sb_exit_e sb_exit_of(const sb_result_t *result);

/* sb_fail() for a result, whose status and code say how the program ends. */
sb_exit_e sb_fail_result(const sb_ctl_t *ctl, const sb_result_t *result);

/* Whether everything printed so far was taken by whoever reads standard output. */
bool sb_print_end(void);

#endif
