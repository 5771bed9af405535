# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The test cards: what each number does when it is saved, charged with its holder present, and
charged later without."""

from .errors import ApiError

_DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": ("processing_error",
                         "An error occurred while processing your card. Try again in a little "
                         "bit."),
    "authentication_required": (
        "authentication_required", "Your card was declined. This transaction requires "
        "authentication."),
}


def _card(token, brand="visa", save="ok", pay="ok", later="ok", reason=None, refund="ok"):
    """Each of save, pay and later is ok, decline, or auth (3-D Secure first)."""
    return {"token": token, "brand": brand, "save": save, "pay": pay, "later": later,
            "reason": reason, "refund": refund}


def _declined(token, reason):
    return _card(token, save="decline", pay="decline", later="decline", reason=reason)


CARDS = {
    "4242424242424242": _card("pm_card_visa"),
    "4000056655665556": _card("pm_card_visa_debit"),
    "5555555555554444": _card("pm_card_mastercard", "mastercard"),
    "378282246310005": _card("pm_card_amex", "amex"),
    "4000000000000002": _declined("pm_card_visa_chargeDeclined", "generic_decline"),
    "4000000000009995": _declined("pm_card_visa_chargeDeclinedInsufficientFunds",
                                  "insufficient_funds"),
    "4000000000009987": _declined("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
    "4000000000009979": _declined("pm_card_visa_chargeDeclinedStolenCard", "stolen_card"),
    "4000000000000069": _declined("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    "4000000000000127": _declined("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
    "4000000000000119": _declined("pm_card_chargeDeclinedProcessingError", "processing_error"),
    "4000000000000341": _card("pm_card_chargeCustomerFail", pay="decline", later="decline",
                              reason="generic_decline"),
    "4000002500003155": _card("pm_card_authenticationRequiredOnSetup", save="auth", pay="auth"),
    "4000002760003184": _card("pm_card_authenticationRequired", save="auth", pay="auth",
                              later="auth"),
    "4000008260003178": _card(
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", save="auth",
        pay="auth_then_decline", later="auth_then_decline", reason="insufficient_funds"),
    "4000003800000446": _card("pm_card_authenticationRequiredSetupForOffSession", pay="auth"),
    "4000000000005126": _card("pm_card_refundFail", refund="fail"),
    "4000000000007726": _card("pm_card_pendingRefund", refund="pending"),
}
TOKENS = {card["token"]: number for number, card in CARDS.items()}


def card_error(reason, **more):
    """402 with the words a buyer may read."""
    code, message = _DECLINES[reason]
    return ApiError(402, message, "card_error", code, decline_code=reason, **more)


def decline_words(reason):
    """(code, message) of a decline."""
    return _DECLINES[reason]


def read(number):
    """The number's digits when it is a known test card, else the error a form would show."""
    digits = "".join(c for c in number if c.isdigit())
    if len(digits) < 13:
        raise ApiError(402, "Your card number is incomplete.", "card_error",
                       "incomplete_number", param="number")
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    if total % 10:
        raise ApiError(402, "Your card number is incorrect.", "card_error", "incorrect_number",
                       param="number")
    if digits not in CARDS:
        raise ApiError(402, "Your card was declined. Your request was in test mode, but used a "
                            "non test card. For a list of valid test cards, visit: "
                            "https://stripe.com/docs/testing.", "card_error", "card_declined",
                       decline_code="test_mode_live_card")
    return digits
