/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_CTL_SESSION_H
#define SB_CTL_SESSION_H

#include "ctl/ctl.h"
#include "domain/catalog.h"
#include "service/service.h"

/* From settings to something that can work: catalogue, secrets, rights, service. Each function fails
 * with the exit status it has already explained. */

/* The catalogue at path, or one that is empty when path is NULL. */
sb_exit_e sb_ctl_catalog(sb_catalog_t **catalog, sb_result_t *result, const sb_ctl_t *ctl,
                         const char *path);

/* The value of the database's parameters. */
sb_exit_e sb_ctl_database_params(const char **params, const sb_ctl_t *ctl,
                                 const sb_settings_t *settings);

/* Who gives the order, for the audit: behind sudo the person, not root. Asked before rights change. In pool. */
const char *sb_ctl_operator(apr_pool_t *pool);

/* root becomes httpd's User for good, so that the database sees whom it will see later (peer
 * authentication), no file is left that only root may touch, and what the web server's user may have
 * put into a file is never read with root's rights. Nothing happens to anybody else, or when that
 * user is not known. Call when every file and secret has been read, before threads start. */
sb_exit_e sb_ctl_drop_rights(const sb_ctl_t *ctl, const sb_settings_t *settings);

/* The whole way: settings, catalogue, parameters and, with_stripe, the keys of the server's mode;
 * then sb_ctl_drop_rights(). */
sb_exit_e sb_ctl_service(sb_service_t **service, const sb_ctl_t *ctl, bool with_stripe);

#endif
