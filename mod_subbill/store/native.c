/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/native.h"

#include <apr_lib.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>

/* sqlite3.h, primary result codes */
enum {
    SQLITE_ERROR = 1,
    SQLITE_BUSY = 5,
    SQLITE_LOCKED = 6,
    SQLITE_TOOBIG = 18,
    SQLITE_CONSTRAINT = 19,
    SQLITE_MISMATCH = 20
};

/* libpq-fe.h */
enum { PQERRORS_VERBOSE = 2 };

/* POSIX promises that a pointer to an object can hold a function; C does not, hence the union. */
typedef union {
    void *object;
    int (*of_handle)(void *);
    void (*void_of_handle)(void *);
    int (*set_verbosity)(void *, int);
    int (*set_busy)(void *, int (*)(void *, int), void *);
} function_t;

static function_t function(const char *name)
{
    return (function_t){.object = dlsym(RTLD_DEFAULT, name)};
}

int sb_native_socket(sb_dialect_e dialect, void *handle)
{
    function_t get = {NULL};

    if (dialect == SB_DIALECT_PGSQL) {
        get = function("PQsocket");
    }
    else if (dialect == SB_DIALECT_MYSQL) {
        get = function("mysql_get_socket");
    }
    int fd = get.object && handle ? get.of_handle(handle) : -1;
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void sb_native_verbose(sb_dialect_e dialect, void *handle)
{
    function_t set = function("PQsetErrorVerbosity");

    if (dialect == SB_DIALECT_PGSQL && set.object && handle) {
        set.set_verbosity(handle, PQERRORS_VERBOSE);
    }
}

void sb_native_interrupt(void *handle)
{
    function_t interrupt = function("sqlite3_interrupt");

    if (interrupt.object && handle) {
        interrupt.void_of_handle(handle);
    }
}

void sb_native_busy_handler(void *handle, int (*busy)(void *baton, int count),
                            void *baton)
{
    function_t set = function("sqlite3_busy_handler");

    if (set.object && handle) {
        set.set_busy(handle, busy, baton);
    }
}

static sb_failure_e classify_sqlite(void *handle, const char *message)
{
    function_t get = function("sqlite3_errcode");
    int code = get.object && handle ? get.of_handle(handle) & 0xff : 0;

    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SB_FAILURE_BUSY;
    case SQLITE_TOOBIG:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return SB_FAILURE_REFUSED;
    case SQLITE_ERROR:
        return strstr(message, "no such table") || strstr(message, "no such column") ||
                       strstr(message, "has no column named")
                   ? SB_FAILURE_SCHEMA
                   : SB_FAILURE_LOST;
    default:
        return SB_FAILURE_LOST;
    }
}

/* "ERROR:  42P01: relation …", whatever the language of the first word. */
static const char *sqlstate(const char *message)
{
    const char *state = strstr(message, ":  ");
    int n = 0;

    if (!state) {
        return "";
    }
    state += 3;
    while (n < 5 && (apr_isdigit(state[n]) || apr_isupper(state[n]))) {
        n++;
    }
    return n == 5 && state[5] == ':' ? state : "";
}

/* PostgreSQL manual, appendix A. The longest prefix comes first. */
static sb_failure_e classify_pgsql(const char *message)
{
    static const struct {
        const char *prefix;
        sb_failure_e failure;
    } table[] = {
        {"40", SB_FAILURE_CONFLICT},   {"55P03", SB_FAILURE_CONFLICT},
        {"42P01", SB_FAILURE_SCHEMA},  {"42703", SB_FAILURE_SCHEMA},
        {"3F000", SB_FAILURE_SCHEMA},  {"42", SB_FAILURE_REFUSED},
        {"22", SB_FAILURE_REFUSED},    {"23", SB_FAILURE_REFUSED},
        {"44000", SB_FAILURE_REFUSED}, {"P0001", SB_FAILURE_REFUSED},
    };
    const char *state = sqlstate(message);

    for (apr_size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!strncmp(state, table[i].prefix, strlen(table[i].prefix))) {
            return table[i].failure;
        }
    }
    return SB_FAILURE_LOST;
}

/* MySQL and MariaDB share these numbers. */
static sb_failure_e classify_mysql(int rc)
{
    switch (rc) {
    case 1205: /* lock wait timeout */
    case 1213: /* deadlock */
        return SB_FAILURE_CONFLICT;
    case 1054: /* unknown column */
    case 1146: /* no such table */
        return SB_FAILURE_SCHEMA;
    case 1048: /* column cannot be null */
    case 1062: /* duplicate entry */
    case 1142: /* command denied */
    case 1143: /* column denied */
    case 1264: /* out of range */
    case 1364: /* no default value */
    case 1366: /* incorrect value */
    case 1406: /* data too long */
    case 1451: /* foreign keys */
    case 1452:
    case 1644: /* SIGNAL */
    case 3819: /* CHECK in MySQL, in MariaDB */
    case 4025:
        return SB_FAILURE_REFUSED;
    default:
        return SB_FAILURE_LOST;
    }
}

sb_failure_e sb_native_classify(sb_dialect_e dialect, void *handle, int rc,
                                const char *message)
{
    switch (dialect) {
    case SB_DIALECT_SQLITE3:
        return classify_sqlite(handle, message);
    case SB_DIALECT_PGSQL:
        return classify_pgsql(message);
    case SB_DIALECT_MYSQL:
        return classify_mysql(rc);
    }
    return SB_FAILURE_LOST;
}
