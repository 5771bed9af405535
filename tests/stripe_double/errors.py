# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Errors as Stripe words them."""


class ApiError(Exception):
    """An error answer of the API. `validation` marks those that never ran (idempotency)."""

    def __init__(self, status, message, kind="invalid_request_error", code=None, param=None,
                 validation=False, **more):
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.validation = validation
        self.more = more

    def body(self, request_id, live=False):
        error = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = "https://docs.stripe.com/error-codes/" + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        if request_id:
            mode = "" if live else "test/"
            error["request_log_url"] = f"https://dashboard.stripe.com/{mode}logs/{request_id}"
        error.update(self.more)
        return {"error": error}


def invalid(message, param=None, code=None):
    """400 before anything ran: such an answer is not kept for its idempotency key."""
    return ApiError(400, message, code=code, param=param, validation=True)


def refused(message, param=None, code=None):
    """400 because of the state of things."""
    return ApiError(400, message, code=code, param=param)


WORDS = {"checkout.session": "checkout.session", "billing_portal.configuration": "configuration",
         "payment_method": "PaymentMethod", "billing_portal.session": "session"}


def missing(kind, ident, param=None, other_mode=None):
    """An id that does not exist: 404 in the path, 400 in a parameter."""
    message = f"No such {WORDS.get(kind, kind)}: '{ident}'"
    if other_mode:
        this = "test" if other_mode == "live" else "live"
        message += (f"; a similar object exists in {other_mode} mode, but a {this} mode key was "
                    "used to make this request.")
    return ApiError(400 if param else 404, message, code="resource_missing", param=param or "id")
