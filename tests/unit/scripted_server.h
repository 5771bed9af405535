/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEST_SCRIPTED_SERVER_H
#define SB_TEST_SCRIPTED_SERVER_H

#include <apr_pools.h>

/* A loopback HTTP server that answers the n-th request with the n-th line of its script
 * and the requests after the last line with the last one. It keeps connections open
 * unless the answer says otherwise, serves each connection in a thread of its own and
 * remembers what it was sent. */
typedef struct scripted_server_t scripted_server_t;

typedef struct scripted_answer_t {
    const char
        *bytes; /* the answer as it goes over the wire; NULL: close without a word */
    apr_size_t length; /* 0: strlen(bytes) */
    int delay_ms;      /* before the first byte */
    int dribble_ms;    /* between any two bytes; 0: all at once */
    int cut;           /* close the connection behind the last byte */
} scripted_answer_t;

/* Ends the test when the server cannot be started. The script is copied, its bytes are
 * not: they must live as long as the server. */
scripted_server_t *scripted_server_start(const scripted_answer_t *script, int n);
void scripted_server_stop(scripted_server_t *server);

/* "http://127.0.0.1:port" */
const char *scripted_server_url(const scripted_server_t *server);

int scripted_server_requests(scripted_server_t *server);
int scripted_server_connections(scripted_server_t *server);

/* Request i, head and body, as text that lives as long as the server. */
const char *scripted_server_request(scripted_server_t *server, int i);

/* The value of a header of request i copied to out; out is "" when it is absent. */
void scripted_server_header(char *out, apr_size_t size, scripted_server_t *server, int i,
                            const char *name);

/* "HTTP/1.1 status …" with Content-Length, the given extra header lines (each with its
 * CRLF; "" for none) and the JSON body, in pool. */
const char *scripted_json(int status, const char *headers, const char *body,
                          apr_pool_t *pool);

#endif
