/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_CONFIG_H
#define SB_WEB_CONFIG_H

#include "web/module.h"

/* Between the table of directives (config.c) and the setters of locations (config_dir.c). A setter
 * answers NULL or a sentence. */

/* "SubbillGrace: …", in the configuration's pool. */
const char *sb_config_complain(cmd_parms *cmd, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A whole number of units from least to most. */
const char *sb_config_number(int *value, cmd_parms *cmd, const char *arg, int least,
                             int most, const char *unit);

const char *sb_dir_set_gate(cmd_parms *cmd, void *dir, const char *args);
const char *sb_dir_set_user(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_email(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_on_deny(cmd_parms *cmd, void *dir, const char *word,
                               const char *url);
const char *sb_dir_set_grace(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_stale(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_on_error(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_dry_run(cmd_parms *cmd, void *dir, int on);
const char *sb_dir_set_revoke_running(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_teaser(cmd_parms *cmd, void *dir, const char *arg);
const char *sb_dir_set_export(cmd_parms *cmd, void *dir, const char *arg);

#endif
