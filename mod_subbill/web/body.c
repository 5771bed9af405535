/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Bodies by brigade, because ap_get_client_block() loses the status of what went wrong. Nothing is
 * allocated for bytes that have not come: a client that announces 500 KiB and sends nothing costs
 * nothing (T33). */
#include "web/body.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <stdbool.h>
#include <string.h>
#include <util_filter.h>

enum { FIRST_BLOCK = 8192 };

typedef struct buffer_t {
    char *bytes;
    apr_size_t length;
    apr_size_t size;
    apr_size_t cap;
} buffer_t;

static int buffer_add(buffer_t *buffer, const char *data, apr_size_t length,
                      apr_pool_t *pool)
{
    if (length > buffer->cap - buffer->length) {
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    if (buffer->length + length >= buffer->size) {
        apr_size_t size = buffer->size;
        while (buffer->length + length >= size) {
            size *= 2;
        }
        char *grown = apr_palloc(pool, size);
        memcpy(grown, buffer->bytes, buffer->length);
        buffer->bytes = grown;
        buffer->size = size;
    }
    memcpy(buffer->bytes + buffer->length, data, length);
    buffer->length += length;
    return OK;
}

/* Moves the data of one brigade into the buffer; *done at the end of the body. */
static int brigade_take(buffer_t *buffer, bool *done, apr_bucket_brigade *bb,
                        apr_pool_t *pool)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb);
         b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t length;

        if (APR_BUCKET_IS_EOS(b)) {
            *done = true;
            return OK;
        }
        if (APR_BUCKET_IS_METADATA(b)) {
            continue;
        }
        apr_status_t rv = apr_bucket_read(b, &data, &length, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        }
        int status = buffer_add(buffer, data, length, pool);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

int sb_body_read(const char **bytes, apr_size_t *length, request_rec *r, apr_size_t cap)
{
    buffer_t buffer = {
        .bytes = apr_palloc(r->pool, FIRST_BLOCK), .size = FIRST_BLOCK, .cap = cap};
    const char *announced = apr_table_get(r->headers_in, "Content-Length");
    bool done = false;

    /* The protocol has checked the digits; an overflow reads as larger than any cap. */
    if (announced && (apr_uint64_t)apr_strtoi64(announced, NULL, 10) > cap) {
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!done) {
        apr_status_t rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES,
                                         APR_BLOCK_READ, FIRST_BLOCK);
        if (rv != APR_SUCCESS) {
            return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        }
        int status = brigade_take(&buffer, &done, bb, r->pool);
        apr_brigade_cleanup(bb);
        if (status != OK) {
            return status;
        }
    }
    buffer.bytes[buffer.length] = '\0';
    *bytes = buffer.bytes;
    *length = buffer.length;
    return OK;
}
