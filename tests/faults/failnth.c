/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A preloaded library that lets the n-th call of a program to its database or to libcurl fail, as
 * those libraries fail: test_injection.py asks for n = 1, 2, 3 … until an operation passes untouched.
 *
 * What is to happen stands in a file that tests and programs map (FAILNTH_FILE), so that one armed
 * trigger is good for a server and all its children, and so that nothing is counted but what lies
 * between arming and disarming. Only entry points that send something are counted. They are found
 * before the real ones because a preloaded library comes first in every lookup, also in those of the
 * drivers that APR loads later.
 *
 * Written for tests alone: no part of the module, and linked with nothing but libc. */
#define _GNU_SOURCE
#include "trigger.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { KIND_STATEMENT = 1, KIND_CONNECT = 2, KIND_CURL = 4 };

/* As the libraries' headers have them. */
enum {
    SQLITE_IOERR = 10,
    CURLE_COULDNT_CONNECT = 7,
    CURLE_RECV_ERROR = 56,
    CR_SERVER_LOST = 2013
};

/* MariaDB's library tells the reason by handle; this one lost its server. */
static __thread void *lost_handle;

/* The caller is the library itself: what it does to carry out one call is no call of its own. */
static bool from_inside(void *caller, void *function)
{
    Dl_info from, own;

    return dladdr(caller, &from) && dladdr(function, &own) &&
           from.dli_fbase == own.dli_fbase;
}

/* Whether this call is to fail. */
static bool falls_on_me(int kind, void *caller, void *function)
{
    return trigger_wants(kind) && !from_inside(caller, function) && trigger_turn();
}

/* The library's own function. Those that were loaded without RTLD_GLOBAL are asked by name. */
static void *real(const char *name)
{
    static const char *const libraries[] = {"libpq.so.5", "libmariadb.so.3",
                                            "libsqlite3.so.0", "libcurl.so.4"};
    void *found = dlsym(RTLD_NEXT, name);

    for (size_t i = 0; !found && i < sizeof(libraries) / sizeof(*libraries); i++) {
        void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);
        found = library ? dlsym(library, name) : NULL;
    }
    if (!found) {
        abort();
    }
    return found;
}

/* A function of the same name and arguments that fails in its turn: before_ is what it returns instead of
 * calling, after_ what it returns having called. */
#define FAILS_IN_TURN(kind, type, name, params, args, before_, after_)                   \
    type name params;                                                                    \
    type name params                                                                     \
    {                                                                                    \
        static type(*original) params;                                                   \
        if (!original) {                                                                 \
            *(void **)&original = real(#name);                                           \
        }                                                                                \
        if (!falls_on_me(kind, __builtin_return_address(0), *(void **)&original)) {      \
            return original args;                                                        \
        }                                                                                \
        if (!trigger->after) {                                                           \
            return before_;                                                              \
        }                                                                                \
        type answer = original args;                                                     \
        (void)answer;                                                                    \
        return after_;                                                                   \
    }

/* --- libpq ------------------------------------------------------------------------------------ */

/* A connection that is gone: nothing can be said over it any more. */
static void cut(void *handle, const char *socket_of)
{
    int (*get)(void *);

    *(void **)&get = real(socket_of);
    int fd = handle ? get(handle) : -1;
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
}

static void *pq_lost(void *conn, void *answer)
{
    void (*clear)(void *);

    *(void **)&clear = real("PQclear");
    if (answer) {
        clear(answer);
    }
    cut(conn, "PQsocket");
    return NULL;
}

static void *pq_refused(void *conn)
{
    void (*finish)(void *);

    *(void **)&finish = real("PQfinish");
    if (conn) {
        finish(conn);
    }
    return NULL;
}

static int pq_unsent(void *conn)
{
    cut(conn, "PQsocket");
    return 0;
}

typedef const char *text_t;
typedef const char *const *texts_t;

FAILS_IN_TURN(KIND_CONNECT, void *, PQconnectdb, (text_t info), (info), NULL,
              pq_refused(answer))
FAILS_IN_TURN(KIND_STATEMENT, void *, PQexec, (void *conn, text_t sql), (conn, sql),
              pq_lost(conn, NULL), pq_lost(conn, answer))
FAILS_IN_TURN(KIND_STATEMENT, void *, PQexecParams,
              (void *conn, text_t sql, int n, const unsigned *types, texts_t values,
               const int *lengths, const int *formats, int format),
              (conn, sql, n, types, values, lengths, formats, format),
              pq_lost(conn, NULL), pq_lost(conn, answer))
FAILS_IN_TURN(KIND_STATEMENT, void *, PQexecPrepared,
              (void *conn, text_t name, int n, texts_t values, const int *lengths,
               const int *formats, int format),
              (conn, name, n, values, lengths, formats, format), pq_lost(conn, NULL),
              pq_lost(conn, answer))
FAILS_IN_TURN(KIND_STATEMENT, int, PQsendQuery, (void *conn, text_t sql), (conn, sql),
              pq_unsent(conn), pq_unsent(conn))
FAILS_IN_TURN(KIND_STATEMENT, int, PQsendQueryParams,
              (void *conn, text_t sql, int n, const unsigned *types, texts_t values,
               const int *lengths, const int *formats, int format),
              (conn, sql, n, types, values, lengths, formats, format), pq_unsent(conn),
              pq_unsent(conn))

/* --- libmariadb ------------------------------------------------------------------------------- */

static int my_lost(void *handle)
{
    lost_handle = handle;
    return 1;
}

static int my_cut(void *mysql)
{
    cut(mysql, "mysql_get_socket");
    return my_lost(mysql);
}

FAILS_IN_TURN(KIND_CONNECT, void *, mysql_real_connect,
              (void *mysql, text_t host, text_t user, text_t word, text_t name,
               unsigned port, text_t path, unsigned long flags),
              (mysql, host, user, word, name, port, path, flags), NULL, NULL)
FAILS_IN_TURN(KIND_STATEMENT, int, mysql_query, (void *mysql, text_t sql), (mysql, sql),
              my_cut(mysql), my_cut(mysql))
FAILS_IN_TURN(KIND_STATEMENT, int, mysql_real_query,
              (void *mysql, text_t sql, unsigned long length), (mysql, sql, length),
              my_cut(mysql), my_cut(mysql))
FAILS_IN_TURN(KIND_STATEMENT, int, mysql_stmt_prepare,
              (void *stmt, text_t sql, unsigned long length), (stmt, sql, length),
              my_lost(stmt), my_lost(stmt))
FAILS_IN_TURN(KIND_STATEMENT, int, mysql_stmt_execute, (void *stmt), (stmt),
              my_lost(stmt), my_lost(stmt))

#define TELLS_THE_LOSS(name)                                                             \
    unsigned name(void *handle);                                                         \
    unsigned name(void *handle)                                                          \
    {                                                                                    \
        static unsigned (*original)(void *);                                             \
        if (!original) {                                                                 \
            *(void **)&original = real(#name);                                           \
        }                                                                                \
        if (handle != lost_handle) {                                                     \
            return original(handle);                                                     \
        }                                                                                \
        lost_handle = NULL;                                                              \
        return CR_SERVER_LOST;                                                           \
    }

TELLS_THE_LOSS(mysql_errno)
TELLS_THE_LOSS(mysql_stmt_errno)

/* --- SQLite and libcurl ----------------------------------------------------------------------- */

FAILS_IN_TURN(KIND_STATEMENT, int, sqlite3_prepare,
              (void *db, text_t sql, int length, void **stmt, text_t *tail),
              (db, sql, length, stmt, tail), (*stmt = NULL, SQLITE_IOERR), answer)
FAILS_IN_TURN(KIND_STATEMENT, int, sqlite3_prepare_v2,
              (void *db, text_t sql, int length, void **stmt, text_t *tail),
              (db, sql, length, stmt, tail), (*stmt = NULL, SQLITE_IOERR), answer)
FAILS_IN_TURN(KIND_STATEMENT, int, sqlite3_step, (void *stmt), (stmt), SQLITE_IOERR,
              SQLITE_IOERR)
FAILS_IN_TURN(KIND_CURL, int, curl_easy_perform, (void *handle), (handle),
              CURLE_COULDNT_CONNECT, CURLE_RECV_ERROR)
