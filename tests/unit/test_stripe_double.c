/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* The same calls against the Stripe double, which refuses unknown, missing and contradicting
 * parameters as Stripe does: what the scripted server takes without a look is held against its
 * tables here. One process of the double serves a test. */
#include "stripe/checkout_sessions.h"
#include "stripe/customers.h"
#include "stripe/invoices.h"
#include "stripe/portal_sessions.h"
#include "stripe/prices.h"
#include "stripe/objects.h"
#include "stripe/schedules.h"
#include "stripe/subscriptions.h"
#include "unit.h"

#include <apr_strings.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY "stripe double ready on "

static pid_t pid;
static sb_stripe_t *stripe;
static sb_result_t result;
static json_t *out;

/* Starts the double from the project's root; its address, or NULL when it cannot run here. */
static const char *double_start(void)
{
    int ends[2];
    char line[256] = "";

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        if (chdir("tests") == 0) {
            execl("/usr/bin/python3", "python3", "-m", "stripe_double", "--port", "0",
                  (char *)NULL);
        }
        _exit(127);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    if (!fgets(line, sizeof(line), from) || strncmp(line, READY, strlen(READY)) != 0) {
        fclose(from);
        return NULL;
    }
    fclose(from);
    line[strcspn(line, "\n")] = '\0';
    return apr_pstrdup(sb_unit_pool, line + strlen(READY));
}

static void setup(void)
{
    static const char *const keys[] = {"sk_test_unit"};
    sb_http_t *http = NULL;

    sb_unit_setup();
    const char *url = double_start();
    stripe = NULL;
    if (!url) {
        puts("skipped: the Stripe double does not start (python3-aiohttp missing?)");
        return;
    }
    ck_assert_int_eq(sb_http_create(&http, &(sb_http_options_t){0}, sb_unit_pool), 0);
    ck_assert_int_eq(
        sb_stripe_create(
            &stripe,
            &(sb_stripe_options_t){.http = http, .api = url, .keys = keys, .keys_n = 1},
            sb_unit_pool),
        APR_SUCCESS);
}

static void teardown(void)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    sb_unit_teardown();
}

static void assert_ok(sb_status_e status)
{
    ck_assert_msg(status == SB_OK, "%s: %s", result.code,
                  out ? sb_json_dump(out, sb_unit_pool) : result.message);
}

/* The id of a new object, made with these pairs ("name=value"). */
static const char *made(const char *path, const char *const *pairs, int n)
{
    sb_form_t *params = sb_form_create(sb_unit_pool);

    for (int i = 0; i < n; i++) {
        const char *equals = strchr(pairs[i], '=');
        sb_form_add(
            params,
            apr_pstrmemdup(sb_unit_pool, pairs[i], (apr_size_t)(equals - pairs[i])),
            equals + 1);
    }
    assert_ok(
        sb_stripe_call(&out, &result, stripe, "POST", path, params, NULL, sb_unit_pool));
    return sb_json_text(out, "id");
}

static const char *price_made(void)
{
    const char *product = made("/v1/products", (const char *[]){"name=Gold"}, 1);
    const char *pairs[] = {apr_pstrcat(sb_unit_pool, "product=", product, NULL),
                           "currency=eur", "unit_amount=299", "recurring[interval]=month",
                           "lookup_key=gold_monthly"};

    return made("/v1/prices", pairs, 5);
}

static const char *customer_made(void)
{
    const sb_stripe_customer_t create = {.user = "J\xc3\xbcrgen [1] & \"s\xc3\xb6hne\"",
                                         .email = "j@x.test",
                                         .locale = "de"};

    assert_ok(sb_stripe_customer_create(&out, &result, stripe, &create, "customer-1",
                                        sb_unit_pool));
    return sb_json_text(out, "id");
}

/* B10 */
START_TEST(test_a_user_comes_back_from_stripe_byte_by_byte)
{
    if (!stripe) {
        return;
    }
    const char *id = customer_made();
    ck_assert_str_eq(customer_made(), id);
    assert_ok(sb_stripe_customer_retrieve(&out, &result, stripe, id, sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "metadata.subbill_user"),
                     "J\xc3\xbcrgen [1] & \"s\xc3\xb6hne\"");
    ck_assert_int_eq(sb_stripe_call(&out, &result, stripe, "DELETE",
                                    apr_pstrcat(sb_unit_pool, "/v1/customers/", id, NULL),
                                    NULL, NULL, sb_unit_pool),
                     SB_OK);
    ck_assert_int_eq(sb_stripe_customer_retrieve(&out, &result, stripe, id, sb_unit_pool),
                     SB_NOT_FOUND);
    ck_assert_str_eq(result.code, "customer_deleted");
    ck_assert_int_eq(
        sb_stripe_customer_retrieve(&out, &result, stripe, "cus_none", sb_unit_pool),
        SB_NOT_FOUND);
    ck_assert_str_eq(result.code, "resource_missing");
}
END_TEST

/* C35, F17 */
START_TEST(test_every_option_of_a_checkout_is_taken_by_stripes_rules)
{
    if (!stripe) {
        return;
    }
    sb_stripe_checkout_t create = {
        .customer = customer_made(),
        .price = price_made(),
        .quantity = 2,
        .success_url = "https://x.test/return?session_id={CHECKOUT_SESSION_ID}",
        .cancel_url = "https://x.test/plans",
        .client_reference_id = "user-1",
        .user = "ann",
        .checkout = "co_1",
        .plan = "gold",
        .card_required = true};

    assert_ok(
        sb_stripe_checkout_create(&out, &result, stripe, &create, "plain", sb_unit_pool));
    create.trial_days = 14;
    create.card_required = false;
    create.promotion_codes = create.automatic_tax = create.tax_id_collection = true;
    create.currency = "eur";
    create.billing_address_collection = "required";
    create.consent_terms_of_service = "required";
    create.locale = "de";
    assert_ok(
        sb_stripe_checkout_create(&out, &result, stripe, &create, "full", sb_unit_pool));
    const char *id = sb_json_text(out, "id");
    ck_assert_ptr_nonnull(sb_json_text(out, "url"));
    assert_ok(
        sb_stripe_checkout_create(&out, &result, stripe, &create, "full", sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "id"), id);
    create.quantity = 3;
    ck_assert_int_eq(
        sb_stripe_checkout_create(&out, &result, stripe, &create, "full", sb_unit_pool),
        SB_CONFLICT);
    ck_assert_str_eq(result.code, "idempotency_error");

    assert_ok(sb_stripe_checkout_retrieve(&out, &result, stripe, id,
                                          (const char *[]){"subscription", "customer"}, 2,
                                          sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "metadata.subbill_checkout"), "co_1");
    ck_assert_str_eq(sb_json_text(out, "success_url"), create.success_url);
    ck_assert_str_eq(sb_json_text(out, "customer.id"), create.customer);
}
END_TEST

START_TEST(test_prices_portal_and_subscriptions_are_asked_for_as_stripe_wants_it)
{
    if (!stripe) {
        return;
    }
    const char *price = price_made();
    const char *const keys[] = {"gold_monthly", "unknown"};
    const sb_stripe_portal_t portal = {.customer = customer_made(),
                                       .return_url = "https://x.test/account",
                                       .locale = "de",
                                       .flow = "payment_method_update"};

    assert_ok(
        sb_stripe_prices_by_lookup_key(&out, &result, stripe, keys, 2, sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "data.0.id"), price);
    assert_ok(sb_stripe_price_retrieve(&out, &result, stripe, price, sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "product.name"), "Gold");
    assert_ok(sb_stripe_portal_create(&out, &result, stripe, &portal, sb_unit_pool));
    ck_assert_ptr_nonnull(sb_json_text(out, "url"));
    ck_assert_int_eq(sb_stripe_object_retrieve(&out, &result, stripe, "subscription",
                                               "sub_none", sb_unit_pool),
                     SB_NOT_FOUND);
}
END_TEST

/* A subscription to gold that a card pays for; *item is its item. */
static const char *subscription_made(const char **item, const char *price)
{
    const char *customer = customer_made();
    const char *attach[] = {apr_pstrcat(sb_unit_pool, "customer=", customer, NULL)};
    const char *card = made("/v1/payment_methods/pm_card_visa/attach", attach, 1);
    const char *pairs[] = {
        attach[0], apr_pstrcat(sb_unit_pool, "items[0][price]=", price, NULL),
        apr_pstrcat(sb_unit_pool, "default_payment_method=", card, NULL)};
    const char *id = made("/v1/subscriptions", pairs, 3);

    *item = sb_json_text(out, "items.data.0.id");
    return id;
}

/* A48, A50, E9 */
START_TEST(test_a_subscription_is_ended_paused_and_changed_as_stripe_wants_it)
{
    if (!stripe) {
        return;
    }
    const char *item, *price = price_made();
    const char *id = subscription_made(&item, price);
    const sb_stripe_switch_t seats = {.item = item, .price = price, .quantity = 3};

    assert_ok(sb_stripe_invoice_upcoming(&out, &result, stripe, id, sb_unit_pool));
    ck_assert_int_eq(sb_json_int(out, "amount_due", 0), 299);
    assert_ok(
        sb_stripe_invoice_of_switch(&out, &result, stripe, id, &seats, sb_unit_pool));
    ck_assert_int_eq(sb_json_int(out, "amount_due", 0), 598);
    assert_ok(sb_stripe_subscription_switch(&out, &result, stripe, id, &seats, "s-1",
                                            sb_unit_pool));
    ck_assert_int_eq(sb_json_int(out, "items.data.0.quantity", 0), 3);
    assert_ok(sb_stripe_subscription_plan_end(&out, &result, stripe, id, true, "s-2",
                                              sb_unit_pool));
    ck_assert(sb_json_bool(out, "cancel_at_period_end", false));
    assert_ok(sb_stripe_subscription_plan_end(&out, &result, stripe, id, false, "s-3",
                                              sb_unit_pool));
    assert_ok(
        sb_stripe_subscription_clear_end(&out, &result, stripe, id, "s-4", sb_unit_pool));
    assert_ok(
        sb_stripe_subscription_collect(&out, &result, stripe, id, "s-5", sb_unit_pool));
    assert_ok(
        sb_stripe_subscription_pause(&out, &result, stripe, id, "s-6", sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "status"), "paused");
    assert_ok(
        sb_stripe_subscription_resume(&out, &result, stripe, id, "s-7", sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "status"), "active");
    assert_ok(sb_stripe_subscription_cancel(&out, &result, stripe, id, sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "status"), "canceled");
    ck_assert_int_eq(sb_stripe_invoice_upcoming(&out, &result, stripe, id, sb_unit_pool),
                     SB_NOT_FOUND);
    ck_assert_str_eq(result.code, "no_upcoming_invoice");
    ck_assert_int_eq(
        sb_stripe_subscription_cancel(&out, &result, stripe, "sub_1/pause", sb_unit_pool),
        SB_INVALID);
}
END_TEST

/* A49 */
START_TEST(test_a_schedule_is_made_given_phases_and_released)
{
    if (!stripe) {
        return;
    }
    const char *item, *price = price_made();
    const char *sub = subscription_made(&item, price);

    assert_ok(sb_stripe_schedule_create(&out, &result, stripe, sub, "p-1", sb_unit_pool));
    const char *id = sb_json_text(out, "id");
    const sb_stripe_phases_t phases = {
        .running = sb_json_get(out, "phases.0"),
        .until = sb_json_int(out, "current_phase.end_date", 0),
        .old_price = price,
        .price = price,
        .quantity = 5,
        .interval = "month",
        .interval_count = 1,
    };
    assert_ok(sb_stripe_schedule_update(&out, &result, stripe, id, &phases, "p-2",
                                        sb_unit_pool));
    ck_assert_int_eq(sb_json_int(out, "phases.0.items.0.quantity", 0), 1);
    ck_assert_int_eq(sb_json_int(out, "phases.1.items.0.quantity", 0), 5);
    ck_assert_int_eq(sb_json_int(out, "phases.1.start_date", 0), phases.until);
    ck_assert_int_ne(sb_stripe_subscription_plan_end(&out, &result, stripe, sub, true,
                                                     "p-3", sb_unit_pool),
                     SB_OK);
    assert_ok(sb_stripe_schedule_release(&out, &result, stripe, id, "p-4", sb_unit_pool));
    assert_ok(sb_stripe_schedule_retrieve(&out, &result, stripe, id, sb_unit_pool));
    ck_assert_str_eq(sb_json_text(out, "status"), "released");
}
END_TEST

Suite *stripe_double_suite(void)
{
    Suite *suite = suite_create("stripe_double");
    TCase *tests = tcase_create("stripe_double");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_a_user_comes_back_from_stripe_byte_by_byte);
    tcase_add_test(tests, test_every_option_of_a_checkout_is_taken_by_stripes_rules);
    tcase_add_test(tests,
                   test_prices_portal_and_subscriptions_are_asked_for_as_stripe_wants_it);
    tcase_add_test(tests,
                   test_a_subscription_is_ended_paused_and_changed_as_stripe_wants_it);
    tcase_add_test(tests, test_a_schedule_is_made_given_phases_and_released);
    suite_add_tcase(suite, tests);
    return suite;
}
