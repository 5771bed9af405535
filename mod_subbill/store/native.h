/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_NATIVE_H
#define SB_STORE_NATIVE_H

#include "store/dsn.h"

/* What apr_dbd does not offer and the client libraries below it do. They are in the process already
 * when the driver is, so their functions are looked up by name: this module links none of them. */

/* What a failed statement means for the work it was part of. */
typedef enum {
    SB_FAILURE_NONE,
    SB_FAILURE_REFUSED, /* this statement will never do: constraint, bad value, no right */
    SB_FAILURE_CONFLICT, /* deadlock or serialization: once more, please */
    SB_FAILURE_BUSY,     /* the SQLite file is locked */
    SB_FAILURE_SCHEMA,   /* a table or column is not there */
    SB_FAILURE_LOST      /* connection, server or file are in trouble; also: not known */
} sb_failure_e;

/* A duplicate of the connection's socket, to be closed by the caller. The library closes its own when it
 * likes, and the next file takes that number; shutting down the duplicate reaches the same
 * connection and no other. handle: apr_dbd_native_handle(). -1 for SQLite, or when the library does
 * not tell. */
int sb_native_socket(sb_dialect_e dialect, void *handle);

/* PostgreSQL: messages carry the SQLSTATE from now on. */
void sb_native_verbose(sb_dialect_e dialect, void *handle);

/* SQLite: ends the statement that is running. May be called from any thread while handle is open. */
void sb_native_interrupt(void *handle);

/* SQLite: called with baton whenever the file is locked by somebody else; not 0 = try again. */
void sb_native_busy_handler(void *handle, int (*busy)(void *baton, int count),
                            void *baton);

/* rc and message as apr_dbd returned them; rc is not 0. */
sb_failure_e sb_native_classify(sb_dialect_e dialect, void *handle, int rc,
                                const char *message);

#endif
