/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "fuzz.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pool hands out pieces of one large block, and AddressSanitizer sees nothing wrong in reading from
 * one piece into the next. So the functions that parsers get most of their memory from are replaced:
 * each piece is a block of its own, freed when the next input begins. What libapr takes from a pool by
 * itself (arrays, formatted texts) stays there. */

#define REPLACES __attribute__((visibility("default")))

typedef struct block_t block_t;
struct block_t {
    block_t *next;
    void *bytes;
};

static apr_pool_t *setup_pool, *input_pool;
static block_t *blocks; /* of the current input */
static block_t *kept;   /* of the set-up, so that they are no leak */
static bool in_input;

static void *checked(void *bytes)
{
    if (!bytes) {
        abort();
    }
    return bytes;
}

REPLACES void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    block_t **list = in_input ? &blocks : &kept;
    block_t *block = checked(malloc(sizeof(*block)));

    *block = (block_t){.next = *list, .bytes = checked(malloc(size ? size : 1))};
    *list = block;
    return block->bytes;
}

REPLACES void *apr_pmemdup(apr_pool_t *pool, const void *bytes, apr_size_t length)
{
    return bytes ? memcpy(apr_palloc(pool, length), bytes, length) : NULL;
}

REPLACES char *apr_pstrmemdup(apr_pool_t *pool, const char *text, apr_size_t length)
{
    char *copy = text ? apr_palloc(pool, length + 1) : NULL;

    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

REPLACES char *apr_pstrdup(apr_pool_t *pool, const char *text)
{
    return text ? apr_pstrmemdup(pool, text, strlen(text)) : NULL;
}

REPLACES char *apr_pstrndup(apr_pool_t *pool, const char *text, apr_size_t most)
{
    return text ? apr_pstrmemdup(pool, text, strnlen(text, most)) : NULL;
}

REPLACES char *apr_pstrcat(apr_pool_t *pool, ...)
{
    va_list texts;
    apr_size_t length = 0;

    va_start(texts, pool);
    for (const char *text; (text = va_arg(texts, const char *));) {
        length += strlen(text);
    }
    va_end(texts);
    char *joined = apr_palloc(pool, length + 1);
    char *end = joined;
    va_start(texts, pool);
    for (const char *text; (text = va_arg(texts, const char *));) {
        length = strlen(text);
        memcpy(end, text, length);
        end += length;
    }
    va_end(texts);
    *end = '\0';
    return joined;
}

static void input_forget(void)
{
    in_input = false;
    if (input_pool) {
        apr_pool_clear(input_pool); /* runs the cleanups, which read the blocks */
    }
    while (blocks) {
        block_t *block = blocks;
        blocks = block->next;
        free(block->bytes);
        free(block);
    }
}

apr_pool_t *sb_fuzz_setup_pool(void)
{
    if (!setup_pool && (apr_initialize() != APR_SUCCESS ||
                        apr_pool_create(&setup_pool, NULL) != APR_SUCCESS ||
                        apr_pool_create(&input_pool, NULL) != APR_SUCCESS ||
                        atexit(input_forget) != 0)) {
        abort();
    }
    return setup_pool;
}

apr_pool_t *sb_fuzz_pool(void)
{
    sb_fuzz_setup_pool();
    input_forget();
    in_input = true;
    return input_pool;
}

void sb_fuzz_holds(bool holds, const char *promise)
{
    if (!holds) {
        fprintf(stderr, "broken promise: %s\n", promise);
        abort();
    }
}

const char *sb_fuzz_text(sb_fuzz_input_t *input, apr_pool_t *pool)
{
    const char *end = input->left ? memchr(input->at, '\0', input->left) : NULL;
    size_t length = end ? (size_t)(end - input->at) : input->left;
    const char *text = length ? apr_pstrmemdup(pool, input->at, length) : "";

    length += end ? 1 : 0;
    input->at += length;
    input->left -= length;
    return text;
}

int sb_fuzz_number(sb_fuzz_input_t *input, apr_pool_t *pool)
{
    const char *text = sb_fuzz_text(input, pool);
    char *end;
    long value = strtol(text, &end, 10);

    return *end || value > INT32_MAX || value < INT32_MIN ? 0 : (int)value;
}
