/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/epochs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is exactly the counters. It is never shortened or replaced while the site runs, so a
 * mapping stays good for the life of the process; a lost file only costs a cache its news until the
 * next restart, which its time to live bounds. */

enum { FILE_SIZE = SB_EPOCH_SLOTS * sizeof(apr_uint64_t) };

struct sb_epochs_t {
    apr_uint64_t *counters;
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

    munmap(epochs->counters, FILE_SIZE);
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
    made->counters = map;
    apr_pool_cleanup_register(pool, made, unmap, apr_pool_cleanup_null);
    *epochs = made;
    return APR_SUCCESS;
}

apr_uint64_t sb_epochs_get(const sb_epochs_t *epochs, int slot)
{
    return __atomic_load_n(&epochs->counters[slot], __ATOMIC_ACQUIRE);
}

void sb_epochs_bump(void *epochs, const int *slots, int n)
{
    sb_epochs_t *mapped = epochs;

    for (int i = 0; i < n; i++) {
        __atomic_add_fetch(&mapped->counters[slots[i]], 1, __ATOMIC_RELEASE);
    }
}
