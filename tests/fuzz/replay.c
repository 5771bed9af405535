/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

/* A fuzz target without libFuzzer: feeds it the files that are named. A crash ends it as it would
 * end a server. */

#pragma weak LLVMFuzzerInitialize

/* The file's bytes and not one more, so that reading behind them is noticed; NULL: unreadable. */
static uint8_t *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long length = -1;

    if (file && fseek(file, 0, SEEK_END) == 0 && (length = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc(length ? (size_t)length : 1);
    }
    if (bytes && fread(bytes, 1, (size_t)length, file) != (size_t)length) {
        free(bytes);
        bytes = NULL;
    }
    if (file) {
        fclose(file);
    }
    *size = (size_t)length;
    return bytes;
}

int main(int argc, char *argv[])
{
    if (LLVMFuzzerInitialize) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *bytes = file_read(argv[i], &size);
        if (!bytes) {
            fprintf(stderr, "%s cannot be read\n", argv[i]);
            return EXIT_FAILURE;
        }
        LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
    }
    return EXIT_SUCCESS;
}
