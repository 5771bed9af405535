/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/result.h"

#include <apr_strings.h>
#include <stdarg.h>

sb_status_e sb_result_set(sb_result_t *result, sb_status_e status, const char *code,
                          const char *message, const char *hint)
{
    if (result) {
        *result = (sb_result_t){
            .status = status, .code = code, .message = message, .hint = hint};
    }
    return status;
}

sb_status_e sb_result_setf(sb_result_t *result, apr_pool_t *pool, sb_status_e status,
                           const char *code, const char *hint, const char *format, ...)
{
    va_list args;

    if (!result) {
        return status;
    }
    va_start(args, format);
    const char *message = apr_pvsprintf(pool, format, args);
    va_end(args);
    return sb_result_set(result, status, code, message, hint);
}

void sb_result_clear(sb_result_t *result)
{
    *result = (sb_result_t){.status = SB_OK};
}
