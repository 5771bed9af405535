/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Where our handlers answer. There are two ways to mount them: SubbillRoute NAME PATH, exactly that
 * path, and SetHandler subbill (or subbill-NAME) in a <Location>. The second is httpd's own
 * directive, so the configuration tree is searched for it at start: the gate has to know the way to
 * the plans page, and which paths are our own public handlers, long before a handler is chosen. */
#include "web/module.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

/* What each route asks of the person, which the authentication phases have to know. */
typedef enum { USER_NEVER, USER_IF_KNOWN, USER_REQUIRED } route_user_e;

typedef struct route_t {
    const char *name;
    route_user_e user;
    bool has_rest;     /* something may follow the path, an endpoint's UUID, say */
    const char *under; /* below a mount it is found behind this route, or NULL */
} route_t;

static const route_t routes[] = {
    {"plans", USER_IF_KNOWN, false, NULL},
    {"checkout", USER_REQUIRED, false, NULL},
    {"return", USER_IF_KNOWN, false, NULL},
    {"account", USER_REQUIRED, false, NULL},
    {"subscription", USER_REQUIRED, false, NULL},
    {"change", USER_REQUIRED, false, "subscription"},
    {"cancel", USER_REQUIRED, false, "subscription"},
    {"resume", USER_REQUIRED, false, "subscription"},
    {"pause", USER_REQUIRED, false, "subscription"},
    {"portal", USER_REQUIRED, false, NULL},
    {"invoices", USER_REQUIRED, false, NULL},
    {"upcoming", USER_REQUIRED, false, "invoices"},
    {"config", USER_NEVER, false, NULL},
    {"webhook", USER_NEVER, true, NULL},
    {"style", USER_NEVER, true, NULL},
};

static const route_t *route_find(const char *name, apr_size_t length)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        if (strlen(routes[i].name) == length &&
            memcmp(routes[i].name, name, length) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

const char *sb_route_name_check(const char *name, apr_pool_t *pool)
{
    const char *known = NULL;

    if (route_find(name, strlen(name))) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        known =
            known ? apr_pstrcat(pool, known, ", ", routes[i].name, NULL) : routes[i].name;
    }
    return apr_psprintf(pool, "\"%s\" is no route; there are %s", name, known);
}

/* --- finding the mounts --------------------------------------------------------------------- */

static void mount_add(sb_server_t *server, const char *path, const char *route,
                      bool exact, apr_pool_t *pool)
{
    apr_size_t length = strlen(path);

    while (length && path[length - 1] == '/') {
        length--;
    }
    APR_ARRAY_PUSH(server->mounts, sb_mount_t) = (sb_mount_t){
        .path = exact ? apr_pstrdup(pool, path) : apr_pstrmemdup(pool, path, length),
        .length = length,
        .route = route,
        .exact = exact};
}

/* `SetHandler subbill` or `SetHandler subbill-NAME` in <Location path>: remembers it. */
static void handler_found(sb_server_t *server, const char *location, const char *args,
                          apr_pool_t *pool)
{
    const char *handler = ap_getword_conf(pool, &args);
    const char *path = ap_getword_conf(pool, &location);

    if (*path != '/') {
        return;
    }
    if (strcmp(handler, "subbill") == 0) {
        mount_add(server, path, NULL, false, pool);
        if (!server->settings->mount) {
            server->settings->mount =
                APR_ARRAY_IDX(server->mounts, server->mounts->nelts - 1, sb_mount_t).path;
        }
    }
    else if (strncmp(handler, "subbill-", 8) == 0 &&
             route_find(handler + 8, strlen(handler + 8))) {
        mount_add(server, path, apr_pstrdup(pool, handler + 8), false, pool);
    }
}

static void tree_search(const ap_directive_t *node, const char *location,
                        sb_server_t *server, apr_pool_t *pool)
{
    for (; node; node = node->next) {
        if (strcasecmp(node->directive, "<VirtualHost") == 0) {
            continue; /* each host is searched from its own section */
        }
        if (location && strcasecmp(node->directive, "SetHandler") == 0) {
            handler_found(server, location, node->args, pool);
        }
        bool inside = strcasecmp(node->directive, "<Location") == 0;
        tree_search(node->first_child, inside ? node->args : location, server, pool);
    }
}

static const ap_directive_t *host_section(const ap_directive_t *node, const server_rec *s)
{
    for (; node; node = node->next) {
        if (strcasecmp(node->directive, "<VirtualHost") == 0 && s->defn_name &&
            node->line_num == (int)s->defn_line_number &&
            strcmp(node->filename, s->defn_name) == 0) {
            return node;
        }
        const ap_directive_t *below = host_section(node->first_child, s);
        if (below) {
            return below;
        }
    }
    return NULL;
}

static void routes_mount(sb_server_t *server, apr_pool_t *pool)
{
    for (int i = 0; i < server->settings->routes->nelts; i++) {
        const sb_route_setting_t *route =
            &APR_ARRAY_IDX(server->settings->routes, i, sb_route_setting_t);
        mount_add(server, route->path, route->name, true, pool);
    }
}

/* A host that mounts something itself but has the main server's settings needs a struct of its
 * own for the mounts; it goes on sharing the main server's service. */
static sb_server_t *own_server(server_rec *s, const sb_server_t *shared, apr_pool_t *pool)
{
    sb_server_t *own = apr_pmemdup(pool, shared, sizeof(*own));

    own->settings = apr_pmemdup(pool, shared->settings, sizeof(*own->settings));
    own->settings->mount = NULL;
    own->mounts = apr_array_make(pool, 2, sizeof(sb_mount_t));
    own->origin = shared->origin;
    ap_set_module_config(s->module_config, &subbill_module, own);
    return own;
}

void sb_mounts_find(server_rec *main_server, apr_pool_t *pconf)
{
    sb_server_t *base = sb_server_of(main_server);

    routes_mount(base, pconf);
    tree_search(ap_conftree, NULL, base, pconf);
    for (server_rec *s = main_server->next; s; s = s->next) {
        const ap_directive_t *section = host_section(ap_conftree, s);
        sb_server_t *server = sb_server_of(s);
        sb_server_t *found = sb_server_create(pconf, s);

        if (server != base) {
            found->settings->routes = server->settings->routes;
            routes_mount(found, pconf);
        }
        if (section) {
            tree_search(section->first_child, NULL, found, pconf);
        }
        if (!found->mounts->nelts) {
            if (server != base) {
                server->mounts = base->mounts;
                server->settings->mount = base->settings->mount;
            }
            continue;
        }
        if (server == base) {
            server = own_server(s, base, pconf);
        }
        server->mounts = apr_array_append(pconf, found->mounts, base->mounts);
        server->settings->mount =
            found->settings->mount ? found->settings->mount : base->settings->mount;
    }
}

/* --- asking --------------------------------------------------------------------------------- */

const char *sb_route_path(const sb_server_t *server, const char *name, apr_pool_t *pool)
{
    const route_t *route = route_find(name, strlen(name));

    for (int i = 0; i < server->mounts->nelts; i++) {
        const sb_mount_t *mount = &APR_ARRAY_IDX(server->mounts, i, sb_mount_t);
        if (mount->route && strcmp(mount->route, name) == 0) {
            return *mount->path ? mount->path : "/";
        }
    }
    if (route && route->under) {
        const char *path = sb_route_path(server, route->under, pool);
        return path ? apr_pstrcat(pool, path, "/", name, NULL) : NULL;
    }
    return server->settings->mount
               ? apr_pstrcat(pool, server->settings->mount, "/", name, NULL)
               : NULL;
}

const char *sb_route_url(const sb_server_t *server, const char *name, apr_pool_t *pool)
{
    const char *path = sb_route_path(server, name, pool);

    return path ? apr_pstrcat(pool, server->settings->base_url, path, NULL) : NULL;
}

/* What follows the mount's path in uri: "" at the path itself, NULL when uri lies elsewhere. One
 * final slash more or less is the same address, for people type both. */
static const char *below(const sb_mount_t *mount, const char *uri)
{
    if (strncmp(uri, mount->path, mount->length) != 0) {
        return NULL;
    }
    uri += mount->length;
    return !*uri ? uri : *uri == '/' ? uri + 1 : NULL;
}

/* The route that is found behind this one under the whole of segment. */
static const route_t *route_behind(const route_t *route, const char *segment)
{
    apr_size_t length = strcspn(segment, "/");
    const route_t *found = route_find(segment, length);

    return found && found->under && strcmp(found->under, route->name) == 0 &&
                   (!segment[length] || !segment[length + 1])
               ? found
               : NULL;
}

static const route_t *route_at(const sb_mount_t *mount, const char *uri,
                               const char **rest)
{
    const char *segment = below(mount, uri);

    if (!segment) {
        return NULL;
    }
    const char *name = mount->route;
    apr_size_t length = name ? strlen(name) : strcspn(segment, "/");
    if (!name) {
        name = segment;
        segment += length;
        segment += *segment == '/';
    }
    const route_t *route = route_find(name, length);
    if (!route || (route->under && !mount->route)) {
        return NULL;
    }
    if (*segment && !route->has_rest) {
        *rest = "";
        return route_behind(route, segment);
    }
    *rest = segment;
    return route;
}

const char *sb_route_of(request_rec *r, const char **rest)
{
    sb_request_t *request = sb_request_of(r);
    const sb_server_t *server = sb_server_of(r->server);

    /* A rewrite may still change the address. */
    if (r->uri && request->routed != r->uri) {
        request->routed = r->uri;
        request->route = NULL;
        request->rest = NULL;
        for (int i = 0; i < server->mounts->nelts; i++) {
            const char *found_rest = "";
            const route_t *route = route_at(&APR_ARRAY_IDX(server->mounts, i, sb_mount_t),
                                            r->uri, &found_rest);
            if (route) {
                request->route = route->name;
                request->rest = apr_pstrdup(r->pool, found_rest);
                break;
            }
        }
    }
    if (rest) {
        *rest = request->rest;
    }
    return request->route;
}

/* --- hooks ---------------------------------------------------------------------------------- */

/* SubbillRoute has no <Location> that would set a handler, and no Alias or ProxyPass may take the
 * path away: whoever translates first wins. */
static int translate(request_rec *r)
{
    const sb_server_t *server = sb_server_of(r->server);
    const char *rest;

    for (int i = 0; i < server->mounts->nelts; i++) {
        const sb_mount_t *mount = &APR_ARRAY_IDX(server->mounts, i, sb_mount_t);
        const route_t *route = mount->exact ? route_at(mount, r->uri, &rest) : NULL;
        if (route) {
            r->filename = apr_pstrcat(r->pool, "subbill:", route->name, NULL);
            return OK;
        }
    }
    return DECLINED;
}

/* There is no file behind such a path, and no directory to walk. */
static int map_to_storage(request_rec *r)
{
    return r->filename && strncmp(r->filename, "subbill:", 8) == 0 ? OK : DECLINED;
}

/* The path has its own meaning, whatever SetHandler of a <Location> around says, and also when a
 * rewrite led here after translate() was asked. */
static int choose_handler(request_rec *r)
{
    const sb_server_t *server = sb_server_of(r->server);
    const char *rest;

    for (int i = 0; i < server->mounts->nelts; i++) {
        const sb_mount_t *mount = &APR_ARRAY_IDX(server->mounts, i, sb_mount_t);
        const route_t *route = mount->exact ? route_at(mount, r->uri, &rest) : NULL;
        if (route) {
            r->handler = apr_pstrcat(r->pool, "subbill-", route->name, NULL);
            return OK;
        }
    }
    return DECLINED;
}

static const route_t *route_in_force(request_rec *r)
{
    const char *name = sb_route_of(r, NULL);

    return name ? route_find(name, strlen(name)) : NULL;
}

/* The account has an owner: whatever `Require all granted` says, ask who it is. */
static int force_authn(request_rec *r)
{
    const route_t *route = route_in_force(r);

    return route && route->user == USER_REQUIRED && ap_auth_type(r) ? OK : DECLINED;
}

/* Public pages greet a visitor who brought a login, but never ask for one. */
static int greet(request_rec *r)
{
    const route_t *route = route_in_force(r);

    if (!route || route->user != USER_IF_KNOWN || r->user || !ap_auth_type(r) ||
        r->main ||
        (!apr_table_get(r->headers_in, "Authorization") &&
         !apr_table_get(r->headers_in, "Cookie"))) {
        return DECLINED;
    }
    sb_request_greet(r);
    return DECLINED;
}

void sb_route_hooks(apr_pool_t *pool)
{
    /* Before Alias, ProxyPass and per-server rewrites can take our own addresses away. */
    ap_hook_translate_name(translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before the directory walk looks for a file of that name. */
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before mod_mime finds an extension in the path; RUN_FIRST, so nobody overrides it. */
    ap_hook_type_checker(choose_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Asked by core when authorization would let the request pass without a name. */
    ap_hook_force_authn(force_authn, NULL, NULL, APR_HOOK_MIDDLE);
    /* After authentication had its chance, before the handler looks at r->user. */
    ap_hook_fixups(greet, NULL, NULL, APR_HOOK_FIRST);
}
