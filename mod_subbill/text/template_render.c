/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "text/escape.h"
#include "text/template_node.h"

#include <string.h>

/* Templates come from the operator, their values from strangers. Values are never parsed; what
 * bounds a runaway template is the size of its output, the steps it takes and how deep it nests. */

#define PARTIAL_MAX 16
#define STACK_MAX   (SB_NODE_NEST_MAX * PARTIAL_MAX + 2)
#define STEPS_MAX   1000000

typedef struct renderer_t {
    char *out;
    apr_size_t len, size;
    const json_t *stack[STACK_MAX];
    int depth;
    int partials_open;
    int steps;
    const sb_template_partials_t *partials;
    sb_result_t *result;
    apr_pool_t *pool;
} renderer_t;

/* The partial being rendered and the blanks that its tag puts before each of its lines, behind those
 * of the frames around it. They stay in the source: a list may include the partial without end. */
typedef struct frame_t {
    const struct frame_t *outer;
    const sb_template_t *tmpl;
    const char *indent;
    apr_size_t indent_len;
} frame_t;

static bool append(renderer_t *renderer, const char *text, apr_size_t len)
{
    if (len > SB_TEMPLATE_OUTPUT_MAX - renderer->len) {
        sb_result_set(renderer->result, SB_TOO_LARGE, "template_too_large",
                      "The page would become too large.", NULL);
        return false;
    }
    if (renderer->len + len >= renderer->size) {
        apr_size_t size = 2 * renderer->size;
        while (size <= renderer->len + len) {
            size *= 2;
        }
        char *grown = apr_palloc(renderer->pool, size);
        memcpy(grown, renderer->out, renderer->len);
        renderer->out = grown;
        renderer->size = size;
    }
    memcpy(renderer->out + renderer->len, text, len);
    renderer->len += len;
    return true;
}

static bool append_escaped(renderer_t *renderer, const char *text, apr_size_t len)
{
    while (len) {
        const char *replacement;
        apr_size_t plain, step = sb_escape_html_step(text, len, &plain, &replacement);
        if (!append(renderer, text, plain) ||
            (replacement && !append(renderer, replacement, strlen(replacement)))) {
            return false;
        }
        text += step;
        len -= step;
    }
    return true;
}

/* The innermost context that knows the first part decides; the rest is looked up in it only. */
static const json_t *lookup(const renderer_t *renderer, const sb_node_t *node)
{
    const json_t *value = NULL;

    if (!node->n_parts) {
        return renderer->depth ? renderer->stack[renderer->depth - 1] : NULL;
    }
    for (int i = renderer->depth - 1; i >= 0 && !value; i--) {
        value = json_object_get(renderer->stack[i], node->parts[0]);
    }
    for (int i = 1; i < node->n_parts && value; i++) {
        value = json_object_get(value, node->parts[i]);
    }
    return value;
}

static bool is_true(const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_INTEGER:
        return json_integer_value(value) != 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    default:
        return true;
    }
}

static bool value_write(renderer_t *renderer, const sb_node_t *node)
{
    const json_t *value = lookup(renderer, node);
    char number[64];
    apr_size_t len;

    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        return node->kind == SB_NODE_ESCAPED
                   ? append_escaped(renderer, json_string_value(value),
                                    json_string_length(value))
                   : append(renderer, json_string_value(value),
                            json_string_length(value));
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
        /* jansson writes numbers the same under every locale */
        len = json_dumpb(value, number, sizeof(number),
                         JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        return len > sizeof(number) || append(renderer, number, len);
    default:
        return true;
    }
}

/* Counts nodes and rounds of lists, which may be empty. */
static bool step_take(renderer_t *renderer)
{
    if (++renderer->steps > STEPS_MAX) {
        sb_result_set(renderer->result, SB_TOO_LARGE, "template_too_large",
                      "The page would take too many steps.", NULL);
        return false;
    }
    return true;
}

static bool range_render(renderer_t *renderer, const frame_t *frame, int from, int to);

static bool push_render(renderer_t *renderer, const frame_t *frame, const json_t *context,
                        int from, int to)
{
    renderer->stack[renderer->depth++] = context;
    bool ok = step_take(renderer) && range_render(renderer, frame, from, to);
    renderer->depth--;
    return ok;
}

static bool section_render(renderer_t *renderer, const frame_t *frame, int at)
{
    const sb_node_t *node = &frame->tmpl->nodes[at];
    const json_t *value = lookup(renderer, node);

    if (is_true(value) == (node->kind == SB_NODE_INVERTED)) {
        return true;
    }
    if (node->kind == SB_NODE_INVERTED) {
        return range_render(renderer, frame, at + 1, node->end);
    }
    if (!json_is_array(value)) {
        return push_render(renderer, frame, value, at + 1, node->end);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!push_render(renderer, frame, json_array_get(value, i), at + 1, node->end)) {
            return false;
        }
    }
    return true;
}

static bool partial_render(renderer_t *renderer, const frame_t *frame,
                           const sb_node_t *node)
{
    const sb_template_partials_t *partials = renderer->partials;
    const sb_template_t *tmpl =
        partials ? partials->find(partials->baton, node->name) : NULL;
    const frame_t inner = {
        .outer = frame, .tmpl = tmpl, .indent = node->text, .indent_len = node->len};

    if (!tmpl) {
        return true;
    }
    if (renderer->partials_open == PARTIAL_MAX - 1) {
        sb_result_setf(renderer->result, renderer->pool, SB_INVALID, "template_depth",
                       "Let the recursion end where its data end.",
                       "%s:%d: partials include each other too deeply: %s",
                       frame->tmpl->name, node->line, node->name);
        return false;
    }
    renderer->partials_open++;
    bool ok = range_render(renderer, &inner, 0, tmpl->n);
    renderer->partials_open--;
    return ok;
}

static bool indent_write(renderer_t *renderer, const frame_t *frame)
{
    return !frame || (indent_write(renderer, frame->outer) &&
                      append(renderer, frame->indent, frame->indent_len));
}

static bool node_render(renderer_t *renderer, const frame_t *frame, int at)
{
    const sb_node_t *node = &frame->tmpl->nodes[at];

    switch (node->kind) {
    case SB_NODE_TEXT:
        return append(renderer, node->text, node->len);
    case SB_NODE_INDENT:
        return indent_write(renderer, frame);
    case SB_NODE_ESCAPED:
    case SB_NODE_RAW:
        return value_write(renderer, node);
    case SB_NODE_SECTION:
    case SB_NODE_INVERTED:
        return section_render(renderer, frame, at);
    case SB_NODE_PARTIAL:
        return partial_render(renderer, frame, node);
    }
    return true;
}

static bool range_render(renderer_t *renderer, const frame_t *frame, int from, int to)
{
    const sb_node_t *nodes = frame->tmpl->nodes;

    for (int at = from; at < to; at = nodes[at].end ? nodes[at].end : at + 1) {
        if (!step_take(renderer) || !node_render(renderer, frame, at)) {
            return false;
        }
    }
    return true;
}

sb_status_e sb_template_render(const char **out, apr_size_t *len, sb_result_t *result,
                               const sb_template_t *tmpl, const json_t *base,
                               const json_t *context,
                               const sb_template_partials_t *partials, apr_pool_t *pool)
{
    sb_result_t own = {.status = SB_OK};
    renderer_t renderer = {
        .out = apr_palloc(pool, 4096),
        .size = 4096,
        .partials = partials,
        .result = result ? result : &own,
        .pool = pool,
    };
    const frame_t frame = {.tmpl = tmpl, .indent = ""};

    if (base) {
        renderer.stack[renderer.depth++] = base;
    }
    if (context) {
        renderer.stack[renderer.depth++] = context;
    }
    if (!range_render(&renderer, &frame, 0, tmpl->n)) {
        return renderer.result->status;
    }
    renderer.out[renderer.len] = '\0';
    *out = renderer.out;
    if (len) {
        *len = renderer.len;
    }
    return SB_OK;
}
