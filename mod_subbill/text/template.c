/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/template_node.h"

#include <apr_strings.h>
#include <string.h>

/* A template becomes a flat array of nodes in the order of the source; a section knows the index
 * behind its last child, so rendering walks the array and recurses only into sections and partials.
 * Standalone tags (alone on their line) are settled while parsing: their line leaves no trace, and
 * the blanks before a standalone partial become its indentation. Indentation belongs to the lines of
 * a partial's source, not to the values put into it, so every source line that prints something begins
 * with an SB_NODE_INDENT. */

#define PARTS_MAX 8 /* words joined by dots */

typedef struct parser_t {
    const char *name, *source, *end;
    apr_array_header_t *nodes;  /* sb_node_t */
    int open[SB_NODE_NEST_MAX]; /* indexes of sections not yet closed */
    int depth;
    int line;
    bool line_start; /* nothing of this source line was emitted yet */
    sb_result_t *result;
    apr_pool_t *pool;
} parser_t;

/* A tag as it stands in the source. */
typedef struct tag_t {
    char sigil;              /* # ^ / > & { ! = or 0 for a plain name */
    const char *start, *end; /* from the first brace to behind the last one */
    const char *body;        /* without sigil and blanks */
    apr_size_t body_len;
} tag_t;

static const char syntax_hint[] =
    "Correct the template, or remove it from the directory to get "
    "the built-in one back.";

static bool fail(parser_t *parser, int line, const char *what, const char *detail)
{
    sb_result_setf(parser->result, parser->pool, SB_INVALID, "template_syntax",
                   syntax_hint, "%s:%d: %s%s", parser->name, line, what,
                   detail ? detail : "");
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\n' || c == '\r';
}

static const char *find(const char *from, const char *end, const char *what)
{
    apr_size_t len = strlen(what);

    for (; from + len <= end; from++) {
        if (!memcmp(from, what, len)) {
            return from;
        }
    }
    return NULL;
}

static sb_node_t *node_add(parser_t *parser, sb_node_e kind)
{
    sb_node_t *node = apr_array_push(parser->nodes);

    *node = (sb_node_t){.kind = kind, .line = parser->line};
    return node;
}

/* Emits text line by line, so that each line can carry the indentation of a partial. */
static void text_add(parser_t *parser, const char *text, const char *end)
{
    while (text < end) {
        const char *newline = memchr(text, '\n', (apr_size_t)(end - text));
        const char *stop = newline ? newline + 1 : end;
        if (parser->line_start) {
            node_add(parser, SB_NODE_INDENT);
        }
        sb_node_t *node = node_add(parser, SB_NODE_TEXT);
        node->text = text;
        node->len = (apr_size_t)(stop - text);
        parser->line_start = newline != NULL;
        parser->line += newline ? 1 : 0;
        text = stop;
    }
}

/* Finds the end of the tag that starts at start and takes it apart. */
static bool tag_read(parser_t *parser, tag_t *tag, const char *start)
{
    const char *at = start + 2;
    const char *closer = "}}";

    *tag = (tag_t){.start = start};
    while (at < parser->end && is_space(*at)) {
        at++;
    }
    if (at < parser->end && *at && strchr("#^/>&{!=<$%@*", *at)) {
        tag->sigil = *at++;
    }
    if (tag->sigil == '{') {
        closer = "}}}";
    }
    const char *close = find(at, parser->end, closer);
    if (!close) {
        return fail(parser, parser->line, "a tag is opened by {{ but never closed by ",
                    closer);
    }
    tag->end = close + strlen(closer);
    while (at < close && is_space(*at)) {
        at++;
    }
    while (close > at && is_space(close[-1])) {
        close--;
    }
    tag->body = at;
    tag->body_len = (apr_size_t)(close - at);
    return true;
}

/* Whether a tag stands alone on its line(s); then *before is where its line's text ends up to (the
 * start of the blanks) and *after where the next line begins. */
static bool tag_is_standalone(const parser_t *parser, const tag_t *tag,
                              const char **before, const char **after)
{
    const char *left = tag->start, *right = tag->end;

    if (tag->sigil == '\0' || tag->sigil == '&' || tag->sigil == '{') {
        return false;
    }
    while (left > parser->source && is_blank(left[-1])) {
        left--;
    }
    if (left > parser->source && left[-1] != '\n') {
        return false;
    }
    while (right < parser->end && is_blank(*right)) {
        right++;
    }
    if (right + 1 < parser->end && right[0] == '\r' && right[1] == '\n') {
        right++;
    }
    if (right < parser->end && *right != '\n') {
        return false;
    }
    *before = left;
    *after = right < parser->end ? right + 1 : right;
    return true;
}

/* Names are words joined by dots; a partial's may name a folder. */
static bool name_set(parser_t *parser, sb_node_t *node, const tag_t *tag)
{
    bool partial = node->kind == SB_NODE_PARTIAL;
    const char *name = apr_pstrmemdup(parser->pool, tag->body, tag->body_len);

    node->name = name;
    if (!*name) {
        return fail(parser, node->line, "a tag without a name", NULL);
    }
    for (const char *c = name; *c; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || *c == '_' || *c == '-';
        if (!word && *c != '.' && !(partial && *c == '/')) {
            return fail(
                parser, node->line,
                "a name is made of letters, digits, _ and -, joined by dots, unlike ",
                name);
        }
    }
    if (partial || !strcmp(name, ".")) {
        return true;
    }
    node->parts = apr_palloc(parser->pool, PARTS_MAX * sizeof(*node->parts));
    for (const char *part = name;; part++) {
        apr_size_t len = strcspn(part, ".");
        if (!len || node->n_parts == PARTS_MAX) {
            return fail(parser, node->line,
                        len ? "too many dots in " : "an empty part in ", name);
        }
        node->parts[node->n_parts++] = apr_pstrmemdup(parser->pool, part, len);
        part += len;
        if (!*part) {
            return true;
        }
    }
}

static bool section_close(parser_t *parser, const tag_t *tag)
{
    const char *name = apr_pstrmemdup(parser->pool, tag->body, tag->body_len);

    if (!parser->depth) {
        return fail(parser, parser->line, "closes a section that is not open: ", name);
    }
    sb_node_t *nodes = (sb_node_t *)parser->nodes->elts;
    sb_node_t *open = &nodes[parser->open[parser->depth - 1]];
    if (strcmp(open->name, name)) {
        return fail(parser, parser->line,
                    apr_psprintf(parser->pool, "section %s of line %d is closed by ",
                                 open->name, open->line),
                    name);
    }
    open->end = parser->nodes->nelts;
    parser->depth--;
    return true;
}

static bool section_open(parser_t *parser, sb_node_e kind, const tag_t *tag)
{
    if (parser->depth == SB_NODE_NEST_MAX) {
        return fail(parser, parser->line, "sections are nested too deeply", NULL);
    }
    parser->open[parser->depth++] = parser->nodes->nelts;
    return name_set(parser, node_add(parser, kind), tag);
}

/* before: start of the blanks when the tag stands alone, else NULL. */
static bool tag_add(parser_t *parser, const tag_t *tag, const char *before)
{
    sb_node_t *node;

    switch (tag->sigil) {
    case '!':
        return true;
    case '#':
        return section_open(parser, SB_NODE_SECTION, tag);
    case '^':
        return section_open(parser, SB_NODE_INVERTED, tag);
    case '/':
        return section_close(parser, tag);
    case '>':
        node = node_add(parser, SB_NODE_PARTIAL);
        node->text = before ? before : tag->start;
        node->len = (apr_size_t)(tag->start - node->text);
        return name_set(parser, node, tag);
    case '&':
    case '{':
        return name_set(parser, node_add(parser, SB_NODE_RAW), tag);
    case '\0':
        return name_set(parser, node_add(parser, SB_NODE_ESCAPED), tag);
    case '=':
        return fail(parser, parser->line, "delimiters cannot be changed: {{=…=}}", NULL);
    default:
        return fail(parser, parser->line, "not a Mustache tag of this renderer: {{",
                    apr_pstrmemdup(parser->pool, &tag->sigil, 1));
    }
}

static bool source_parse(parser_t *parser)
{
    const char *at = parser->source;

    while (at < parser->end) {
        const char *start = find(at, parser->end, "{{");
        const char *before = NULL, *after = NULL;
        tag_t tag;

        if (!start) {
            text_add(parser, at, parser->end);
            break;
        }
        /* the text before decides the line number that errors in the tag are told with */
        const char *blanks = start;
        while (blanks > at && is_blank(blanks[-1])) {
            blanks--;
        }
        text_add(parser, at, blanks);
        if (!tag_read(parser, &tag, start)) {
            return false;
        }
        if (tag_is_standalone(parser, &tag, &before, &after)) {
            at = after;
        }
        else {
            text_add(parser, blanks, start);
            if (parser->line_start) {
                node_add(parser, SB_NODE_INDENT);
                parser->line_start = false;
            }
            at = tag.end;
        }
        if (!tag_add(parser, &tag, before)) {
            return false;
        }
        for (const char *c = start; c < at; c++) {
            parser->line += *c == '\n';
        }
    }
    if (parser->depth) {
        const sb_node_t *nodes = (const sb_node_t *)parser->nodes->elts;
        const sb_node_t *open = &nodes[parser->open[parser->depth - 1]];
        return fail(parser, open->line, "this section is never closed: ", open->name);
    }
    return true;
}

sb_status_e sb_template_parse(sb_template_t **tmpl, sb_result_t *result, const char *name,
                              const char *source, apr_size_t len, apr_pool_t *pool)
{
    if (len > SB_TEMPLATE_SOURCE_MAX) {
        return sb_result_setf(result, pool, SB_INVALID, "template_syntax", syntax_hint,
                              "%s:1: a template has at most %d KiB", name,
                              SB_TEMPLATE_SOURCE_MAX / 1024);
    }
    const char *copy = apr_pstrmemdup(pool, source, len);
    parser_t parser = {
        .name = apr_pstrdup(pool, name),
        .source = copy,
        .end = copy + len,
        .nodes = apr_array_make(pool, 64, sizeof(sb_node_t)),
        .line = 1,
        .line_start = true,
        .result = result,
        .pool = pool,
    };
    if (!source_parse(&parser)) {
        return SB_INVALID;
    }
    *tmpl = apr_palloc(pool, sizeof(**tmpl));
    **tmpl = (sb_template_t){.name = parser.name,
                             .nodes = (const sb_node_t *)parser.nodes->elts,
                             .n = parser.nodes->nelts};
    return SB_OK;
}

const char *sb_template_where(const sb_template_t *tmpl)
{
    return tmpl->name;
}

apr_array_header_t *sb_template_names(const sb_template_t *tmpl, apr_pool_t *pool)
{
    static const sb_template_name_e kinds[] = {
        [SB_NODE_ESCAPED] = SB_TEMPLATE_NAME_VALUE,
        [SB_NODE_RAW] = SB_TEMPLATE_NAME_VALUE,
        [SB_NODE_SECTION] = SB_TEMPLATE_NAME_SECTION,
        [SB_NODE_INVERTED] = SB_TEMPLATE_NAME_SECTION,
        [SB_NODE_PARTIAL] = SB_TEMPLATE_NAME_PARTIAL,
    };
    apr_array_header_t *names = apr_array_make(pool, 16, sizeof(sb_template_name_t));

    for (int i = 0; i < tmpl->n; i++) {
        const sb_node_t *node = &tmpl->nodes[i];
        if (node->name) {
            *(sb_template_name_t *)apr_array_push(names) = (sb_template_name_t){
                .kind = kinds[node->kind], .name = node->name, .line = node->line};
        }
    }
    return names;
}
