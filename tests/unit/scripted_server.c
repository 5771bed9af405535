/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Plain sockets and threads, so that what the client meets is exactly the script and no
 * HTTP library's idea of it. Everything is bounded: tests send few and small requests. */
#include "scripted_server.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX    64
#define CONNECTIONS_MAX 64
#define REQUEST_BYTES   16384

typedef struct connection_t {
    scripted_server_t *server;
    int fd;
    pthread_t thread;
} connection_t;

struct scripted_server_t {
    scripted_answer_t *script;
    int n;
    int listener;
    char url[64];
    pthread_t acceptor;
    pthread_mutex_t mutex;
    int stopping;
    int requests;
    char *texts[REQUESTS_MAX];
    int connections;
    connection_t slots[CONNECTIONS_MAX];
};

/* Reads one request; NULL when the connection ends first. malloc. */
static char *read_request(int fd)
{
    char *text = calloc(1, REQUEST_BYTES + 1);
    size_t length = 0;

    while (length < REQUEST_BYTES) {
        const char *end = strstr(text, "\r\n\r\n");
        const char *said = end ? strcasestr(text, "\r\nContent-Length:") : NULL;
        size_t body = said && said < end ? strtoul(said + 17, NULL, 10) : 0;
        if (end && length >= (size_t)(end + 4 - text) + body) {
            return text;
        }
        ssize_t got = recv(fd, text + length, REQUEST_BYTES - length, 0);
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
    }
    free(text);
    return NULL;
}

static int write_answer(int fd, const scripted_answer_t *answer)
{
    size_t length = !answer->bytes   ? 0
                    : answer->length ? answer->length
                                     : strlen(answer->bytes);
    size_t step = answer->dribble_ms ? 1 : length;

    usleep((useconds_t)answer->delay_ms * 1000);
    for (size_t at = 0; at < length;) {
        ssize_t sent = send(fd, answer->bytes + at, step, MSG_NOSIGNAL);
        if (sent <= 0) {
            return 0;
        }
        at += (size_t)sent;
        step = answer->dribble_ms ? 1 : length - at;
        usleep((useconds_t)answer->dribble_ms * 1000);
    }
    return answer->bytes && !answer->cut;
}

static void *serve(void *data)
{
    connection_t *connection = data;
    scripted_server_t *server = connection->server;
    int more = 1;

    while (more) {
        char *text = read_request(connection->fd);
        if (!text) {
            break;
        }
        pthread_mutex_lock(&server->mutex);
        int i = server->requests;
        if (i < REQUESTS_MAX) {
            server->texts[i] = text;
            server->requests++;
        }
        pthread_mutex_unlock(&server->mutex);
        more = write_answer(connection->fd,
                            &server->script[i < server->n ? i : server->n - 1]);
    }
    shutdown(connection->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *data)
{
    scripted_server_t *server = data;

    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        pthread_mutex_lock(&server->mutex);
        if (fd < 0 || server->stopping || server->connections == CONNECTIONS_MAX) {
            pthread_mutex_unlock(&server->mutex);
            if (fd >= 0) {
                close(fd);
            }
            return NULL;
        }
        connection_t *connection = &server->slots[server->connections++];
        *connection = (connection_t){.server = server, .fd = fd};
        pthread_create(&connection->thread, NULL, serve, connection);
        pthread_mutex_unlock(&server->mutex);
    }
}

scripted_server_t *scripted_server_start(const scripted_answer_t *script, int n)
{
    scripted_server_t *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    server->script = calloc((size_t)n, sizeof(*script));
    memcpy(server->script, script, (size_t)n * sizeof(*script));
    server->n = n;
    pthread_mutex_init(&server->mutex, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(server->listener, 0);
    ck_assert_int_eq(bind(server->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(server->listener, 16), 0);
    ck_assert_int_eq(getsockname(server->listener, (struct sockaddr *)&address, &size),
                     0);
    apr_snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d",
                 ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&server->acceptor, NULL, accept_all, server), 0);
    return server;
}

void scripted_server_stop(scripted_server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    server->stopping = 1;
    pthread_mutex_unlock(&server->mutex);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    for (int i = 0; i < server->connections; i++) {
        shutdown(server->slots[i].fd, SHUT_RDWR);
        pthread_join(server->slots[i].thread, NULL);
        close(server->slots[i].fd);
    }
    for (int i = 0; i < server->requests; i++) {
        free(server->texts[i]);
    }
    pthread_mutex_destroy(&server->mutex);
    free(server->script);
    free(server);
}

const char *scripted_server_url(const scripted_server_t *server)
{
    return server->url;
}

int scripted_server_requests(scripted_server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    int n = server->requests;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

int scripted_server_connections(scripted_server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    int n = server->connections;
    pthread_mutex_unlock(&server->mutex);
    return n;
}

const char *scripted_server_request(scripted_server_t *server, int i)
{
    ck_assert_int_lt(i, scripted_server_requests(server));
    return server->texts[i];
}

void scripted_server_header(char *out, apr_size_t size, scripted_server_t *server, int i,
                            const char *name)
{
    const char *line = scripted_server_request(server, i);
    size_t length = strlen(name);

    *out = '\0';
    while ((line = strstr(line, "\r\n")) && strncmp(line, "\r\n\r\n", 4) != 0) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1 + strspn(line + length + 1, " ");
            size_t value_length = strcspn(value, "\r");
            apr_cpystrn(out, value, value_length + 1 < size ? value_length + 1 : size);
            return;
        }
    }
}

const char *scripted_json(int status, const char *headers, const char *body,
                          apr_pool_t *pool)
{
    return apr_psprintf(pool,
                        "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n"
                        "Content-Length: %" APR_SIZE_T_FMT "\r\n%s\r\n%s",
                        status, strlen(body), headers, body);
}
