/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "base/clock.h"
#include "store/cache.h"
#include "unit.h"

#include <apr_strings.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1793610000, TTL = 60, PLACES = 4 };

/* One bucket: everything competes with everything. */
static struct {
    apr_pool_t *pool;
    sb_epochs_t *epochs;
    sb_cache_t *cache;
} fx;

static void setup(void)
{
    apr_pool_create_unmanaged_ex(&fx.pool, NULL, NULL);
    sb_epochs_open_private(&fx.epochs, fx.pool);
    const sb_cache_options_t options = {.entries = PLACES,
                                        .ttl = apr_time_from_sec(TTL),
                                        .key_max = 190,
                                        .value_size = sizeof(int),
                                        .epochs = fx.epochs};
    ck_assert_int_eq(sb_cache_create(&fx.cache, &options, fx.pool), APR_SUCCESS);
}

static void teardown(void)
{
    apr_pool_destroy(fx.pool);
}

static sb_cache_key_t key_of(const char *user)
{
    sb_cache_key_t key;

    ck_assert(sb_cache_key(&key, fx.cache, user, strlen(user), 0));
    return key;
}

static void put(const char *user, int value, apr_int64_t boundary, bool negative)
{
    sb_cache_key_t key = key_of(user);
    int slot = sb_epoch_slot(user);
    const sb_cache_term_t term = {.slot = slot,
                                  .epoch = sb_epochs_get(fx.epochs, slot),
                                  .now = NOW,
                                  .boundary = boundary,
                                  .negative = negative};

    sb_cache_put(fx.cache, &key, &term, &value);
}

/* The value at that second of the wall clock, so many seconds from now; -1: none. */
static int get_at(const char *user, apr_int64_t now, int seconds)
{
    sb_cache_key_t key = key_of(user);
    int value;

    return sb_cache_get(&value, fx.cache, &key, now,
                        sb_clock_monotonic() + apr_time_from_sec(seconds))
               ? value
               : -1;
}

static int get(const char *user)
{
    return get_at(user, NOW, 0);
}

static int last(const char *user, apr_int64_t now)
{
    sb_cache_key_t key = key_of(user);
    apr_time_t loaded_at;
    int value;

    return sb_cache_last(&value, &loaded_at, fx.cache, &key, now) ? value : -1;
}

/* M7 */
START_TEST(test_a_value_is_kept_for_its_key_and_its_time)
{
    sb_cache_key_t other;
    int value;

    ck_assert_int_eq(get("ann"), -1);
    put("ann", 7, 0, false);
    ck_assert_int_eq(get("ann"), 7);
    ck_assert_int_eq(get("anna"), -1);
    ck_assert(sb_cache_key(&other, fx.cache, "ann", 3, 14));
    ck_assert(!sb_cache_get(&value, fx.cache, &other, NOW, sb_clock_monotonic()));
    ck_assert_int_eq(get_at("ann", NOW, TTL - 2), 7);
    ck_assert_int_eq(get_at("ann", NOW, TTL + 1), -1);
    ck_assert_int_eq(last("ann", NOW), 7);
    put("ann", 8, 0, false);
    ck_assert_int_eq(get("ann"), 8);
    ck_assert(!sb_cache_key(&other, fx.cache, "x", 191, 0));
}
END_TEST

/* T21: whatever changed about the user */
START_TEST(test_a_moved_epoch_voids_it_for_ever)
{
    int slot = sb_epoch_slot("ann");

    put("ann", 7, 0, false);
    sb_epochs_bump(fx.epochs, &slot, 1);
    ck_assert_int_eq(get("ann"), -1);
    ck_assert_int_eq(last("ann", NOW), -1);
}
END_TEST

/* F24: time itself ends it, by the wall clock and, for one that goes back, by the monotonic one */
START_TEST(test_a_boundary_ends_it_to_the_second)
{
    put("ann", 7, NOW + 10, false);
    ck_assert_int_eq(get_at("ann", NOW + 9, 0), 7);
    ck_assert_int_eq(get_at("ann", NOW + 10, 0), -1);
    ck_assert_int_eq(get_at("ann", NOW - 3600, 11), -1);
    ck_assert_int_eq(last("ann", NOW + 10), -1);
    put("bob", 7, NOW - 5, false);
    ck_assert_int_eq(get("bob"), -1);
}
END_TEST

/* T35: a refusal is kept for less */
START_TEST(test_what_opens_nothing_is_kept_for_a_quarter_of_the_time)
{
    put("ann", 0, 0, true);
    ck_assert_int_eq(get_at("ann", NOW, TTL / 4 - 2), 0);
    ck_assert_int_eq(get_at("ann", NOW, TTL / 4 + 1), -1);
}
END_TEST

/* T35: and never takes the place of what opens something, be it old; that takes any place. */
START_TEST(test_strangers_push_nobody_out_who_pays)
{
    static const char *const payers[] = {"ann", "bob", "cid", "dan"};

    for (int i = 0; i < PLACES; i++) {
        put(payers[i], i, 0, false);
    }
    for (int i = 0; i < 100; i++) {
        put(apr_psprintf(fx.pool, "nobody%d", i), 99, 0, true);
    }
    for (int i = 0; i < PLACES; i++) {
        ck_assert_int_eq(get(payers[i]), i);
        ck_assert_int_eq(last(payers[i], NOW), i);
    }
    put("eve", 5, 0, false);
    ck_assert_int_eq(get("eve"), 5);
    ck_assert_int_eq(get("nobody99"), -1);
}
END_TEST

START_TEST(test_whoever_pays_takes_the_place_of_a_stranger)
{
    for (int i = 0; i < PLACES; i++) {
        put(apr_psprintf(fx.pool, "nobody%d", i), 99, 0, true);
    }
    put("ann", 7, 0, false);
    put("bob", 8, 0, false);
    put("nobody9", 99, 0, true);
    ck_assert_int_eq(get("ann"), 7);
    ck_assert_int_eq(get("bob"), 8);
    ck_assert_int_eq(get("nobody9"), 99);
}
END_TEST

/* Four payers whose answers are old at once, and of use for keep seconds more; then a hundred strangers. */
static void expired_payers_and_strangers(int keep, bool voided)
{
    const sb_cache_options_t at_once = {.entries = PLACES,
                                        .keep = apr_time_from_sec(keep),
                                        .key_max = 190,
                                        .value_size = sizeof(int),
                                        .epochs = fx.epochs};

    ck_assert_int_eq(sb_cache_create(&fx.cache, &at_once, fx.pool), APR_SUCCESS);
    for (int i = 0; i < PLACES; i++) {
        const char *user = apr_psprintf(fx.pool, "payer%d", i);
        int slot = sb_epoch_slot(user);
        put(user, i, 0, false);
        sb_epochs_bump(fx.epochs, &slot, voided);
    }
    for (int i = 0; i < 100; i++) {
        put(apr_psprintf(fx.pool, "nobody%d", i), 99, 0, true);
    }
}

/* What is old but not void is what SubbillStale goes by: no stranger may take it. */
START_TEST(test_strangers_take_no_place_that_is_old_but_may_be_needed)
{
    expired_payers_and_strangers(60, false);
    for (int i = 0; i < PLACES; i++) {
        ck_assert_int_eq(last(apr_psprintf(fx.pool, "payer%d", i), NOW), i);
    }
    ck_assert_int_eq(last("nobody99", NOW), -1);
}
END_TEST

/* Else refusals would not be kept any more, once every place was somebody's who has long gone. */
START_TEST(test_strangers_take_what_is_void_or_of_no_use_any_more)
{
    expired_payers_and_strangers(0, false);
    ck_assert_int_eq(last("nobody99", NOW), 99);
    expired_payers_and_strangers(60, true);
    ck_assert_int_eq(last("nobody99", NOW), 99);
}
END_TEST

/* T35, DOS: a million names that nobody knows, in a cache as it is without any directive. Members push each
 * other out where more than four fall into one bucket, which a handful do. */
START_TEST(test_a_million_strangers_leave_the_members_in)
{
    enum { ENTRIES = 4096, MEMBERS = 1000, LEAST = 950 };
    const sb_cache_options_t as_it_comes = {.entries = ENTRIES,
                                            .ttl = apr_time_from_sec(TTL),
                                            .key_max = 190,
                                            .value_size = sizeof(int),
                                            .epochs = fx.epochs};
    int strangers = getenv("SB_VALGRIND") ? 20000 : 1000000;
    int there = 0, refused = 0;
    char name[32];

    ck_assert_int_eq(sb_cache_create(&fx.cache, &as_it_comes, fx.pool), APR_SUCCESS);
    for (int i = 0; i < MEMBERS; i++) {
        apr_snprintf(name, sizeof(name), "member%d", i);
        put(name, i, 0, false);
    }
    for (int i = 0; i < strangers; i++) {
        apr_snprintf(name, sizeof(name), "nobody%d", i);
        put(name, -2, 0, true);
    }
    for (int i = 0; i < MEMBERS; i++) {
        apr_snprintf(name, sizeof(name), "member%d", i);
        int value = get(name);
        ck_assert(value == i || value == -1);
        there += value == i;
        apr_snprintf(name, sizeof(name), "nobody%d", strangers - 1 - i);
        refused += get(name) == -2;
    }
    ck_assert_int_ge(there, LEAST);
    ck_assert_int_ge(refused, MEMBERS / 2); /* the places that are left are used */
}
END_TEST

/* --- one asks for all --------------------------------------------------------------------------- */

enum { WAITERS = 8 };

typedef struct {
    sb_cache_claim_e outcome;
    apr_time_t deadline;
    sb_cache_claim_t claim;
} waiter_t;

static void *wait_for_ann(void *data)
{
    waiter_t *waiter = data;
    sb_cache_key_t key = key_of("ann");

    waiter->outcome = sb_cache_claim(&waiter->claim, fx.cache, &key, waiter->deadline);
    return NULL;
}

/* Several claim while ann is claimed; each is told this once the claim was given back, or, when it is held
 * on to, after wait_ms. */
static void assert_waiters_hear(bool given_back, bool loaded, int wait_ms,
                                sb_cache_claim_e told)
{
    sb_cache_key_t key = key_of("ann");
    waiter_t waiters[WAITERS];
    pthread_t threads[WAITERS];
    sb_cache_claim_t mine;
    apr_time_t until = sb_clock_monotonic() + apr_time_from_msec(wait_ms);

    ck_assert_int_eq(sb_cache_claim(&mine, fx.cache, &key, until), SB_CACHE_YOURS);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (waiter_t){.deadline = until};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_ann, &waiters[i]), 0);
    }
    apr_sleep(apr_time_from_msec(200));
    if (given_back) {
        sb_cache_unclaim(&mine, fx.cache, loaded);
    }
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(waiters[i].outcome, told);
    }
    if (!given_back) {
        sb_cache_unclaim(&mine, fx.cache, loaded);
    }
}

/* T35: of many who miss at once one asks; the others look again, or hear that there was no answer */
START_TEST(test_of_many_who_miss_one_asks_for_all)
{
    assert_waiters_hear(true, true, 20000, SB_CACHE_AGAIN);
    assert_waiters_hear(true, false, 20000, SB_CACHE_FAILED);
    assert_waiters_hear(true, true, 20000, SB_CACHE_AGAIN);
}
END_TEST

/* F04: nobody waits longer than his deadline for one who does not return */
START_TEST(test_nobody_waits_for_ever_for_the_one_who_asks)
{
    assert_waiters_hear(false, true, 50, SB_CACHE_FAILED);
}
END_TEST

START_TEST(test_claims_of_others_are_none_of_ours)
{
    sb_cache_key_t ann = key_of("ann"), bob = key_of("bob");
    sb_cache_claim_t one, two;
    apr_time_t until = sb_clock_monotonic() + apr_time_from_msec(50);

    ck_assert_int_eq(sb_cache_claim(&one, fx.cache, &ann, until), SB_CACHE_YOURS);
    ck_assert_int_eq(sb_cache_claim(&two, fx.cache, &bob, until), SB_CACHE_YOURS);
    sb_cache_unclaim(&one, fx.cache, false);
    sb_cache_unclaim(&two, fx.cache, true);
    ck_assert_int_eq(sb_cache_claim(&one, fx.cache, &ann, until), SB_CACHE_YOURS);
    sb_cache_unclaim(&one, fx.cache, true);
}
END_TEST

Suite *store_cache_suite(void)
{
    Suite *suite = suite_create("store_cache");
    TCase *tcase = tcase_create("cache");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, test_a_value_is_kept_for_its_key_and_its_time);
    tcase_add_test(tcase, test_a_moved_epoch_voids_it_for_ever);
    tcase_add_test(tcase, test_a_boundary_ends_it_to_the_second);
    tcase_add_test(tcase, test_what_opens_nothing_is_kept_for_a_quarter_of_the_time);
    tcase_add_test(tcase, test_strangers_push_nobody_out_who_pays);
    tcase_add_test(tcase, test_whoever_pays_takes_the_place_of_a_stranger);
    tcase_add_test(tcase, test_strangers_take_no_place_that_is_old_but_may_be_needed);
    tcase_add_test(tcase, test_strangers_take_what_is_void_or_of_no_use_any_more);
    tcase_add_test(tcase, test_a_million_strangers_leave_the_members_in);
    tcase_add_test(tcase, test_of_many_who_miss_one_asks_for_all);
    tcase_add_test(tcase, test_nobody_waits_for_ever_for_the_one_who_asks);
    tcase_add_test(tcase, test_claims_of_others_are_none_of_ours);
    suite_add_tcase(suite, tcase);
    return suite;
}
