/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "unit.h"

#include "domain/entitlement.h"
#include "domain/thing.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define NOW 1793610000
#define DAY 86400

static const char catalogue_text[] =
    "{'currency':'eur','plans':["
    "{'plan':'free','name':'Free','group':'club','rank':0,'free':true,'default':true,"
    " 'entitlements':['forum']},"
    "{'plan':'basic','name':'Basic','group':'club','rank':10,"
    " 'entitlements':['down'],"
    " 'prices':[{'interval':'month','amount':900,'lookup_key':'basic'}]},"
    "{'plan':'pro','name':'Pro','group':'club','rank':20,"
    " 'entitlements':['down','lab'],"
    " 'prices':[{'interval':'month','amount':2900,'lookup_key':'pro'}]},"
    "{'plan':'video','name':'Video','group':'video','rank':5,"
    " 'prices':[{'interval':'month','amount':500,'lookup_key':'video'}]},"
    "{'plan':'founder','name':'Founder','group':'loom','rank':1,'early_access':true}]}";

enum { FREE, BASIC, PRO, VIDEO, FOUNDER };

static const sb_catalog_t *catalogue(void)
{
    json_t *json = sb_unit_json(catalogue_text);
    char *text = json_dumps(json, 0);
    sb_catalog_t *catalog;
    sb_result_t result;

    ck_assert_msg(sb_catalog_parse(&catalog, &result, text, strlen(text), sb_unit_pool) ==
                      SB_OK,
                  "%s", result.message);
    free(text);
    json_decref(json);
    return catalog;
}

static sb_requirement_t asks(const sb_catalog_t *catalog, const char *a, const char *b)
{
    const char *words[] = {a, b};
    sb_requirement_t requirement;

    ck_assert_int_eq(sb_requirement_parse(&requirement, NULL, catalog,
                                          !a  ? 0
                                          : b ? 2
                                              : 1,
                                          words, sb_unit_pool),
                     SB_OK);
    return requirement;
}

static sb_grant_t grant(int plan, sb_subscription_status_e status)
{
    return (sb_grant_t){
        .plan = plan,
        .standing = {.status = status, .current_period_end = NOW + 20 * DAY}};
}

static sb_verdict_t decide(const sb_grant_t *grants, int n, const char *word,
                           int grace_days)
{
    const sb_catalog_t *catalog = catalogue();
    sb_snapshot_t snapshot = {.account_known = true, .grants = grants, .n = n};
    sb_requirement_t requirement = asks(catalog, word, NULL);

    return sb_entitlement_decide(catalog, &snapshot, &requirement, NOW, grace_days);
}

/* M7, B7: for every plan held and every door asked. */
START_TEST(test_a_plan_opens_its_own_door_and_lower_ones_of_its_group)
{
    static const char *const doors[] = {"any", "free",  "basic",
                                        "pro", "video", "founder"};
    static const struct {
        int held;
        const char *opens; /* one letter per door */
    } rows[] = {
        {BASIC, "yyy..y"},
        {PRO, "yyyy.y"},
        {VIDEO, "yy..yy"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sb_grant_t held = grant(rows[i].held, SB_STATUS_ACTIVE);
        for (int d = 0; d < 6; d++) {
            sb_verdict_t verdict = decide(&held, 1, doors[d], 0);
            ck_assert_msg(verdict.granted == (rows[i].opens[d] == 'y'), "plan %d at %s",
                          rows[i].held, doors[d]);
            ck_assert_int_eq(verdict.granted, verdict.reason == SB_REASON_OK);
        }
    }
}
END_TEST

/* M7: too low is said only where something of that group is paid. */
START_TEST(test_a_refusal_says_what_is_missing)
{
    sb_grant_t basic = grant(BASIC, SB_STATUS_ACTIVE);
    sb_grant_t video = grant(VIDEO, SB_STATUS_ACTIVE);
    sb_grant_t late = grant(PRO, SB_STATUS_PAST_DUE);
    sb_grant_t gone = grant(PRO, SB_STATUS_CANCELED);
    sb_grant_t odd = grant(-1, SB_STATUS_ACTIVE);
    sb_grant_t odd_gone = grant(-1, SB_STATUS_CANCELED);
    sb_grant_t late_video = grant(VIDEO, SB_STATUS_PAST_DUE);

    ck_assert_int_eq(decide(&basic, 1, "pro", 0).reason, SB_REASON_PLAN_TOO_LOW);
    ck_assert_int_eq(decide(&basic, 1, "pro", 0).plan, BASIC);
    ck_assert_int_eq(decide(&video, 1, "pro", 0).reason, SB_REASON_NO_SUBSCRIPTION);
    ck_assert_int_eq(decide(&late, 1, "pro", 0).reason, SB_REASON_PAST_DUE);
    ck_assert_int_eq(decide(&late, 1, "basic", 0).reason, SB_REASON_PAST_DUE);
    ck_assert_int_eq(decide(&late, 1, "any", 0).reason, SB_REASON_PAST_DUE);
    ck_assert_int_eq(decide(&gone, 1, "pro", 0).reason, SB_REASON_ENDED);
    ck_assert_int_eq(decide(&odd, 1, "pro", 0).reason, SB_REASON_UNMAPPED_PRICE);
    ck_assert_int_eq(decide(&odd, 1, "any", 0).reason, SB_REASON_UNMAPPED_PRICE);
    ck_assert_int_eq(decide(&odd_gone, 1, "any", 0).reason, SB_REASON_ENDED);
    ck_assert_int_eq(decide(&late_video, 1, "pro", 0).reason, SB_REASON_NO_SUBSCRIPTION);
    ck_assert_int_eq(decide(NULL, 0, "pro", 0).reason, SB_REASON_NO_SUBSCRIPTION);

    sb_grant_t both[] = {gone, basic};
    ck_assert_int_eq(decide(both, 2, "pro", 0).reason, SB_REASON_PLAN_TOO_LOW);
    both[0] = late;
    ck_assert_int_eq(decide(both, 2, "pro", 0).reason, SB_REASON_PAST_DUE);
    ck_assert(decide(both, 2, "basic", 0).granted);
}
END_TEST

/* M7 */
START_TEST(test_a_stranger_is_told_so)
{
    const sb_catalog_t *catalog = catalogue();
    sb_snapshot_t nobody = {.account_known = false};
    sb_requirement_t any = asks(catalog, NULL, NULL);
    sb_verdict_t verdict = sb_entitlement_decide(catalog, &nobody, &any, NOW, 0);

    ck_assert(any.any);
    ck_assert(!verdict.granted);
    ck_assert_int_eq(verdict.reason, SB_REASON_NO_ACCOUNT);
}
END_TEST

/* A9, E4: free plans are held without buying, but are no subscription. */
START_TEST(test_default_plans_open_only_doors_that_name_them)
{
    ck_assert(decide(NULL, 0, "free", 0).granted);
    ck_assert_int_eq(decide(NULL, 0, "free", 0).plan, FREE);
    ck_assert(decide(NULL, 0, "founder", 0).granted);
    ck_assert(!decide(NULL, 0, "any", 0).granted);
    ck_assert(!decide(NULL, 0, "basic", 0).granted);

    /* Who has lost his plan is back on the free one. */
    sb_grant_t gone = grant(PRO, SB_STATUS_CANCELED);
    ck_assert(decide(&gone, 1, "free", 0).granted);
}
END_TEST

/* E4: an operator's grant is an active standing with an end. */
START_TEST(test_an_operators_grant_opens_until_its_end)
{
    sb_grant_t gift = {.plan = PRO,
                       .standing = {.status = SB_STATUS_ACTIVE, .cancel_at = NOW + DAY}};
    sb_verdict_t verdict = decide(&gift, 1, "any", 0);

    ck_assert(verdict.granted);
    ck_assert_int_eq(verdict.boundary, NOW + DAY);
    gift.standing.cancel_at = NOW;
    ck_assert(!decide(&gift, 1, "any", 0).granted);
}
END_TEST

/* A16 */
START_TEST(test_grace_and_the_earliest_boundary_reach_the_verdict)
{
    sb_grant_t grants[] = {grant(BASIC, SB_STATUS_PAST_DUE),
                           grant(VIDEO, SB_STATUS_ACTIVE)};

    grants[0].standing.past_due_since = NOW - DAY;
    grants[1].standing.cancel_at_period_end = true;
    ck_assert(!decide(grants, 2, "basic", 1).granted);
    sb_verdict_t verdict = decide(grants, 2, "basic", 2);
    ck_assert(verdict.granted);
    ck_assert_int_eq(verdict.boundary, NOW + DAY);
    ck_assert_int_eq(decide(&grants[1], 1, "video", 0).boundary, NOW + 20 * DAY);
}
END_TEST

/* M7, B30: nothing but the two statuses opens any door. */
START_TEST(test_no_other_status_opens_anything)
{
    static const char *const doors[] = {"any", "basic", "pro", "video"};

    for (int status = SB_STATUS_UNKNOWN; status <= SB_STATUS_CANCELED + 3; status++) {
        sb_grant_t held = grant(PRO, (sb_subscription_status_e)status);
        bool good = status == SB_STATUS_ACTIVE || status == SB_STATUS_TRIALING;
        for (int d = 0; d < 3; d++) {
            ck_assert_int_eq(decide(&held, 1, doors[d], 3650).granted, good);
        }
    }
    sb_grant_t outside = grant(64, SB_STATUS_ACTIVE);
    ck_assert(!decide(&outside, 1, "any", 0).granted);
    outside.plan = -7;
    ck_assert(!decide(&outside, 1, "any", 0).granted);
}
END_TEST

/* A10: a gate that names an unknown plan is found at start. */
START_TEST(test_unknown_plans_in_a_gate_are_named)
{
    const sb_catalog_t *catalog = catalogue();
    const char *words[] = {"basic", "gold"};
    sb_requirement_t requirement;
    sb_result_t result;

    ck_assert_int_eq(
        sb_requirement_parse(&requirement, &result, catalog, 2, words, sb_unit_pool),
        SB_INVALID);
    ck_assert_str_eq(result.code, "unknown_plan");
    ck_assert_ptr_nonnull(strstr(result.message, "\"gold\""));
    ck_assert_ptr_nonnull(strstr(result.hint, "any, free, basic, pro"));
    ck_assert_int_eq(
        sb_requirement_parse(&requirement, &result, NULL, 1, words, sb_unit_pool),
        SB_INVALID);

    requirement = asks(catalog, "ANY", "pro");
    ck_assert(requirement.any);
    ck_assert_int_eq(requirement.named_n, 1);
    ck_assert(requirement.plans == (apr_uint64_t)1 << PRO);
    requirement = asks(catalog, "basic", NULL);
    ck_assert(requirement.plans == ((apr_uint64_t)1 << BASIC | (apr_uint64_t)1 << PRO));
}
END_TEST

/* E21: an application is told the status by which the best of several subscriptions opens. */
START_TEST(test_the_status_of_a_plan_is_that_of_its_best_subscription)
{
    sb_grant_t active = grant(BASIC, SB_STATUS_ACTIVE);
    sb_grant_t trial = grant(BASIC, SB_STATUS_TRIALING);
    sb_grant_t late = grant(BASIC, SB_STATUS_PAST_DUE);
    sb_grant_t gone = grant(BASIC, SB_STATUS_CANCELED);
    late.standing.past_due_since = NOW - DAY;
    const struct {
        sb_grant_t grants[3];
        int n;
        sb_subscription_status_e told;
    } rows[] = {
        {{active}, 1, SB_STATUS_ACTIVE},
        {{trial}, 1, SB_STATUS_TRIALING},
        {{late}, 1, SB_STATUS_PAST_DUE},
        {{late, trial}, 2, SB_STATUS_TRIALING},
        {{trial, late}, 2, SB_STATUS_TRIALING},
        {{active, late}, 2, SB_STATUS_ACTIVE},
        {{late, active}, 2, SB_STATUS_ACTIVE},
        {{trial, active, late}, 3, SB_STATUS_ACTIVE},
        {{active, trial}, 2, SB_STATUS_ACTIVE},
        {{gone, trial}, 2, SB_STATUS_TRIALING},
        {{gone}, 1, SB_STATUS_UNKNOWN},
        {{gone}, 0, SB_STATUS_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sb_snapshot_t snapshot = {
            .account_known = true, .grants = rows[i].grants, .n = rows[i].n};
        sb_holding_t holding = sb_entitlement_hold(catalogue(), &snapshot, NOW, 3);
        ck_assert_msg(sb_holding_status(&holding, BASIC) == rows[i].told, "row %zu", i);
        ck_assert_int_eq(sb_holding_status(&holding, FREE), SB_STATUS_UNKNOWN);
        ck_assert_int_eq(sb_holding_status(&holding, -1), SB_STATUS_UNKNOWN);
    }
}
END_TEST

static sb_requirement_t asks_key(const sb_catalog_t *catalog, const char *key)
{
    int number = sb_catalog_key(catalog, key);

    return (sb_requirement_t){.by_key = true,
                              .keys = number < 0 ? 0 : (apr_uint64_t)1 << number};
}

static sb_verdict_t decide_key(const sb_grant_t *grants, int n, const char *stripes,
                               const char *key)
{
    const sb_catalog_t *catalog = catalogue();
    sb_snapshot_t snapshot = {.account_known = true,
                              .grants = grants,
                              .n = n,
                              .entitlements = &stripes,
                              .entitlements_n = stripes ? 1 : 0};
    sb_requirement_t requirement = asks_key(catalog, key);

    return sb_entitlement_decide(catalog, &snapshot, &requirement, NOW, 0);
}

/* E21 */
START_TEST(test_a_feature_is_held_by_a_plan_or_by_stripes_word_for_who_pays)
{
    sb_grant_t basic = grant(BASIC, SB_STATUS_ACTIVE);
    sb_grant_t late = grant(PRO, SB_STATUS_PAST_DUE);
    sb_grant_t gone = grant(PRO, SB_STATUS_CANCELED);
    sb_grant_t both[] = {basic, late};

    ck_assert(decide_key(&basic, 1, NULL, "down").granted);
    ck_assert(decide_key(NULL, 0, NULL, "forum").granted);
    ck_assert(!decide_key(&basic, 1, NULL, "forum").granted);
    ck_assert(decide_key(&basic, 1, "lab", "lab").granted);
    ck_assert(!decide_key(NULL, 0, "lab", "lab").granted);
    ck_assert(!decide_key(&gone, 1, "lab", "lab").granted);

    ck_assert_int_eq(decide_key(&basic, 1, NULL, "lab").reason, SB_REASON_NO_ENTITLEMENT);
    ck_assert_int_eq(decide_key(both, 2, NULL, "lab").reason, SB_REASON_PAST_DUE);
    ck_assert_int_eq(decide_key(&late, 1, NULL, "lab").reason, SB_REASON_PAST_DUE);
    ck_assert_int_eq(decide_key(&gone, 1, NULL, "lab").reason, SB_REASON_ENDED);
    ck_assert_int_eq(decide_key(NULL, 0, NULL, "lab").reason, SB_REASON_NO_SUBSCRIPTION);
    ck_assert_int_eq(decide_key(&basic, 1, "other", "other").reason,
                     SB_REASON_NO_ENTITLEMENT);
}
END_TEST

/* E21: a key that the configuration does not name is asked for by itself, if anything could come of it */
START_TEST(test_of_a_key_without_a_bit_the_holding_is_unsure_for_who_pays)
{
    const sb_catalog_t *catalog = catalogue();
    sb_grant_t basic = grant(BASIC, SB_STATUS_ACTIVE);
    sb_snapshot_t paid = {.grants = &basic, .n = 1}, nothing = {.n = 0};
    sb_holding_t payer = sb_entitlement_hold(catalog, &paid, NOW, 0);
    sb_holding_t stranger = sb_entitlement_hold(catalog, &nothing, NOW, 0);
    bool unsure;

    ck_assert(sb_entitlement_has(&unsure, catalog, &payer, "down") && !unsure);
    ck_assert(!sb_entitlement_has(&unsure, catalog, &payer, "lab") && !unsure);
    ck_assert(!sb_entitlement_has(&unsure, catalog, &payer, "other") && unsure);
    ck_assert(!sb_entitlement_has(&unsure, catalog, &stranger, "other") && !unsure);
}
END_TEST

/* E21: there are bits for 64 keys; what the catalogue says of more is known all the same */
START_TEST(test_more_keys_than_bits_are_held_all_the_same)
{
    const char *list = "", *other = "";
    sb_catalog_t *catalog;
    sb_result_t result;
    bool unsure;

    for (int i = 0; i < 40; i++) {
        list = apr_psprintf(sb_unit_pool, "%s%s\"a%d\"", list, i ? "," : "", i);
        other = apr_psprintf(sb_unit_pool, "%s%s\"b%d\"", other, i ? "," : "", i);
    }
    const char *text = apr_psprintf(sb_unit_pool,
                                    "{\"currency\":\"eur\",\"plans\":[{\"plan\":\"a\","
                                    "\"name\":\"A\",\"rank\":1,\"contact\":\"/a\","
                                    "\"entitlements\":[%s]},{\"plan\":\"b\",\"name\":"
                                    "\"B\",\"rank\":2,\"contact\":\"/b\","
                                    "\"entitlements\":[%s,\"last\"]}]}",
                                    list, other);
    ck_assert_msg(sb_catalog_parse(&catalog, &result, text, strlen(text), sb_unit_pool) ==
                      SB_OK,
                  "%s", result.message);
    ck_assert_int_eq(catalog->keys_n, SB_CATALOG_KEYS_MAX);
    ck_assert_int_eq(sb_catalog_key(catalog, "last"), -1);
    ck_assert_int_eq(sb_catalog_key_add(catalog, "last"), -1);
    sb_grant_t b = grant(1, SB_STATUS_ACTIVE);
    sb_snapshot_t snapshot = {.grants = &b, .n = 1};
    sb_holding_t holding = sb_entitlement_hold(catalog, &snapshot, NOW, 0);
    ck_assert(sb_entitlement_has(&unsure, catalog, &holding, "last"));
    ck_assert(sb_entitlement_has(&unsure, catalog, &holding, "b3"));
    ck_assert(!sb_entitlement_has(&unsure, catalog, &holding, "a3") && !unsure);
}
END_TEST

/* B30 */
START_TEST(test_keys_and_units_are_what_they_are_said_to_be)
{
    static const char *const good[] = {"a", "course:7", "two words", "\xc3\xbc",
                                       "a\"b;--"};
    static const char *const bad[] = {"", "a\nb", "a\tb", "\x7f", "\xc3", "\xff"};
    char longest[SB_THING_KEY_MAX + 2];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ck_assert_msg(sb_thing_key_fits(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        ck_assert_msg(!sb_thing_key_fits(bad[i]), "%zu", i);
    }
    memset(longest, 'k', sizeof(longest));
    longest[SB_THING_KEY_MAX + 1] = '\0';
    ck_assert(!sb_thing_key_fits(longest));
    ck_assert(sb_thing_key_fits(longest + 1));
    ck_assert_int_eq(sb_thing_units("0"), 0);
    ck_assert_int_eq(sb_thing_units("999999999999999"), 999999999999999);
    ck_assert_int_eq(sb_thing_units("1000000000000000"), -1);
    ck_assert_int_eq(sb_thing_units(""), -1);
    ck_assert_int_eq(sb_thing_units("-1"), -1);
    ck_assert_int_eq(sb_thing_units("1.5"), -1);
    ck_assert_int_eq(sb_thing_units(" 1"), -1);
}
END_TEST

Suite *entitlement_suite(void)
{
    Suite *suite = suite_create("entitlement");
    TCase *tcase = sb_unit_case("entitlement");

    tcase_add_test(tcase, test_a_plan_opens_its_own_door_and_lower_ones_of_its_group);
    tcase_add_test(tcase, test_a_refusal_says_what_is_missing);
    tcase_add_test(tcase, test_a_stranger_is_told_so);
    tcase_add_test(tcase, test_default_plans_open_only_doors_that_name_them);
    tcase_add_test(tcase, test_an_operators_grant_opens_until_its_end);
    tcase_add_test(tcase, test_grace_and_the_earliest_boundary_reach_the_verdict);
    tcase_add_test(tcase, test_no_other_status_opens_anything);
    tcase_add_test(tcase, test_the_status_of_a_plan_is_that_of_its_best_subscription);
    tcase_add_test(tcase, test_unknown_plans_in_a_gate_are_named);
    tcase_add_test(tcase,
                   test_a_feature_is_held_by_a_plan_or_by_stripes_word_for_who_pays);
    tcase_add_test(tcase, test_of_a_key_without_a_bit_the_holding_is_unsure_for_who_pays);
    tcase_add_test(tcase, test_more_keys_than_bits_are_held_all_the_same);
    tcase_add_test(tcase, test_keys_and_units_are_what_they_are_said_to_be);
    suite_add_tcase(suite, tcase);
    return suite;
}
