/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "service/invoices.h"

#include "stripe/invoices.h"

#include <string.h>

typedef struct list_t {
    const char *user;
    bool live;
    int limit;
    sb_invoice_t *invoices;
    int n;
} list_t;

static apr_status_t list(void *baton, sb_conn_t *conn, apr_pool_t *pool)
{
    list_t *work = baton;

    return sb_invoice_list(&work->invoices, &work->n, conn, work->user, work->live,
                           work->limit, pool);
}

sb_status_e sb_invoices_list(sb_invoice_t **invoices, int *n, sb_result_t *result,
                             sb_service_t *service, const char *user, int limit,
                             apr_pool_t *pool)
{
    list_t work = {.user = user, .live = service->settings->live, .limit = limit};
    sb_status_e status =
        sb_db_read(service->db, SB_DEADLINE_PAGE, list, &work, result, pool);

    *invoices = work.invoices;
    *n = status == SB_OK ? work.n : 0;
    return status;
}

json_t *sb_invoice_link(const char *url)
{
    return url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0)
               ? json_string(url)
               : json_null();
}

json_t *sb_invoices_json(const sb_invoice_t *invoices, int n)
{
    json_t *array = json_array();

    for (int i = 0; i < n; i++) {
        const sb_invoice_t *invoice = &invoices[i];
        json_array_append_new(
            array,
            json_pack("{s:s, s:s?, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "id", invoice->id,
                      "number", invoice->number, "status", invoice->status, "currency",
                      invoice->currency, "amount_due", (json_int_t)invoice->amount_due,
                      "amount_paid", (json_int_t)invoice->amount_paid, "created",
                      (json_int_t)invoice->created_at, "hosted_url",
                      sb_invoice_link(invoice->hosted_url), "pdf_url",
                      sb_invoice_link(invoice->pdf_url)));
    }
    return array;
}

/* --- the next one ------------------------------------------------------------------------------- */

static sb_status_e none(sb_result_t *result)
{
    return sb_result_set(result, SB_NOT_FOUND, "no_upcoming_invoice",
                         "No further invoice is planned.", NULL);
}

bool sb_invoices_expected(const sb_held_t *held)
{
    return held && !held->ends_at && held->sub->status != SB_STATUS_PAUSED &&
           held->sub->status != SB_STATUS_INCOMPLETE &&
           !sb_subscription_status_final(held->sub->status);
}

static json_t *lines_of(const json_t *invoice)
{
    json_t *lines = json_array();
    const json_t *line;
    size_t i;

    json_array_foreach(sb_json_get(invoice, "lines.data"), i, line)
    {
        json_array_append_new(lines,
                              json_pack("{s:s?, s:I}", "description",
                                        sb_json_text(line, "description"), "amount",
                                        (json_int_t)sb_json_int(line, "amount", 0)));
    }
    return lines;
}

sb_status_e sb_invoices_upcoming(json_t **document, sb_result_t *result,
                                 sb_service_t *service, const char *user, int grace_days,
                                 apr_pool_t *pool)
{
    sb_stripe_t *stripe = sb_service_stripe(result, service);
    sb_account_view_t *view;
    json_t *invoice;

    *document = NULL;
    if (!stripe) {
        return SB_UNAVAILABLE;
    }
    sb_status_e status = sb_account_load(&view, result, service, user, grace_days, pool);
    if (status != SB_OK) {
        return status;
    }
    if (!sb_invoices_expected(view->main)) {
        return none(result);
    }
    const char *id = view->main->sub->id;
    status = sb_stripe_invoice_upcoming(&invoice, result, stripe, id, pool);
    if (status == SB_NOT_FOUND) {
        return none(result);
    }
    if (status != SB_OK) {
        return status;
    }
    apr_int64_t date = sb_json_int(invoice, "next_payment_attempt", 0);
    *document = sb_service_own(
        json_pack("{s:s, s:I, s:s?, s:I, s:o}", "subscription", id, "amount_due",
                  (json_int_t)sb_json_int(invoice, "amount_due", 0), "currency",
                  sb_json_text(invoice, "currency"), "date",
                  (json_int_t)(date ? date : sb_json_int(invoice, "period_end", 0)),
                  "lines", lines_of(invoice)),
        pool);
    return SB_OK;
}
