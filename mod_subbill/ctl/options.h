/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_OPTIONS_H
#define SB_CTL_OPTIONS_H

#include <apr_tables.h>
#include <stdbool.h>

/* What was written on the command line. Options may stand anywhere; "--" ends them, for user names
 * that begin with a dash. */

/* One bit per option, to say which of them a command knows. */
typedef enum {
    SB_OPTION_HELP = 1 << 0,
    SB_OPTION_VERSION = 1 << 1,
    SB_OPTION_JSON = 1 << 2,
    SB_OPTION_VERBOSE = 1 << 3,
    SB_OPTION_CONFIG = 1 << 4,
    SB_OPTION_HTTPD = 1 << 5,
    SB_OPTION_SERVER = 1 << 6,
    SB_OPTION_CHECK = 1 << 7,
    SB_OPTION_DRY_RUN = 1 << 8,
    SB_OPTION_DATABASE = 1 << 9,
    SB_OPTION_OWNER = 1 << 10,
    SB_OPTION_GRACE = 1 << 11,
    SB_OPTION_STATE = 1 << 12,
    SB_OPTION_LIMIT = 1 << 13,
    SB_OPTION_FORCE = 1 << 14,
    SB_OPTION_OFFLINE = 1 << 15,
    SB_OPTION_ONCE = 1 << 16
} sb_option_e;

/* Every command takes these. */
#define SB_OPTIONS_COMMON                                                                \
    (SB_OPTION_HELP | SB_OPTION_VERSION | SB_OPTION_JSON | SB_OPTION_VERBOSE |           \
     SB_OPTION_CONFIG | SB_OPTION_HTTPD | SB_OPTION_SERVER)

typedef struct sb_options_t {
    unsigned given; /* SB_OPTION_… */
    const char *config;
    const char *httpd;
    const char *server;
    const char *database_driver;
    const char *database_params; /* a path, parameters without a password, or a source */
    const char *owner;
    const char *state;
    int grace;                 /* days */
    int limit;                 /* rows */
    apr_array_header_t *words; /* const char *: everything that is no option */
} sb_options_t;

/* Reads argv[1] and what follows. NULL, or a sentence in pool that repeats no value. */
const char *sb_options_parse(sb_options_t *options, int argc, const char *const argv[],
                             apr_pool_t *pool);

/* The name of the first option that was given and is not in allowed ("force"), or NULL. */
const char *sb_options_foreign(const sb_options_t *options, unsigned allowed);

#endif
