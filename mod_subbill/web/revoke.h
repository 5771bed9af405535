/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_WEB_REVOKE_H
#define SB_WEB_REVOKE_H

#include "web/module.h"

/* Responses that go on when the right to them has gone (SubbillRevokeRunning): downloads, event
 * streams, tunnels. */

void sb_revoke_hooks(apr_pool_t *pool);

#endif
