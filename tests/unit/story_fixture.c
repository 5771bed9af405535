/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "story_fixture.h"

#include "base/json.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <check.h>
#include <string.h>

#define EVENTS "../shared/stripe/events/"

static const char *const tables[] = {
    "account",         "customer",       "subscription", "subscription_item",
    "price",           "product",        "invoice",      "payment",
    "refund",          "dispute",        "trial",        "checkout",
    "invoice_payment", "payment_method", "entitlement",
};
static const char *const others[] = {"event", "event_body", "job", "link_audit"};
#define COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

const char *story_file(const char *name)
{
    const char *path = apr_pstrcat(store.pool, EVENTS, name, NULL);
    apr_file_t *file;
    apr_finfo_t info;

    if (apr_file_open(&file, path, APR_FOPEN_READ, 0, store.pool) != APR_SUCCESS) {
        return NULL;
    }
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    char *text = apr_pcalloc(store.pool, (apr_size_t)info.size + 1);
    ck_assert_int_eq(apr_file_read_full(file, text, (apr_size_t)info.size, NULL),
                     APR_SUCCESS);
    apr_file_close(file);
    return text;
}

bool story_load(story_t *story, const char *folder)
{
    const char *text = story_file("index.json");
    const char *prefix = apr_pstrcat(store.pool, folder, "/", NULL);
    json_t *index, *row;
    size_t i;

    story->n = 0;
    if (!text) {
        return false;
    }
    ck_assert(sb_json_parse(&index, NULL, 0, text, strlen(text), SB_JSON_DEPTH));
    json_array_foreach(sb_json_get(index, "events"), i, row)
    {
        const char *name = sb_json_text(row, "file");
        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            ck_assert_int_lt(story->n, STORY_EVENTS_MAX);
            story->files[story->n] = apr_pstrdup(store.pool, name);
            story->bodies[story->n] = story_file(name);
            ck_assert_ptr_nonnull(story->bodies[story->n]);
            story->n++;
        }
    }
    json_decref(index);
    return story->n > 0;
}

const char *story_deliver(const char *body)
{
    apr_pool_t *pool;

    ck_assert_int_eq(apr_pool_create(&pool, store.pool), APR_SUCCESS);
    sb_status_e status = sb_ingest_event(&sv.outcome, &sv.result, sv.service,
                                         SB_SOURCE_WEBHOOK, body, strlen(body), pool);
    ck_assert_msg(status == SB_OK, "%s", sv.result.code);
    const char *state = sv.outcome.state; /* a word of its own */
    ck_assert_msg(strcmp(state, "failed") != 0, "%s: %s", sv.outcome.type,
                  sv.outcome.reason);
    apr_pool_destroy(pool);
    return state;
}

/* Ours, or the same fact told by another voice. */
static bool left_out(const char *table, const char *column)
{
    bool ours = strcmp(table, "account") == 0 || strcmp(table, "customer") == 0;

    /* The plan of a trial is that of the first statement to arrive that has one: a note for people. */
    if (strcmp(table, "trial") == 0 && strcmp(column, "plan") == 0) {
        return true;
    }
    return strcmp(column, "source") == 0 || strcmp(column, "updated_at") == 0 ||
           (ours && strcmp(column, "created_at") == 0);
}

static const char *dump_table(const char *table, apr_pool_t *pool)
{
    const char *sql = apr_psprintf(pool, "SELECT * FROM %s ORDER BY 1, 2, 3", table);
    apr_dbd_results_t *results = NULL;
    const char *text = "";

    ck_assert_int_eq(
        apr_dbd_select(store.admin_driver, pool, store.admin, &results, sql, 1), 0);
    int rows = apr_dbd_num_tuples(store.admin_driver, results);
    int columns = apr_dbd_num_cols(store.admin_driver, results);
    for (int i = 1; i <= rows; i++) {
        apr_dbd_row_t *row = NULL;
        if (apr_dbd_get_row(store.admin_driver, pool, results, &row, i)) {
            break;
        }
        text = apr_pstrcat(pool, text, table, ":", NULL);
        for (int c = 0; c < columns; c++) {
            const char *name = apr_dbd_get_name(store.admin_driver, results, c);
            const char *value = apr_dbd_get_entry(store.admin_driver, row, c);
            if (!left_out(table, name)) {
                text = apr_pstrcat(pool, text, " ", name, "=", value ? value : "-", NULL);
            }
        }
        text = apr_pstrcat(pool, text, "\n", NULL);
    }
    return text;
}

const char *story_dump(void)
{
    apr_pool_t *pool;
    const char *text = "";

    store_admin_value("SELECT 1"); /* opens the connection */
    ck_assert_int_eq(apr_pool_create(&pool, store.pool), APR_SUCCESS);
    for (int i = 0; i < COUNT(tables); i++) {
        text = apr_pstrcat(pool, text, dump_table(tables[i], pool), NULL);
    }
    text = apr_pstrdup(store.pool, text);
    apr_pool_destroy(pool);
    store_admin_close();
    return text;
}

void story_clear(void)
{
    for (int i = 0; i < COUNT(tables); i++) {
        store_admin(apr_pstrcat(store.pool, "DELETE FROM ", tables[i], NULL));
    }
    for (int i = 0; i < COUNT(others); i++) {
        store_admin(apr_pstrcat(store.pool, "DELETE FROM ", others[i], NULL));
    }
    store_admin_close();
}
