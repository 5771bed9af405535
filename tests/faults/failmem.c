/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* A preloaded library that lets the n-th request of a program for memory fail: F29. It counts and fails as
 * failnth.c does; the memory itself comes from glibc's own functions under their other names. Not for builds with a
 * sanitizer, which brings functions of its own. */
#define _GNU_SOURCE
#include "trigger.h"

#include <errno.h>
#include <stddef.h>

enum { KIND_MEMORY = 8 };

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static bool refused(void)
{
    bool fails = trigger_wants(KIND_MEMORY) && trigger_turn();

    if (fails) {
        errno = ENOMEM;
    }
    return fails;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    return refused() ? NULL : __libc_realloc(memory, size);
}
