/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "store/dsn.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

/* Drivers understand different parameter strings and none of them is safe as an administrator
 * writes it: PostgreSQL waits for ever for a host that does not answer, and MariaDB's client
 * reconnects silently in the middle of a transaction and goes on in autocommit. What must be set
 * is set here. The administrator's own time limits win, reconnect=0 does not give way. */

/* libpq: of two equal keys the last one counts, so these stand in front. */
#define PG_CONNINFO                                                                      \
    "connect_timeout=10 tcp_user_timeout=5000 keepalives_idle=30 "                       \
    "fallback_application_name=mod_subbill "
#define PG_QUERY                                                                         \
    "connect_timeout=10&tcp_user_timeout=5000&keepalives_idle=30"                        \
    "&fallback_application_name=mod_subbill"

static const struct {
    const char *name;
    sb_dialect_e dialect;
} drivers[] = {
    {"sqlite3", SB_DIALECT_SQLITE3},
    {"pgsql", SB_DIALECT_PGSQL},
    {"mysql", SB_DIALECT_MYSQL},
};

static int hex(char c)
{
    return apr_isdigit(c) ? c - '0' : apr_isxdigit(c) ? apr_tolower(c) - 'a' + 10 : -1;
}

static const char *percent_decoded(const char *text, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, text);
    char *end = out;

    for (const char *p = text; *p; p++) {
        if (*p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            *end++ = (char)(hex(p[1]) * 16 + hex(p[2]));
            p += 2;
        }
        else {
            *end++ = *p;
        }
    }
    *end = '\0';
    return out;
}

/* The value of key in "key=value key = 'quoted value'"; separators as given. NULL when absent. */
static const char *value_of(const char *params, const char *key, const char *separators,
                            apr_pool_t *pool)
{
    apr_size_t length = strlen(key);

    for (const char *p = params; (p = strstr(p, key)); p += length) {
        if (p > params && !strchr(separators, p[-1])) {
            continue;
        }
        const char *value = p + length;
        while (*value == ' ') {
            value++;
        }
        if (*value++ != '=') {
            continue;
        }
        while (*value == ' ') {
            value++;
        }
        if (*value == '\'') {
            const char *end = ++value;
            while (*end && *end != '\'') {
                end += *end == '\\' && end[1] ? 2 : 1;
            }
            return apr_pstrmemdup(pool, value, (apr_size_t)(end - value));
        }
        return apr_pstrmemdup(pool, value, strcspn(value, separators));
    }
    return NULL;
}

static void parse_pgsql_url(sb_dsn_t *dsn, const char *params, apr_pool_t *pool)
{
    const char *authority = strstr(params, "://") + 3;
    const char *query = strchr(authority, '?');
    const char *at = strchr(authority, '@');
    const char *colon = strchr(authority, ':');

    if (query) {
        dsn->params =
            apr_pstrcat(pool, apr_pstrmemdup(pool, params, (apr_size_t)(query - params)),
                        "?" PG_QUERY, query[1] ? "&" : "", query + 1, NULL);
        dsn->password_raw = value_of(query + 1, "password", "&", pool);
    }
    else {
        dsn->params = apr_pstrcat(pool, params, "?" PG_QUERY, NULL);
    }
    if (at && colon && colon < at) {
        dsn->password_raw = apr_pstrmemdup(pool, colon + 1, (apr_size_t)(at - colon - 1));
    }
    if (dsn->password_raw) {
        dsn->password = percent_decoded(dsn->password_raw, pool);
    }
}

static void parse_pgsql(sb_dsn_t *dsn, const char *params, apr_pool_t *pool)
{
    if (!strncmp(params, "postgres://", 11) || !strncmp(params, "postgresql://", 13)) {
        parse_pgsql_url(dsn, params, pool);
        return;
    }
    dsn->params = apr_pstrcat(pool, PG_CONNINFO, params, NULL);
    dsn->password = value_of(params, "password", " \t\r\n", pool);
}

static void parse_mysql(sb_dsn_t *dsn, const char *params, apr_pool_t *pool)
{
    static const char separators[] = " \t\r\n;|,"; /* apr_dbd_mysql's own */

    dsn->params = apr_pstrcat(pool, params, " reconnect=0", NULL);
    dsn->password = value_of(params, "pass", separators, pool);
}

sb_status_e sb_dsn_parse(sb_dsn_t *dsn, sb_result_t *result, const char *driver,
                         const char *params, apr_pool_t *pool)
{
    apr_size_t i = 0;

    memset(dsn, 0, sizeof(*dsn));
    while (i < sizeof(drivers) / sizeof(drivers[0]) &&
           (!driver || strcmp(drivers[i].name, driver))) {
        i++;
    }
    if (i == sizeof(drivers) / sizeof(drivers[0])) {
        return sb_result_setf(
            result, pool, SB_INVALID, "bad_database", "Write sqlite3, pgsql or mysql.",
            "'%s' is no database driver of this module.", driver ? driver : "");
    }
    while (params && apr_isspace(*params)) {
        params++;
    }
    if (!params || !*params) {
        return sb_result_setf(result, pool, SB_INVALID, "bad_database",
                              "Give a path for sqlite3, \"host=... dbname=... user=...\" "
                              "for pgsql and mysql.",
                              "The database driver %s needs parameters.", driver);
    }
    char *trimmed = apr_pstrdup(pool, params);
    for (apr_size_t n = strlen(trimmed); n && apr_isspace(trimmed[n - 1]); n--) {
        trimmed[n - 1] = '\0';
    }
    dsn->driver = drivers[i].name;
    dsn->dialect = drivers[i].dialect;
    switch (dsn->dialect) {
    case SB_DIALECT_SQLITE3:
        dsn->params = dsn->path = trimmed;
        break;
    case SB_DIALECT_PGSQL:
        parse_pgsql(dsn, trimmed, pool);
        break;
    case SB_DIALECT_MYSQL:
        parse_mysql(dsn, trimmed, pool);
        break;
    }
    return SB_OK;
}

void sb_dsn_copy(sb_dsn_t *copy, const sb_dsn_t *dsn, apr_pool_t *pool)
{
    *copy = (sb_dsn_t){
        .dialect = dsn->dialect,
        .driver = dsn->driver, /* a constant */
        .params = apr_pstrdup(pool, dsn->params),
        .path = apr_pstrdup(pool, dsn->path),
        .password = apr_pstrdup(pool, dsn->password),
        .password_raw = apr_pstrdup(pool, dsn->password_raw),
    };
}

static const char *without(const char *text, const char *secret, apr_pool_t *pool)
{
    apr_size_t length = secret ? strlen(secret) : 0;
    const char *found;

    if (!length) {
        return text;
    }
    const char *out = "";
    while ((found = strstr(text, secret))) {
        out =
            apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(found - text)),
                        "***", NULL);
        text = found + length;
    }
    return apr_pstrcat(pool, out, text, NULL);
}

const char *sb_dsn_redact(const sb_dsn_t *dsn, const char *message, apr_pool_t *pool)
{
    if (!message || !*message) {
        return "no reason given by the driver";
    }
    /* libpq quotes pieces of what it could not parse, and a piece may be half a password. */
    if (dsn->dialect == SB_DIALECT_PGSQL &&
        (strstr(message, "connection info string") ||
         strstr(message, "connection option") || strstr(message, "URI"))) {
        return "the connection parameters cannot be understood";
    }
    const char *line = apr_pstrmemdup(pool, message, strcspn(message, "\r\n"));
    line = without(line, dsn->password, pool);
    return without(line, dsn->password_raw, pool);
}
