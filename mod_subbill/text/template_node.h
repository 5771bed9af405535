/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#ifndef SB_TEXT_TEMPLATE_NODE_H
#define SB_TEXT_TEMPLATE_NODE_H

#include "text/template.h"

/* What template.c makes of a source and template_render.c walks through; nobody else includes it. */

#define SB_NODE_NEST_MAX 24 /* sections inside sections of one template */

typedef enum {
    SB_NODE_TEXT,
    SB_NODE_INDENT,
    SB_NODE_ESCAPED,
    SB_NODE_RAW,
    SB_NODE_SECTION,
    SB_NODE_INVERTED,
    SB_NODE_PARTIAL
} sb_node_e;

typedef struct sb_node_t {
    sb_node_e kind;
    int line;
    int end;          /* sections: index behind the last child */
    const char *text; /* the text, or the indentation of a partial; else NULL */
    apr_size_t len;
    const char *name;   /* as written, "." for the implicit iterator */
    const char **parts; /* the name cut at its dots; n_parts is 0 for "." */
    int n_parts;
} sb_node_t;

struct sb_template_t {
    const char *name;
    const sb_node_t *nodes;
    int n;
};

#endif
