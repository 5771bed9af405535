/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/sqlite_file.h"

#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SQLite makes a journal and a shared-memory file beside its database, so whoever uses the database must
 * be able to write in its folder. migrate usually runs as root and httpd's children do not: what
 * migrate makes is given to them. Once the folder is theirs they may put anything there, so root follows
 * no symbolic link in it and gives away regular files with one name only. */

static const char *const companions[] = {"", "-wal", "-shm", "-journal"};

static sb_status_e cannot(sb_result_t *result, apr_pool_t *pool, const char *what,
                          const char *path, int error)
{
    char reason[120];

    return sb_result_setf(result, pool, SB_UNAVAILABLE, "database_unavailable",
                          "Check the path in SubbillDatabase and who may write there.",
                          "Cannot %s %s: %s.", what, path,
                          apr_strerror(error, reason, sizeof(reason)));
}

static sb_status_e linked(sb_result_t *result, const char *path, apr_pool_t *pool)
{
    return sb_result_setf(result, pool, SB_UNAVAILABLE, "database_unavailable",
                          "Name the file itself in SubbillDatabase.",
                          "%s is a link or no regular file and is not given away.", path);
}

static const char *folder_of(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');

    if (!slash) {
        return ".";
    }
    return slash == path ? "/" : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
}

/* Folders above the last one are ordinary ones; the last is private. */
static int make_folder(const char *folder, apr_pool_t *pool)
{
    struct stat found;
    char *partial = apr_pstrdup(pool, folder);

    if (!stat(folder, &found)) {
        return S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
    }
    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0755) && errno != EEXIST) {
            return errno;
        }
        *slash = '/';
    }
    return mkdir(folder, 0700) && errno != EEXIST ? errno : 0;
}

sb_status_e sb_sqlite_file_make(sb_result_t *result, const char *path,
                                const sb_migrate_options_t *options, apr_pool_t *pool)
{
    const char *folder = folder_of(path, pool);
    int error = make_folder(folder, pool);

    if (error) {
        return cannot(result, pool, "make the folder", folder, error);
    }
    int nofollow = options->uid == (uid_t)-1 ? 0 : O_NOFOLLOW;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | nofollow, 0600);
    if (fd < 0) {
        return errno == ELOOP ? linked(result, path, pool)
                              : cannot(result, pool, "open", path, errno);
    }
    close(fd);
    return SB_OK;
}

static bool ours(const char *name, const char *base)
{
    apr_size_t length = strlen(base);

    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        return true;
    }
    for (apr_size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
        if (!strncmp(name, base, length) && !strcmp(name + length, companions[i])) {
            return true;
        }
    }
    return false;
}

static bool holds_nothing_else(const char *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    DIR *dir = opendir(folder);
    bool alone = dir != NULL;

    while (alone) {
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            break;
        }
        alone = ours(entry->d_name, base);
    }
    if (dir) {
        closedir(dir);
    }
    return alone;
}

static bool may_write(const struct stat *folder, uid_t uid, gid_t gid)
{
    mode_t bits = folder->st_uid == uid   ? S_IWUSR | S_IXUSR
                  : folder->st_gid == gid ? S_IWGRP | S_IXGRP
                                          : S_IWOTH | S_IXOTH;

    return (folder->st_mode & bits) == bits;
}

static sb_status_e give_folder(sb_result_t *result, const char *path,
                               const sb_migrate_options_t *options, apr_pool_t *pool)
{
    const char *folder = folder_of(path, pool);
    struct stat found;

    if (stat(folder, &found)) {
        return cannot(result, pool, "look at", folder, errno);
    }
    if (may_write(&found, options->uid, options->gid)) {
        return SB_OK;
    }
    if (holds_nothing_else(folder, path)) {
        return chown(folder, options->uid, options->gid)
                   ? cannot(result, pool, "give away the folder", folder, errno)
                   : SB_OK;
    }
    if (options->report) {
        options->report(
            options->baton,
            apr_psprintf(pool,
                         "the user of httpd cannot write in %s, where SQLite must make "
                         "files; use a folder of its own",
                         folder));
    }
    return SB_OK;
}

static sb_status_e give_file(sb_result_t *result, const char *file,
                             const sb_migrate_options_t *options, apr_pool_t *pool)
{
    struct stat found;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    sb_status_e status = SB_OK;

    if (fd < 0) {
        return errno == ENOENT  ? SB_OK
               : errno == ELOOP ? linked(result, file, pool)
                                : cannot(result, pool, "give away", file, errno);
    }
    if (fstat(fd, &found) || !S_ISREG(found.st_mode) || found.st_nlink > 1) {
        status = linked(result, file, pool);
    }
    else if (fchown(fd, options->uid, options->gid)) {
        status = cannot(result, pool, "give away", file, errno);
    }
    close(fd);
    return status;
}

sb_status_e sb_sqlite_file_give(sb_result_t *result, const char *path,
                                const sb_migrate_options_t *options, apr_pool_t *pool)
{
    if (options->uid == (uid_t)-1) {
        return SB_OK;
    }
    for (apr_size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
        sb_status_e status = give_file(
            result, apr_pstrcat(pool, path, companions[i], NULL), options, pool);
        if (status != SB_OK) {
            return status;
        }
    }
    return give_folder(result, path, options, pool);
}
