/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_SETTINGS_H
#define SB_CTL_SETTINGS_H

#include "base/settings.h"
#include "ctl/ctl.h"

/* The settings a command works with: what httpd itself reads from its configuration, asked from
 * `apachectl -t -D DUMP_SUBBILL` (--httpd or $SUBBILL_HTTPD name another program) or taken from a
 * file that holds that answer (--config), narrowed to one server by --server. Fails, having said
 * so, with SB_EXIT_CONFIG, or SB_EXIT_USAGE when --server is needed or names nobody. */
sb_exit_e sb_ctl_settings(const sb_settings_t **settings, const sb_ctl_t *ctl);

#endif
