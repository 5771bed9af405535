/* Licensed under the Apache License, Version 2.0; see LICENSE. */

/* The published stories of subscribers, played event by event through the rules alone. */

#include "unit.h"

#include "base/json.h"
#include "domain/entitlement.h"
#include "domain/stripe_event.h"

#include <apr_strings.h>
#include <string.h>

#define EVENTS "../shared/stripe/events/"

static sb_result_t result;

static const char catalogue_text[] =
    "{\"currency\":\"eur\",\"plans\":["
    "{\"plan\":\"basic\",\"name\":\"Basic\",\"rank\":10,\"prices\":[{\"interval\":"
    "\"month\","
    "\"amount\":900,\"lookup_key\":\"basic_monthly\"}]},"
    "{\"plan\":\"pro\",\"name\":\"Pro\",\"rank\":20,\"prices\":[{\"interval\":\"month\","
    "\"amount\":2900,\"lookup_key\":\"pro_monthly\"}]}]}";

static const sb_catalog_t *catalogue(void)
{
    sb_catalog_t *catalog;

    ck_assert_int_eq(sb_catalog_parse(&catalog, &result, catalogue_text,
                                      sizeof(catalogue_text) - 1, sb_unit_pool),
                     SB_OK);
    return catalog;
}

/* Parses the file of an event beside the project; NULL when it is not there. */
static json_t *event_file(const char *name)
{
    apr_size_t length;
    const char *text =
        sb_unit_file(apr_pstrcat(sb_unit_pool, EVENTS, name, NULL), &length);
    json_t *json = NULL;

    if (text) {
        ck_assert(sb_json_parse(&json, NULL, 0, text, length, SB_JSON_DEPTH));
    }
    return json;
}

static void read_object(const sb_event_t *event)
{
    union {
        sb_subscription_t subscription;
        sb_checkout_facts_t checkout;
        sb_invoice_facts_t invoice;
        sb_customer_facts_t customer;
        sb_price_facts_t price;
        sb_product_facts_t product;
    } facts;
    sb_status_e status = SB_OK;

    result.message = "";
    if (strcmp(event->kind, "subscription") == 0) {
        status = sb_event_subscription(&facts.subscription, &result, event->object,
                                       sb_unit_pool);
    }
    else if (strcmp(event->kind, "checkout.session") == 0) {
        status = sb_event_checkout_session(&facts.checkout, &result, event->object,
                                           sb_unit_pool);
    }
    else if (strcmp(event->kind, "invoice") == 0) {
        status = sb_event_invoice(&facts.invoice, &result, event->object, sb_unit_pool);
    }
    else if (strcmp(event->kind, "customer") == 0) {
        status = sb_event_customer(&facts.customer, &result, event->object, sb_unit_pool);
    }
    else if (strcmp(event->kind, "price") == 0) {
        status = sb_event_price(&facts.price, &result, event->object, sb_unit_pool);
    }
    else if (strcmp(event->kind, "product") == 0) {
        status = sb_event_product(&facts.product, &result, event->object, sb_unit_pool);
    }
    ck_assert_msg(status == SB_OK, "%s: %s", event->id, result.message);
}

/* B23, A15: every published event of both shapes is understood. */
START_TEST(test_every_published_event_is_understood)
{
    json_t *index = event_file("index.json"), *row;
    size_t i;

    if (!index) {
        fprintf(stderr, "skipped: no published events beside the project\n");
        return;
    }
    json_array_foreach(sb_json_get(index, "events"), i, row)
    {
        const char *name = sb_json_text(row, "file");
        sb_event_t event;
        if (strncmp(name, "special/", 8) == 0) {
            continue; /* broken on purpose; the webhook's tests post them */
        }
        json_t *json = event_file(name);
        ck_assert_msg(json != NULL, "%s", name);
        ck_assert_int_eq(sb_event_parse(&event, &result, json, sb_unit_pool), SB_OK);
        ck_assert_str_eq(event.id, sb_json_text(row, "event"));
        ck_assert_str_eq(event.type, sb_json_text(row, "type"));
        ck_assert_int_eq(event.created, sb_json_int(row, "created", -1));
        if (event.kind) {
            read_object(&event);
        }
        json_decref(json);
    }
    json_decref(index);
}
END_TEST

/* Plays a story's subscription events; what is open after each is compared with words. */
typedef struct step_t {
    const char *file;
    const char *plan; /* NULL: closed */
} step_t;

static void play(const char *story, const step_t steps[], int n)
{
    const sb_catalog_t *catalog = catalogue();
    sb_subscription_t *stored = NULL;

    for (int i = 0; i < n; i++) {
        json_t *json =
            event_file(apr_pstrcat(sb_unit_pool, story, "/", steps[i].file, NULL));
        sb_subscription_t *sub = apr_pcalloc(sb_unit_pool, sizeof(*sub));
        sb_event_t event;

        if (!json) {
            fprintf(stderr, "skipped: no published events beside the project\n");
            return;
        }
        ck_assert_int_eq(sb_event_parse(&event, &result, json, sb_unit_pool), SB_OK);
        ck_assert_int_eq(sb_event_subscription(sub, &result, event.object, sb_unit_pool),
                         SB_OK);
        sub->event_created = event.created;
        sb_subscription_map(sub, catalog, NULL, NULL);
        sb_order_hints_t hints = {
            .created_event = strcmp(event.type, "customer.subscription.created") == 0,
            .follows = stored && sb_event_follows(&event, stored)};
        ck_assert_msg(sb_subscription_order(stored, sub, hints) == SB_ORDER_APPLY, "%s",
                      steps[i].file);
        sb_subscription_inherit(sub, stored, sub->event_created);
        stored = sub;

        sb_grant_t grant = {.plan = sub->plan ? sb_catalog_plan(catalog, sub->plan)->index
                                              : -1,
                            .standing = sb_subscription_standing(sub, NULL)};
        sb_snapshot_t snapshot = {.account_known = true, .grants = &grant, .n = 1};
        sb_requirement_t any = {.any = true};
        sb_verdict_t verdict =
            sb_entitlement_decide(catalog, &snapshot, &any, event.created, 0);
        ck_assert_msg(verdict.granted == (steps[i].plan != NULL), "%s", steps[i].file);
        if (steps[i].plan) {
            ck_assert_str_eq(catalog->plans[verdict.plan].key, steps[i].plan);
        }
        json_decref(json);
    }
}

/* A16, A48, A50: a subscriber's story in the newest shape, access after each event. */
START_TEST(test_the_newest_story_opens_and_closes_as_it_should)
{
    static const step_t steps[] = {
        {"11-customer.subscription.created-trialing.json", "basic"},
        {"18-customer.subscription.updated-trial-to-active.json", "basic"},
        {"30-customer.subscription.updated-upgrade.json", "pro"},
        {"43-customer.subscription.updated-past_due.json", NULL},
        {"47-customer.subscription.updated-recovered.json", "pro"},
        {"50-customer.subscription.updated-cancel-at-period-end.json", "pro"},
        {"51-customer.subscription.deleted.json", NULL},
    };

    play("newest", steps, (int)(sizeof(steps) / sizeof(steps[0])));
}
END_TEST

/* A16, B23: the same before basil. */
START_TEST(test_the_old_story_opens_and_closes_as_it_should)
{
    static const step_t steps[] = {
        {"11-customer.subscription.created-trialing.json", "basic"},
        {"18-customer.subscription.updated-trial-to-active.json", "basic"},
        {"30-customer.subscription.updated-upgrade.json", "pro"},
        {"43-customer.subscription.updated-past_due.json", NULL},
        {"50-customer.subscription.updated-cancel-at-period-end.json", "pro"},
        {"51-customer.subscription.deleted.json", NULL},
    };

    play("pre-basil-2023-10-16", steps, (int)(sizeof(steps) / sizeof(steps[0])));
}
END_TEST

Suite *story_suite(void)
{
    Suite *suite = suite_create("story");
    TCase *tcase = sb_unit_case("story");

    tcase_add_test(tcase, test_every_published_event_is_understood);
    tcase_add_test(tcase, test_the_newest_story_opens_and_closes_as_it_should);
    tcase_add_test(tcase, test_the_old_story_opens_and_closes_as_it_should);
    suite_add_tcase(suite, tcase);
    return suite;
}
