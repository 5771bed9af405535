/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/* Events in every order: the published stories forwards, backwards and doubled, and all permutations of the six
 * events around a sign-up and around an end. What the tables say afterwards is always the same. */
#include "story_fixture.h"
#include "unit.h"

#include <apr_strings.h>
#include <string.h>

#define EMPTY_LIST "{'object':'list','data':[],'has_more':false,'url':'/v1/x'}"

static const char catalogue[] =
    "{'currency':'eur','plans':["
    "{'plan':'basic','name':'Basic','rank':10,'prices':[{'interval':'month',"
    "'amount':900,'lookup_key':'basic_monthly'}]},"
    "{'plan':'pro','name':'Pro','rank':20,'prices':[{'interval':'month',"
    "'amount':2900,'lookup_key':'pro_monthly'}]}]}";

/* What must be there at the end: the WHERE of a table, and how many rows. */
typedef struct ending_t {
    const char *rows;
    const char *n;
} ending_t;

static const struct {
    const char *folder;
    ending_t endings[20];
} stories[] = {
    {"newest",
     {{"subscription WHERE status = 'canceled' AND user_name = 'zoe' AND plan = 'pro' "
       "AND "
       "ended_at > 0",
       "1"},
      {"customer WHERE gone_at = 1800435600 AND user_name = 'zoe' AND email IS NOT NULL "
       "AND "
       "name IS NOT NULL",
       "1"},
      {"payment WHERE kind = 'invoice' AND status = 'succeeded'", "3"},
      {"payment WHERE kind = 'invoice' AND amount IN (900, 1333, 2900)", "3"},
      {"payment WHERE kind = 'intent' AND status = 'succeeded'", "1"},
      {"payment WHERE kind = 'intent' AND status = 'failed' AND failure_code = "
       "'card_declined'",
       "1"},
      {"payment WHERE kind = 'checkout'", "0"},
      {"invoice_payment WHERE payment = 'pi_1SbZoeCycle1Payment0001' AND id IS NOT NULL",
       "1"},
      {"payment_method WHERE last4 = '4242' AND detached_at = 0", "1"},
      {"entitlement", "0"},
      {"customer WHERE entitlements_at = 1800090002", "1"},
      {"trial WHERE user_name = 'zoe' AND used_at = 1793610000", "1"},
      {"invoice WHERE status = 'paid'", "4"},
      {"price WHERE plan = 'pro'", "1"},
      {"price WHERE active = 0", "1"}}},
    {"newest-onetime",
     {{"payment WHERE kind = 'checkout' AND user_name = 'carol' AND status = 'succeeded'",
       "1"},
      {"payment WHERE kind = 'checkout' AND user_name = 'dave' AND status = 'failed'",
       "1"},
      {"payment WHERE kind = 'checkout' AND user_name = 'bob' AND status = 'succeeded' "
       "AND "
       "amount = 3800 AND charge = 'ch_1SbBobTokensCharge00001'",
       "1"},
      {"payment", "3"},
      {"subscription", "0"}}},
    {"newest-refunds",
     {{"payment WHERE user_name = 'yuki' AND amount = 12000 AND currency = 'jpy' AND "
       "status "
       "= 'succeeded' AND refunded = 4000",
       "1"},
      {"refund WHERE status = 'succeeded' AND amount = 4000", "1"},
      {"refund WHERE status = 'failed' AND amount = 8000", "1"},
      {"dispute WHERE status = 'lost' AND amount = 3800", "1"},
      {"customer WHERE user_name = 'yuki'", "1"}}},
    {"newest-states",
     {{"subscription WHERE user_name = 'fay' AND status = 'active' AND pause_collection "
       "= "
       "'void'",
       "1"},
      {"subscription WHERE user_name = 'gus' AND status = 'incomplete_expired'", "1"},
      {"subscription WHERE user_name = 'hal' AND status = 'unpaid'", "1"},
      {"subscription WHERE user_name = 'ivy' AND status = 'active' AND plan = 'basic' "
       "AND "
       "cancel_at = 1796202000 AND cancel_at_period_end = 0",
       "1"},
      {"invoice WHERE status = 'void'", "1"},
      {"invoice WHERE status = 'uncollectible'", "1"},
      {"payment", "0"}}},
    {"pre-basil-2023-10-16",
     {{"subscription WHERE status = 'canceled' AND user_name = 'zoe' AND plan = 'pro'",
       "1"},
      {"customer WHERE gone_at = 1706086800 AND user_name = 'zoe'", "1"},
      {"payment WHERE kind = 'invoice' AND status = 'succeeded'", "3"},
      {"payment WHERE kind = 'intent' AND status = 'succeeded'", "1"},
      {"invoice_payment WHERE payment = 'pi_1PoZoeCycle1Payment0001'", "1"},
      {"invoice_payment", "3"},
      {"trial WHERE user_name = 'zoe'", "1"}}},
};
#define STORIES ((int)(sizeof(stories) / sizeof(*stories)))

enum { FORWARDS, BACKWARDS, DOUBLED, BACKWARDS_DOUBLED, WAYS };

static void setup(void)
{
    service_setup();
    store_in_memory();
}

static void play(const story_t *story, int way)
{
    for (int i = 0; i < story->n; i++) {
        bool back = way == BACKWARDS || way == BACKWARDS_DOUBLED;
        const char *body = story->bodies[back ? story->n - 1 - i : i];
        story_deliver(body);
        if (way == DOUBLED || way == BACKWARDS_DOUBLED) {
            ck_assert_str_eq(story_deliver(body), "duplicate");
        }
    }
}

/* Too long for the test's own message. */
static void assert_same(const char *dump, const char *other)
{
    if (strcmp(dump, other) != 0) {
        fprintf(stderr, "%s\nis not\n%s", dump, other);
    }
    ck_assert_msg(strcmp(dump, other) == 0, "the tables differ");
}

static void assert_ending(int which, int way)
{
    for (const ending_t *end = stories[which].endings; end->rows; end++) {
        const char *n = service_count(end->rows);
        if (strcmp(n, end->n) != 0) {
            fprintf(stderr, "%s", story_dump());
        }
        ck_assert_msg(strcmp(n, end->n) == 0, "%s, way %d: %s rows of %s",
                      stories[which].folder, way, n, end->rows);
    }
}

/* A51, F18, T07, C27, E16, E20: as index.json says, in delivery order, in reverse and doubled; what is left
 * open is settled by what Stripe says, here that the disputed payment paid no invoice. */
START_TEST(test_each_published_story_ends_the_same_in_any_order)
{
    const scripted_answer_t nothing = service_answer(200, EMPTY_LIST);
    const char *first = NULL;
    story_t story;

    if (!service_on(_i / STORIES)) {
        return;
    }
    int which = _i % STORIES;
    service_with(&nothing, 1);
    service_catalog(catalogue);
    if (!story_load(&story, stories[which].folder)) {
        fprintf(stderr, "skipped: no published events beside the project\n");
        return;
    }
    for (int way = 0; way < WAYS; way++) {
        play(&story, way);
        service_work();
        ck_assert_str_eq(service_count("job"), "0");
        ck_assert_str_eq(service_count("event WHERE state IN ('failed', 'received')"),
                         "0");
        assert_ending(which, way);
        const char *dump = story_dump();
        first = first ? first : dump;
        assert_same(dump, first);
        story_clear();
    }
}
END_TEST

/* --- six events in 720 orders ---------------------------------------------------------------------- */

#define EVENTS 6

static const char *const *events;
static const char *expected;
static int orders, plays;

static void play_order(const int order[])
{
    for (int i = 0; i < EVENTS; i++) {
        story_deliver(events[order[i]]);
    }
    const char *dump = story_dump();
    expected = expected ? expected : dump;
    assert_same(dump, expected);
    plays++;
    story_clear();
}

static void permute(int order[], int n)
{
    if (n == 1) {
        if (orders++ % store_stride() == 0) {
            play_order(order);
        }
        return;
    }
    for (int i = 0; i < n; i++) {
        int last = order[n - 1];
        order[n - 1] = order[i];
        order[i] = last;
        permute(order, n - 1);
        order[i] = order[n - 1];
        order[n - 1] = last;
    }
}

static void play_all(const char *const six[])
{
    int order[EVENTS] = {0, 1, 2, 3, 4, 5};

    events = six;
    expected = NULL;
    plays = orders = 0;
    permute(order, EVENTS);
    ck_assert_int_eq(orders, 720);
    ck_assert_int_eq(plays, 720 / store_stride());
}

static const char *customer(const char *email)
{
    return service_json("{'id':'cus_1','object':'customer','livemode':false,'created':1,"
                        "'email':'%s','name':'Zoe','metadata':{'subbill_user':'zoe'}}",
                        email);
}

static const char *invoice(void)
{
    return service_json(
        "{'id':'in_1','object':'invoice','livemode':false,'customer':'cus_1','status':"
        "'paid','currency':'eur','amount_due':900,'amount_paid':900,'amount_remaining':0,"
        "'total':900,'attempt_count':1,'created':1,'billing_reason':'subscription_create'"
        ","
        "'parent':{'type':'subscription_details','subscription_details':{'subscription':"
        "'sub_1'}},'status_transitions':{'paid_at':1793610000}}");
}

static const char *intent(void)
{
    return service_json(
        "{'id':'pi_1','object':'payment_intent','livemode':false,'amount':900,"
        "'amount_received':900,'currency':'eur','status':'succeeded','customer':'cus_1',"
        "'latest_charge':'ch_1','created':1}");
}

static const char *session(void)
{
    return service_json(
        "{'id':'cs_1','object':'checkout.session','mode':'subscription','livemode':false,"
        "'status':'complete','payment_status':'paid','customer':'cus_1','subscription':"
        "'sub_1','invoice':'in_1','metadata':{'subbill_user':'zoe'},'currency':'eur',"
        "'amount_total':900,'created':1}");
}

static const char *subscription(const char *status, const char *more)
{
    const char *object =
        service_subscription("sub_1", "cus_1", "zoe", status, PRICE_BASIC);

    return apr_pstrcat(store.pool, "{", service_json("%s", more), object + 1, NULL);
}

/* The previous state goes in front of data's end. */
static const char *after(const char *event, const char *previous)
{
    apr_size_t length = strlen(event);

    ck_assert_str_eq(event + length - 2, "}}");
    return apr_pstrcat(store.pool, apr_pstrmemdup(store.pool, event, length - 2),
                       service_json(",'previous_attributes':%s}}", previous), NULL);
}

/* PERM, F18, T07, A16: the six events around a sign-up; created and updated carry one second, as they do. */
START_TEST(test_every_order_of_a_signup_ends_in_the_same_state)
{
    service_with(NULL, 0);
    const char *paid = subscription("active", "");
    const char *unpaid = subscription("incomplete", "");
    const char *const six[EVENTS] = {
        service_event("evt_1", "customer.created", -4, customer("a@x.test")),
        service_event("evt_2", "payment_intent.succeeded", -1, intent()),
        service_event("evt_3", "customer.subscription.created", 0, unpaid),
        after(service_event("evt_4", "customer.subscription.updated", 0, paid),
              "{'status':'incomplete'}"),
        service_event("evt_5", "invoice.paid", 0, invoice()),
        service_event("evt_6", "checkout.session.completed", 1, session()),
    };

    play_all(six);
    ck_assert_ptr_nonnull(strstr(expected, "status=active"));
    ck_assert_ptr_nonnull(strstr(expected, "kind=intent"));
    ck_assert_ptr_nonnull(strstr(expected, "kind=invoice"));
    ck_assert_ptr_nonnull(strstr(expected, "email=a@x.test"));
}
END_TEST

/* PERM, F18, A50: around an end, with the customer deleted on top. */
START_TEST(test_every_order_of_a_cancellation_ends_in_the_same_state)
{
    service_with(NULL, 0);
    const char *const six[EVENTS] = {
        service_event("evt_1", "customer.subscription.created", -90,
                      subscription("active", "")),
        service_event("evt_2", "invoice.paid", -89, invoice()),
        service_event("evt_3", "customer.subscription.updated", -50,
                      subscription("active", "'cancel_at':1893456000,")),
        service_event("evt_4", "customer.updated", -40, customer("b@x.test")),
        service_event(
            "evt_5", "customer.subscription.deleted", -20,
            subscription("canceled", "'ended_at':1793610000,'canceled_at':1793600000,")),
        service_event("evt_6", "customer.deleted", -10, customer("c@x.test")),
    };

    play_all(six);
    ck_assert_ptr_nonnull(strstr(expected, "status=canceled"));
    ck_assert_ptr_nonnull(strstr(expected, "ended_at=1793610000"));
    ck_assert_ptr_nonnull(strstr(expected, "email=c@x.test"));
}
END_TEST

/* PERM, F18, B9, E20: the customer is deleted, and its subscription never says that it ended; the trial that an
 * old statement tells of is remembered all the same. */
START_TEST(test_every_order_of_a_deletion_ends_in_the_same_state)
{
    service_with(NULL, 0);
    const char *const six[EVENTS] = {
        service_event("evt_1", "customer.created", -99, customer("a@x.test")),
        service_event(
            "evt_2", "customer.subscription.created", -90,
            subscription("trialing", "'trial_start':5,'trial_end':1893456000,")),
        service_event("evt_3", "customer.subscription.updated", -50,
                      subscription("active", "'cancel_at':1893456000,")),
        service_event("evt_4", "invoice.paid", -49, invoice()),
        service_event("evt_5", "payment_intent.succeeded", -49, intent()),
        service_event("evt_6", "customer.deleted", -10, customer("c@x.test")),
    };

    play_all(six);
    ck_assert_ptr_nonnull(strstr(expected, "status=canceled"));
    ck_assert_ptr_nonnull(strstr(expected, "user_name=zoe"));
    ck_assert_ptr_nonnull(strstr(expected, "trial:"));
}
END_TEST

Suite *story_orders_suite(void)
{
    Suite *suite = suite_create("story_orders");
    TCase *tcase = tcase_create("orders");

    tcase_add_checked_fixture(tcase, setup, service_teardown);
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, test_each_published_story_ends_the_same_in_any_order, 0,
                        STORIES * SB_DIALECTS);
    tcase_add_test(tcase, test_every_order_of_a_signup_ends_in_the_same_state);
    tcase_add_test(tcase, test_every_order_of_a_cancellation_ends_in_the_same_state);
    tcase_add_test(tcase, test_every_order_of_a_deletion_ends_in_the_same_state);
    suite_add_tcase(suite, tcase);
    return suite;
}
