/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_STORE_EPOCHS_H
#define SB_STORE_EPOCHS_H

#include <apr_pools.h>

/* Who bought or lost something is told to every process of this host by a small mapped file: one
 * counter per slot, a user's slot is a hash of the name. A cached decision remembers the counter it
 * was made under and is void when that moved. Read the counter *before* querying. The file lives
 * in the runtime directory; httpd's generations and subbillctl map the same one. */

enum { SB_EPOCH_SLOTS = 1024 };

/* Other hosts are heard through the database, which counts the same slots (the table epoch). How
 * far this host has followed one database; shared by its processes, so that one of them asks for
 * all. See store/epoch_watch.h. */
typedef struct sb_epoch_track_t {
    apr_uint64_t database; /* which; 0: free */
    apr_int64_t polled_at; /* monotonic, when the last successful look began; 0: never */
    apr_int64_t due_at;    /* monotonic, when the next look may begin */
    apr_uint64_t sum;      /* of all of seen */
    apr_uint64_t seen[SB_EPOCH_SLOTS];
} sb_epoch_track_t;

typedef struct sb_epochs_t sb_epochs_t;

/* 0 … SB_EPOCH_SLOTS-1; FNV-1a over the bytes, the same on every host and for ever. */
int sb_epoch_slot(const char *user);

/* For the parent, before it drops its rights: makes the file (0600, right size) and gives it to
 * uid and gid; (uid_t)-1 and (gid_t)-1 leave the owner alone. An existing file keeps its counters. */
apr_status_t sb_epochs_prepare(const char *path, uid_t uid, gid_t gid);

/* Maps the file, making it when missing. Unmapped with pool. Symbolic links are refused. */
apr_status_t sb_epochs_open(sb_epochs_t **epochs, const char *path, apr_pool_t *pool);

/* The same in the memory of this process alone, where there is no file. */
void sb_epochs_open_private(sb_epochs_t **epochs, apr_pool_t *pool);

/* The track of a database, claimed when this is the first to ask for it; NULL: there are too many. */
sb_epoch_track_t *sb_epochs_track(sb_epochs_t *epochs, apr_uint64_t database);

apr_uint64_t sb_epochs_get(const sb_epochs_t *epochs, int slot);

/* Fits sb_db_options_t.committed with the sb_epochs_t as baton. */
void sb_epochs_bump(void *epochs, const int *slots, int n);

#endif
