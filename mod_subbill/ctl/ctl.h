/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_CTL_H
#define SB_CTL_CTL_H

#include "base/result.h"
#include "ctl/options.h"

#include <apr_pools.h>

/* subbillctl: one file per group of commands. A command is a function that does its work, prints its
 * answer (ctl/output.h) and returns how the program ends. */

typedef enum {
    SB_EXIT_OK = 0,
    SB_EXIT_FAILED = 1, /* the answer is no: a finding, a conflict, not there */
    SB_EXIT_USAGE = 2,  /* the command line is wrong */
    SB_EXIT_CONFIG = 3, /* httpd's configuration, the catalogue or a secret's source */
    SB_EXIT_DATABASE = 4,
    SB_EXIT_STRIPE = 5
} sb_exit_e;

typedef struct sb_ctl_t {
    sb_options_t options;
    const char *const *words; /* what stands behind the command's own words */
    int words_n;
    apr_pool_t *pool;
} sb_ctl_t;

typedef sb_exit_e (*sb_command_fn)(sb_ctl_t *ctl);

static inline bool sb_ctl_given(const sb_ctl_t *ctl, sb_option_e option)
{
    return (ctl->options.given & option) != 0;
}

sb_exit_e sb_command_migrate(sb_ctl_t *ctl);
sb_exit_e sb_command_catalog_check(sb_ctl_t *ctl);
sb_exit_e sb_command_user_show(sb_ctl_t *ctl);
sb_exit_e sb_command_events_list(sb_ctl_t *ctl);
sb_exit_e sb_command_events_show(sb_ctl_t *ctl);
sb_exit_e sb_command_events_replay(sb_ctl_t *ctl);
sb_exit_e sb_command_events_rebuild(sb_ctl_t *ctl);
sb_exit_e sb_command_jobs_list(sb_ctl_t *ctl);
sb_exit_e sb_command_work(sb_ctl_t *ctl);
sb_exit_e sb_command_links_set(sb_ctl_t *ctl);
sb_exit_e sb_command_trials_mark(sb_ctl_t *ctl);
sb_exit_e sb_command_purchases_give(sb_ctl_t *ctl);
sb_exit_e sb_command_purchases_take(sb_ctl_t *ctl);
sb_exit_e sb_command_credit_set(sb_ctl_t *ctl);

#endif
