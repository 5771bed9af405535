/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_FAULTS_TRIGGER_H
#define SB_FAULTS_TRIGGER_H

/* What tests and preloaded libraries have in common: a mapped file (FAILNTH_FILE) that says which call fails next. */

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The layout is harness/failnth.py's as well. */
typedef struct {
    int32_t armed;
    int32_t first;   /* the call to fail, from 1 */
    int32_t again;   /* the other one to fail, 0: none; -1: every one after the first */
    int32_t after;   /* the call is made and only its answer lost */
    int32_t kinds;   /* bits of KIND_: what counts */
    int32_t counted; /* calls since it was armed */
    int32_t failed;  /* of them */
} trigger_t;

static trigger_t *trigger;

__attribute__((constructor)) static void map_trigger(void)
{
    const char *path = getenv("FAILNTH_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0) {
        return;
    }
    void *mapped =
        mmap(NULL, sizeof(*trigger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    trigger = mapped == MAP_FAILED ? NULL : mapped;
}

/* Whether calls of this kind are counted right now. */
static inline bool trigger_wants(int kind)
{
    return trigger && __atomic_load_n(&trigger->armed, __ATOMIC_ACQUIRE) &&
           (trigger->kinds & kind);
}

/* Counts a call; whether it is the one to fail. */
static bool trigger_turn(void)
{
    int32_t number = __atomic_add_fetch(&trigger->counted, 1, __ATOMIC_ACQ_REL);
    bool fails = number == trigger->first || number == trigger->again ||
                 (trigger->again < 0 && number > trigger->first);
    if (fails) {
        __atomic_add_fetch(&trigger->failed, 1, __ATOMIC_ACQ_REL);
    }
    return fails;
}

#endif
