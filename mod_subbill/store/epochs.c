/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/epochs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file begins with the counters, then follow the tracks. It is never shortened or replaced while the
 * site runs, so a mapping stays good for the life of the process. A lost file means that processes
 * hear of each other through the database only, as hosts do. */

enum { TRACKS = 16 };

typedef struct file_t {
    apr_uint64_t counters[SB_EPOCH_SLOTS];
    sb_epoch_track_t tracks[TRACKS];
} file_t;

enum { FILE_SIZE = sizeof(file_t) };

struct sb_epochs_t {
    file_t *file;
};

int sb_epoch_slot(const char *user)
{
    /* FNV-1a, 64 bits (Fowler, Noll, Vo); folded, because its low bits alone are its weakest */
    apr_uint64_t hash = APR_UINT64_C(14695981039346656037);

    for (const unsigned char *p = (const unsigned char *)user; *p; p++) {
        hash = (hash ^ *p) * APR_UINT64_C(1099511628211);
    }
    return (int)((hash ^ hash >> 32) % SB_EPOCH_SLOTS);
}

static apr_status_t open_sized(int *out, const char *path)
{
    struct stat file;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &file) || (file.st_size < FILE_SIZE && ftruncate(fd, FILE_SIZE))) {
        apr_status_t rv = errno;
        close(fd);
        return rv;
    }
    if (!S_ISREG(file.st_mode)) {
        close(fd);
        return APR_EINVAL;
    }
    *out = fd;
    return APR_SUCCESS;
}

apr_status_t sb_epochs_prepare(const char *path, uid_t uid, gid_t gid)
{
    int fd;
    apr_status_t rv = open_sized(&fd, path);

    if (rv) {
        return rv;
    }
    if (fchown(fd, uid, gid) || fchmod(fd, 0600)) {
        rv = errno;
    }
    close(fd);
    return rv;
}

static apr_status_t unmap(void *data)
{
    sb_epochs_t *epochs = data;

    munmap(epochs->file, FILE_SIZE);
    return APR_SUCCESS;
}

apr_status_t sb_epochs_open(sb_epochs_t **epochs, const char *path, apr_pool_t *pool)
{
    int fd;

    *epochs = NULL;
    apr_status_t rv = open_sized(&fd, path);
    if (rv) {
        return rv;
    }
    void *map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    rv = map == MAP_FAILED ? errno : APR_SUCCESS;
    close(fd);
    if (rv) {
        return rv;
    }
    sb_epochs_t *made = apr_palloc(pool, sizeof(*made));
    made->file = map;
    apr_pool_cleanup_register(pool, made, unmap, apr_pool_cleanup_null);
    *epochs = made;
    return APR_SUCCESS;
}

void sb_epochs_open_private(sb_epochs_t **epochs, apr_pool_t *pool)
{
    *epochs = apr_palloc(pool, sizeof(**epochs));
    (*epochs)->file = apr_pcalloc(pool, sizeof(file_t));
}

sb_epoch_track_t *sb_epochs_track(sb_epochs_t *epochs, apr_uint64_t database)
{
    for (int i = 0; i < TRACKS; i++) {
        sb_epoch_track_t *track = &epochs->file->tracks[i];
        apr_uint64_t free = 0;
        if (__atomic_compare_exchange_n(&track->database, &free, database, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
            free == database) {
            return track;
        }
    }
    return NULL;
}

apr_uint64_t sb_epochs_get(const sb_epochs_t *epochs, int slot)
{
    return __atomic_load_n(&epochs->file->counters[slot], __ATOMIC_ACQUIRE);
}

void sb_epochs_bump(void *epochs, const int *slots, int n)
{
    sb_epochs_t *mapped = epochs;

    for (int i = 0; i < n; i++) {
        __atomic_add_fetch(&mapped->file->counters[slots[i]], 1, __ATOMIC_RELEASE);
    }
}
