/* Licensed under the Apache License, Version 2.0; see LICENSE. */
#include "domain/payment.h"

#include <string.h>

/* Every rule here is a total order over statements, so that the last one standing is the same for every
 * order of arrival: final words beat others, then the time decides, then the rank of the word. */

typedef struct word_t {
    const char *word;
    int rank; /* between statements of one second */
    bool final;
} word_t;

static const word_t payment_words[] = {
    {SB_PAYMENT_PENDING, 1, false},  {SB_PAYMENT_PROCESSING, 2, false},
    {SB_PAYMENT_FAILED, 3, false},   {SB_PAYMENT_CANCELED, 4, true},
    {SB_PAYMENT_SUCCEEDED, 5, true}, {NULL, 0, false},
};
static const word_t refund_words[] = {
    {"pending", 1, false}, {"requires_action", 2, false}, {"succeeded", 3, false},
    {"canceled", 4, true}, {"failed", 5, true},           {NULL, 0, false},
};
static const word_t dispute_words[] = {
    {"warning_needs_response", 1, false},
    {"warning_under_review", 2, false},
    {"needs_response", 3, false},
    {"under_review", 4, false},
    {"appeal_needs_response", 5,
     false}, /* after lost, which stays until the appeal is won */
    {"appeal_under_review", 6, false},
    {"warning_closed", 7, true},
    {"prevented", 8, true},
    {"won", 9, true},
    {"lost", 10, true},
    {NULL, 0, false},
};

static const word_t *find(const word_t *words, const char *word)
{
    while (words->word && !(word && strcmp(words->word, word) == 0)) {
        words++;
    }
    return words;
}

static bool replaces(const word_t *words, const char *stored, apr_int64_t stored_at,
                     const char *told, apr_int64_t told_at)
{
    const word_t *was = find(words, stored), *is = find(words, told);

    if (was->final != is->final) {
        return is->final;
    }
    if (told_at != stored_at) {
        return told_at > stored_at;
    }
    return is->rank >= was->rank;
}

/* Money that came stays come, and is dated by the first who tells of it. */
static bool status_wins(const sb_payment_t *stored, const sb_payment_t *told)
{
    const word_t *was = find(payment_words, stored->status);
    const word_t *is = find(payment_words, told->status);

    if (was->final && is->final) {
        return was->rank != is->rank ? is->rank > was->rank
                                     : told->told_at < stored->told_at;
    }
    return replaces(payment_words, stored->status, stored->told_at, told->status,
                    told->told_at);
}

static void take_status(sb_payment_t *payment, const sb_payment_t *told, sb_voice_e voice)
{
    payment->status = told->status;
    payment->told_at = told->told_at;
    payment->created_at = told->created_at;
    payment->failure_code = told->failure_code;
    payment->failure_message = told->failure_message;
    if (voice == SB_VOICE_INVOICE) { /* what is due, or what was paid */
        payment->amount = told->amount;
        payment->currency = told->currency;
    }
}

static void take_amount(sb_payment_t *payment, const sb_payment_t *told)
{
    payment->amount = told->amount;
    payment->currency = told->currency;
}

static void take_charge(sb_payment_t *payment, const sb_payment_t *told)
{
    bool newer = told->told_at > payment->charge_at ||
                 (told->told_at == payment->charge_at &&
                  told->charge_refunded >= payment->charge_refunded);

    if (newer && told->charge) {
        payment->charge = told->charge;
        payment->charge_at = told->told_at;
        payment->charge_refunded = told->charge_refunded;
    }
}

static void take_means(sb_payment_t *payment, const sb_payment_t *told, sb_voice_e voice)
{
    if (voice == SB_VOICE_INTENT) {
        if (told->told_at > payment->intent_at ||
            (told->told_at == payment->intent_at && told->amount > payment->amount)) {
            take_amount(payment, told);
            payment->intent_at = told->told_at;
        }
        payment->charge = payment->charge ? payment->charge : told->charge;
        return;
    }
    bool first = voice == SB_VOICE_CHARGE
                     ? payment->intent_at == 0
                     : payment->intent_at == 0 && !payment->charge_at;
    if (first) {
        take_amount(payment, told);
    }
    if (voice == SB_VOICE_CHARGE) {
        take_charge(payment, told);
    }
}

static const char *either(const char *stored, const char *told)
{
    return stored ? stored : told;
}

void sb_payment_tell(sb_payment_t *payment, const sb_payment_t *told, sb_voice_e voice)
{
    bool fresh = !payment->id;

    if (fresh) {
        *payment = (sb_payment_t){.id = told->id, .livemode = told->livemode};
    }
    payment->user = either(payment->user, told->user);
    payment->customer = either(payment->customer, told->customer);
    payment->invoice = either(payment->invoice, told->invoice);
    payment->source = either(payment->source, told->source);
    payment->kind = voice == SB_VOICE_SESSION ? SB_PAYMENT_CHECKOUT
                                              : either(payment->kind, told->kind);
    if (voice != SB_VOICE_INVOICE) {
        take_means(payment, told, voice);
    }
    if (fresh || status_wins(payment, told)) {
        take_status(payment, told, voice);
    }
}

bool sb_refund_replaces(const sb_refund_t *stored, const sb_refund_t *told)
{
    return !stored || replaces(refund_words, stored->status, stored->told_at,
                               told->status, told->told_at);
}

apr_int64_t sb_payment_refunded(const sb_payment_t *payment, const sb_refund_t *refunds,
                                int n)
{
    apr_int64_t sum = payment->charge_refunded;

    for (int i = 0; i < n; i++) {
        const sb_refund_t *refund = &refunds[i];
        bool counted = payment->charge_at && refund->created_at <= payment->charge_at;
        bool returned = find(refund_words, refund->status)->final;
        if (!counted && !returned) {
            sum += refund->amount;
        }
        if (counted && returned && refund->told_at > payment->charge_at) {
            sum -= refund->amount;
        }
    }
    return sum < 0 ? 0 : sum > payment->amount ? payment->amount : sum;
}

bool sb_dispute_replaces(const sb_dispute_t *stored, const sb_dispute_t *told)
{
    return !stored || replaces(dispute_words, stored->status, stored->told_at,
                               told->status, told->told_at);
}

bool sb_dispute_closes(const sb_dispute_t *dispute)
{
    const word_t *word = find(dispute_words, dispute->status);

    return !word->final || strcmp(word->word, "lost") == 0;
}
