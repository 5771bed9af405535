# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Parameter tables of every endpoint the double serves. Data only; `params` reads them.

They follow the newest version: what it removed (`payment_method_types` and the old `ui_mode`
words of Checkout, `coupon` and `promotion_code` on subscriptions) is unknown here and refused.
"""

from .params import (ANY_MAP, BOOLEAN, CLEARABLE_METADATA, CURRENCY, EMAIL, INTEGER, METADATA,
                     NUMBER, STRING, TEXT, TIME, URL, array, clearable, either, obj, one_of,
                     string)

EXPAND = array(STRING)
RANGE = either(obj(gt=INTEGER, gte=INTEGER, lt=INTEGER, lte=INTEGER), INTEGER)
INTERVAL = one_of("day", "week", "month", "year")
TAX_BEHAVIOR = one_of("exclusive", "inclusive", "unspecified")
PRORATION = one_of("always_invoice", "create_prorations", "none")
PAYMENT_BEHAVIOR = one_of("allow_incomplete", "default_incomplete", "error_if_incomplete",
                          "pending_if_incomplete")


def listing(required=(), /, **fields):
    return obj(required, limit=INTEGER, starting_after=STRING, ending_before=STRING,
               expand=EXPAND, **fields)


def searching():
    return obj(("query",), query=STRING, limit=INTEGER, page=STRING, expand=EXPAND)


NOTHING = obj()
RETRIEVE = obj(expand=EXPAND)

# ---- customers ------------------------------------------------------------------------------

ADDRESS = obj(city=TEXT, country=TEXT, line1=TEXT, line2=TEXT, postal_code=TEXT, state=TEXT)
SHIPPING = obj(("address", "name"), address=ADDRESS, name=STRING, phone=STRING)
INVOICE_SETTINGS = obj(
    custom_fields=clearable(array(obj(("name", "value"), name=string(30), value=string(30)))),
    default_payment_method=TEXT, footer=TEXT,
    rendering_options=clearable(obj(
        amount_tax_display=clearable(one_of("exclude_tax", "include_inclusive_tax")),
        template=STRING)))

_CUSTOMER = dict(
    address=clearable(ADDRESS), balance=INTEGER, business_name=clearable(string(150)),
    description=TEXT, email=clearable(EMAIL), expand=EXPAND,
    individual_name=clearable(string(150)), invoice_prefix=STRING,
    invoice_settings=INVOICE_SETTINGS, metadata=CLEARABLE_METADATA, name=clearable(string(256)),
    next_invoice_sequence=INTEGER, phone=clearable(string(20)), preferred_locales=array(STRING),
    shipping=clearable(SHIPPING), source=STRING,
    tax_exempt=clearable(one_of("exempt", "none", "reverse")), validate=BOOLEAN)
CUSTOMER_CREATE = obj(**_CUSTOMER, payment_method=STRING, test_clock=STRING,
                      tax=obj(ip_address=TEXT, validate_location=one_of("deferred",
                                                                        "immediately")),
                      tax_id_data=array(obj(("type", "value"), type=STRING, value=STRING)))
CUSTOMER_UPDATE = obj(**_CUSTOMER, default_source=STRING,
                      tax=obj(ip_address=TEXT, validate_location=one_of("auto", "deferred",
                                                                        "immediately")))
CUSTOMER_LIST = listing(created=RANGE, email=string(512), test_clock=STRING)
CUSTOMER_SEARCH = searching()

# ---- products and prices --------------------------------------------------------------------

TAX_DETAILS = obj(performance_location=STRING, tax_code=TEXT)
DIMENSIONS = obj(("height", "length", "weight", "width"), height=NUMBER, length=NUMBER,
                 weight=NUMBER, width=NUMBER)
FEATURES = array(obj(("name",), name=STRING), 15)
RECURRING_SHORT = obj(("interval",), interval=INTERVAL, interval_count=INTEGER)
CUSTOM_AMOUNT = obj(("enabled",), enabled=BOOLEAN, maximum=INTEGER, minimum=INTEGER,
                    preset=INTEGER)

_PRODUCT = dict(active=BOOLEAN, expand=EXPAND, shippable=BOOLEAN,
                statement_descriptor=string(22))
PRODUCT_CREATE = obj(
    ("name",), **_PRODUCT, name=STRING, id=STRING, description=string(40000),
    images=array(STRING, 8), marketing_features=FEATURES, metadata=METADATA,
    package_dimensions=DIMENSIONS, tax_code=STRING, tax_details=TAX_DETAILS,
    type=one_of("good", "service"), unit_label=string(12), url=URL,
    default_price_data=obj(
        ("currency",), currency=CURRENCY, currency_options=ANY_MAP,
        custom_unit_amount=CUSTOM_AMOUNT, metadata=METADATA, recurring=RECURRING_SHORT,
        tax_behavior=TAX_BEHAVIOR, unit_amount=INTEGER, unit_amount_decimal=STRING))
PRODUCT_UPDATE = obj(
    **_PRODUCT, name=STRING, default_price=STRING, description=clearable(string(40000)),
    images=clearable(array(STRING, 8)), marketing_features=clearable(FEATURES),
    metadata=CLEARABLE_METADATA, package_dimensions=clearable(DIMENSIONS), tax_code=TEXT,
    tax_details=clearable(TAX_DETAILS), unit_label=clearable(string(12)), url=clearable(URL))
PRODUCT_LIST = listing(active=BOOLEAN, created=RANGE, ids=array(STRING), shippable=BOOLEAN,
                       type=one_of("good", "service"), url=STRING)

PRICE_CREATE = obj(
    ("currency",), currency=CURRENCY, active=BOOLEAN,
    billing_scheme=one_of("per_unit", "tiered"), currency_options=ANY_MAP,
    custom_unit_amount=CUSTOM_AMOUNT, expand=EXPAND, lookup_key=string(200), metadata=METADATA,
    nickname=STRING, product=STRING,
    product_data=obj(("name",), active=BOOLEAN, id=STRING, metadata=METADATA, name=STRING,
                     statement_descriptor=string(22), tax_code=STRING, tax_details=TAX_DETAILS,
                     unit_label=string(12)),
    recurring=obj(("interval",), interval=INTERVAL, interval_count=INTEGER, meter=STRING,
                  trial_period_days=INTEGER, usage_type=one_of("licensed", "metered")),
    tax_behavior=TAX_BEHAVIOR, tiers=array(ANY_MAP), tiers_mode=one_of("graduated", "volume"),
    transfer_lookup_key=BOOLEAN, transform_quantity=ANY_MAP, unit_amount=INTEGER,
    unit_amount_decimal=STRING)
PRICE_UPDATE = obj(active=BOOLEAN, currency_options=clearable(ANY_MAP), expand=EXPAND,
                   lookup_key=clearable(string(200)), metadata=CLEARABLE_METADATA,
                   nickname=TEXT, tax_behavior=TAX_BEHAVIOR, transfer_lookup_key=BOOLEAN)
PRICE_LIST = listing(active=BOOLEAN, created=RANGE, currency=CURRENCY,
                     lookup_keys=array(STRING, 10), product=STRING,
                     recurring=obj(interval=INTERVAL, meter=STRING,
                                   usage_type=one_of("licensed", "metered")),
                     type=one_of("one_time", "recurring"))

# ---- coupons --------------------------------------------------------------------------------

COUPON_CREATE = obj(amount_off=INTEGER, applies_to=obj(products=array(STRING)),
                    currency=CURRENCY, currency_options=ANY_MAP,
                    duration=one_of("forever", "once", "repeating"), duration_in_months=INTEGER,
                    expand=EXPAND, id=STRING, max_redemptions=INTEGER,
                    metadata=CLEARABLE_METADATA, name=string(40), percent_off=NUMBER,
                    redeem_by=TIME)
COUPON_UPDATE = obj(expand=EXPAND, metadata=CLEARABLE_METADATA, name=string(40))
COUPON_LIST = listing(created=RANGE)
PROMOTION_CREATE = obj(
    ("promotion",), promotion=obj(("type",), coupon=STRING, type=one_of("coupon")),
    active=BOOLEAN, code=string(500), customer=STRING, expand=EXPAND, expires_at=TIME,
    max_redemptions=INTEGER, metadata=METADATA,
    restrictions=obj(currency_options=ANY_MAP, first_time_transaction=BOOLEAN,
                     minimum_amount=INTEGER, minimum_amount_currency=CURRENCY))
PROMOTION_UPDATE = obj(active=BOOLEAN, expand=EXPAND, metadata=CLEARABLE_METADATA,
                       restrictions=obj(currency_options=ANY_MAP))
PROMOTION_LIST = listing(active=BOOLEAN, code=STRING, coupon=STRING, created=RANGE,
                         customer=STRING)
DISCOUNTS = array(obj(coupon=STRING, discount=STRING, promotion_code=STRING), 20)

# ---- Checkout -------------------------------------------------------------------------------

LIABILITY = obj(("type",), account=STRING, type=one_of("account", "self"))
AUTOMATIC_TAX = obj(("enabled",), enabled=BOOLEAN, liability=LIABILITY)
ENABLED = obj(("enabled",), enabled=BOOLEAN)
ADJUSTABLE = obj(("enabled",), enabled=BOOLEAN, maximum=INTEGER, minimum=INTEGER)
MESSAGE = clearable(obj(("message",), message=string(1200)))
TRIAL_END_BEHAVIOR = obj(("missing_payment_method",),
                         missing_payment_method=one_of("cancel", "create_invoice", "pause"))
BILLING_MODE = obj(("type",), type=one_of("classic", "flexible"),
                   flexible=obj(proration_discounts=one_of("included", "itemized")))
LOCALES = one_of(
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr",
    "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt",
    "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW")
PAYMENT_METHOD_TYPES = array(one_of(
    "alipay", "amazon_pay", "bancontact", "blik", "card", "cashapp", "customer_balance", "eps",
    "ideal", "klarna", "link", "p24", "paypal", "revolut_pay", "sepa_debit", "sofort", "twint",
    "us_bank_account", "wechat_pay"))

EXCLUDABLE_TYPES = array(one_of(*(word for word in PAYMENT_METHOD_TYPES["of"]["words"]
                                  if word != "link")))

LINE_ITEM = obj(
    adjustable_quantity=ADJUSTABLE, metadata=METADATA, price=STRING, quantity=INTEGER,
    tax_rates=array(STRING),
    price_data=obj(
        ("currency",), currency=CURRENCY, product=STRING, recurring=RECURRING_SHORT,
        tax_behavior=TAX_BEHAVIOR, unit_amount=INTEGER, unit_amount_decimal=STRING,
        product_data=obj(("name",), name=STRING, description=string(40000),
                         images=array(STRING, 8), metadata=METADATA, tax_code=STRING,
                         tax_details=TAX_DETAILS, unit_label=STRING)))

SESSION_CREATE = obj(
    adaptive_pricing=obj(enabled=BOOLEAN),
    after_expiration=obj(recovery=obj(("enabled",), allow_promotion_codes=BOOLEAN,
                                      enabled=BOOLEAN)),
    allow_promotion_codes=BOOLEAN, allowed_payment_method_types=PAYMENT_METHOD_TYPES,
    automatic_tax=AUTOMATIC_TAX, billing_address_collection=one_of("auto", "required"),
    branding_settings=ANY_MAP, cancel_url=URL, client_reference_id=string(200),
    consent_collection=obj(
        payment_method_reuse_agreement=obj(("position",), position=one_of("auto", "hidden")),
        promotions=one_of("auto", "none"), terms_of_service=one_of("none", "required")),
    currency=CURRENCY, custom_fields=array(ANY_MAP, 3),
    custom_text=obj(after_submit=MESSAGE, shipping_address=MESSAGE, submit=MESSAGE,
                    terms_of_service_acceptance=MESSAGE),
    customer=STRING, customer_creation=one_of("always", "if_required"), customer_email=EMAIL,
    customer_update=obj(address=one_of("auto", "never"), name=one_of("auto", "never"),
                        shipping=one_of("auto", "never")),
    discounts=array(obj(coupon=STRING, promotion_code=STRING)),
    excluded_payment_method_types=EXCLUDABLE_TYPES, expand=EXPAND, expires_at=TIME,
    integration_identifier=STRING,
    invoice_creation=obj(
        ("enabled",), enabled=BOOLEAN,
        invoice_data=obj(account_tax_ids=clearable(array(STRING)),
                         custom_fields=INVOICE_SETTINGS["fields"]["custom_fields"],
                         description=string(1500), footer=STRING, issuer=LIABILITY,
                         metadata=METADATA, rendering_options=clearable(ANY_MAP))),
    line_items=array(LINE_ITEM, 100), locale=LOCALES,
    managed_payments=obj(enabled=BOOLEAN), metadata=METADATA,
    mode=one_of("payment", "setup", "subscription"),
    name_collection=obj(business=obj(("enabled",), enabled=BOOLEAN, optional=BOOLEAN),
                        individual=obj(("enabled",), enabled=BOOLEAN, optional=BOOLEAN)),
    optional_items=array(obj(("price", "quantity"), adjustable_quantity=ADJUSTABLE, price=STRING,
                             quantity=INTEGER), 10),
    origin_context=one_of("mobile_app", "web"),
    payment_intent_data=obj(
        application_fee_amount=INTEGER, description=string(1000), metadata=METADATA,
        capture_method=one_of("automatic", "automatic_async", "manual"), on_behalf_of=STRING,
        receipt_email=EMAIL, setup_future_usage=one_of("off_session", "on_session"),
        shipping=SHIPPING, statement_descriptor=string(22),
        statement_descriptor_suffix=string(22), transfer_data=ANY_MAP, transfer_group=STRING),
    payment_method_collection=one_of("always", "if_required"),
    payment_method_configuration=string(100),
    payment_method_data=obj(allow_redisplay=one_of("always", "limited", "unspecified")),
    payment_method_options=ANY_MAP,
    permissions=obj(update_shipping_details=one_of("client_only", "server_only")),
    phone_number_collection=ENABLED, redirect_on_completion=one_of("always", "if_required",
                                                                   "never"),
    return_url=URL,
    saved_payment_method_options=obj(
        allow_redisplay_filters=array(one_of("always", "limited", "unspecified")),
        payment_method_remove=one_of("disabled", "enabled"),
        payment_method_save=one_of("disabled", "enabled")),
    setup_intent_data=obj(description=string(1000), metadata=METADATA, on_behalf_of=STRING),
    shipping_address_collection=obj(("allowed_countries",), allowed_countries=array(STRING)),
    shipping_options=array(ANY_MAP, 5),
    submit_type=one_of("auto", "book", "donate", "pay", "subscribe"),
    subscription_data=obj(
        application_fee_percent=NUMBER, billing_cycle_anchor=TIME,
        billing_cycle_anchor_config=ANY_MAP, billing_mode=BILLING_MODE,
        default_tax_rates=array(STRING), description=string(500), invoice_settings=ANY_MAP,
        metadata=METADATA, on_behalf_of=STRING, pending_invoice_item_interval=RECURRING_SHORT,
        proration_behavior=one_of("create_prorations", "none"), transfer_data=ANY_MAP,
        trial_end=TIME, trial_period_days=INTEGER,
        trial_settings=obj(("end_behavior",), end_behavior=TRIAL_END_BEHAVIOR)),
    success_url=URL,
    tax_id_collection=obj(("enabled",), enabled=BOOLEAN,
                          required=one_of("if_supported", "never")),
    ui_mode=one_of("elements", "embedded_page", "form", "hosted_page"),
    wallet_options=obj(link=obj(display=one_of("auto", "never"))))
SESSION_UPDATE = obj(expand=EXPAND, metadata=CLEARABLE_METADATA)
SESSION_LIST = listing(created=RANGE, customer=STRING,
                       customer_details=obj(("email",), email=STRING), payment_intent=STRING,
                       payment_link=STRING, status=one_of("complete", "expired", "open"),
                       subscription=STRING)

# ---- portal ---------------------------------------------------------------------------------

FEEDBACK = one_of("customer_service", "low_quality", "missing_features", "other",
                  "switched_service", "too_complex", "too_expensive", "unused")
PORTAL_FEATURES = obj(
    customer_update=obj(enabled=BOOLEAN, allowed_updates=clearable(array(one_of(
        "address", "email", "name", "phone", "shipping", "tax_id")))),
    invoice_history=ENABLED,
    payment_method_update=obj(("enabled",), enabled=BOOLEAN, payment_method_configuration=TEXT),
    subscription_cancel=obj(
        ("enabled",), enabled=BOOLEAN, mode=one_of("at_period_end", "immediately"),
        proration_behavior=PRORATION,
        cancellation_reason=obj(("enabled",), enabled=BOOLEAN, feedback_options=TEXT,
                                options=clearable(array(FEEDBACK)))),
    subscription_pause=obj(enabled=BOOLEAN, duration=ANY_MAP),
    subscription_update=obj(
        enabled=BOOLEAN, billing_cycle_anchor=one_of("now", "unchanged"),
        default_allowed_updates=clearable(array(one_of("price", "promotion_code", "quantity"))),
        products=clearable(array(obj(("prices", "product"), adjustable_quantity=ADJUSTABLE,
                                     prices=array(STRING), product=STRING), 10)),
        proration_behavior=PRORATION,
        schedule_at_period_end=obj(conditions=array(obj(("type",), type=one_of(
            "decreasing_item_amount", "shortening_interval")))),
        trial_update_behavior=one_of("continue_trial", "end_trial")))
PROFILE = obj(headline=clearable(string(60)), privacy_policy_url=URL, terms_of_service_url=URL)
_PORTAL = dict(business_profile=PROFILE, default_return_url=clearable(URL), expand=EXPAND,
               login_page=ENABLED, name=TEXT)
PORTAL_CONFIGURATION_CREATE = obj(("features",), **_PORTAL, features=PORTAL_FEATURES,
                                  metadata=METADATA)
PORTAL_CONFIGURATION_UPDATE = obj(**_PORTAL, active=BOOLEAN, features=PORTAL_FEATURES,
                                  metadata=CLEARABLE_METADATA)
PORTAL_CONFIGURATION_LIST = listing(active=BOOLEAN, is_default=BOOLEAN)
PORTAL_SESSION_CREATE = obj(
    configuration=STRING, customer=STRING, expand=EXPAND,
    flow_data=obj(
        ("type",),
        type=one_of("customer_update", "payment_method_update", "subscription_cancel",
                    "subscription_pause", "subscription_update", "subscription_update_confirm"),
        after_completion=obj(
            ("type",), type=one_of("hosted_confirmation", "portal_homepage", "redirect"),
            hosted_confirmation=obj(custom_message=string(500)),
            redirect=obj(("return_url",), return_url=URL)),
        subscription_cancel=obj(("subscription",), subscription=STRING, retention=ANY_MAP),
        subscription_pause=obj(("subscription",), subscription=STRING),
        subscription_update=obj(("subscription",), subscription=STRING),
        subscription_update_confirm=obj(
            ("items", "subscription"), subscription=STRING,
            discounts=array(obj(coupon=STRING, promotion_code=STRING)),
            items=array(obj(("id",), id=STRING, price=STRING, quantity=INTEGER), 1))),
    locale=one_of(*LOCALES["words"], "en-AU", "en-CA", "en-IE", "en-IN", "en-NZ", "en-SG"),
    on_behalf_of=STRING, return_url=URL)

# ---- subscriptions --------------------------------------------------------------------------

CANCELLATION = obj(comment=TEXT, feedback=clearable(FEEDBACK), feedback_option=STRING)
PRICE_DATA = obj(("currency", "product", "recurring"), currency=CURRENCY, product=STRING,
                 recurring=RECURRING_SHORT, tax_behavior=TAX_BEHAVIOR, unit_amount=INTEGER,
                 unit_amount_decimal=STRING)
_ITEM = dict(discounts=clearable(DISCOUNTS), metadata=CLEARABLE_METADATA, price=STRING,
             price_data=PRICE_DATA, quantity=INTEGER, tax_rates=clearable(array(STRING)))
ITEM_NEW = obj(**_ITEM)
ITEM_CHANGE = obj(**_ITEM, id=STRING, deleted=BOOLEAN, clear_usage=BOOLEAN)
TRIAL_SETTINGS = obj(("end_behavior",), end_behavior=obj(
    ("missing_payment_method",), billing_cycle_anchor=one_of("now", "unchanged"),
    missing_payment_method=one_of("cancel", "create_invoice", "pause")))
PAYMENT_SETTINGS = obj(payment_method_options=ANY_MAP, payment_method_types=PAYMENT_METHOD_TYPES,
                       save_default_payment_method=one_of("off", "on_subscription"))
CANCEL_AT = either(TIME, one_of("max_billed_until", "max_period_end", "min_period_end"))

_SUBSCRIPTION = dict(
    automatic_tax=AUTOMATIC_TAX, cancel_at_period_end=BOOLEAN,
    collection_method=one_of("charge_automatically", "send_invoice"), days_until_due=INTEGER,
    default_payment_method=STRING, default_tax_rates=clearable(array(STRING)),
    discounts=clearable(DISCOUNTS), expand=EXPAND, metadata=CLEARABLE_METADATA,
    off_session=BOOLEAN, payment_behavior=PAYMENT_BEHAVIOR, payment_settings=PAYMENT_SETTINGS,
    proration_behavior=PRORATION, trial_end=either(TIME, one_of("now")), trial_from_plan=BOOLEAN,
    trial_settings=TRIAL_SETTINGS)
SUBSCRIPTION_CREATE = obj(
    **_SUBSCRIPTION, customer=STRING, items=array(ITEM_NEW, 20), cancel_at=CANCEL_AT,
    billing_mode=BILLING_MODE, billing_cycle_anchor=TIME, currency=CURRENCY,
    description=string(500), trial_period_days=INTEGER)
SUBSCRIPTION_UPDATE = obj(
    **_SUBSCRIPTION, items=array(ITEM_CHANGE, 20), cancel_at=clearable(CANCEL_AT),
    billing_cycle_anchor=obj(("type",), type=one_of("now", "unchanged")),
    cancellation_details=CANCELLATION, description=clearable(string(500)),
    pause_collection=clearable(obj(
        ("behavior",), behavior=one_of("keep_as_draft", "mark_uncollectible", "void"),
        resumes_at=TIME)),
    proration_date=TIME)
SUBSCRIPTION_CANCEL = obj(cancellation_details=CANCELLATION, expand=EXPAND, invoice_now=BOOLEAN,
                          prorate=BOOLEAN)
SUBSCRIPTION_RESUME = obj(
    billing_cycle_anchor=obj(("type",), type=one_of("now", "unchanged")), expand=EXPAND,
    payment_behavior=one_of("resume_on_payment_attempt", "resume_on_payment_success"),
    proration_behavior=PRORATION, proration_date=TIME)
SUBSCRIPTION_PAUSE = obj(
    bill_for=obj(
        outstanding_usage_through=obj(("type",), type=one_of("none", "now")),
        unused_time_from=obj(("type",), type=one_of("item_current_period_start", "none", "now"))),
    expand=EXPAND, invoicing_behavior=one_of("invoice", "pending_invoice_item"),
    type=one_of("subscription"))
SUBSCRIPTION_LIST = listing(
    collection_method=one_of("charge_automatically", "send_invoice"), created=RANGE,
    current_period_end=RANGE, current_period_start=RANGE, customer=STRING, price=STRING,
    plan=STRING, test_clock=STRING,
    status=one_of("active", "all", "canceled", "ended", "incomplete", "incomplete_expired",
                  "past_due", "paused", "trialing", "unpaid"))
SUBSCRIPTION_SEARCH = searching()

# ---- subscription schedules -----------------------------------------------------------------

PHASE_ITEM = obj(discounts=clearable(DISCOUNTS), metadata=METADATA, price=STRING,
                 price_data=PRICE_DATA, quantity=INTEGER, tax_rates=clearable(array(STRING)))
DURATION = obj(("interval",), interval=INTERVAL, interval_count=INTEGER)
_PHASE = dict(
    billing_cycle_anchor=one_of("automatic", "phase_start"),
    collection_method=one_of("charge_automatically", "send_invoice"), currency=CURRENCY,
    default_payment_method=STRING, default_tax_rates=clearable(array(STRING)),
    description=clearable(STRING), discounts=clearable(DISCOUNTS), duration=DURATION, items=array(PHASE_ITEM, 20),
    metadata=METADATA, proration_behavior=PRORATION, trial=BOOLEAN)
END_BEHAVIOR = one_of("cancel", "none", "release", "renew")
SCHEDULE_CREATE = obj(
    customer=STRING, end_behavior=END_BEHAVIOR, expand=EXPAND, from_subscription=STRING,
    metadata=CLEARABLE_METADATA, start_date=either(TIME, one_of("now")),
    phases=array(obj(("items",), **_PHASE, end_date=TIME, trial_end=TIME)))
SCHEDULE_UPDATE = obj(
    end_behavior=END_BEHAVIOR, expand=EXPAND, metadata=CLEARABLE_METADATA,
    phases=array(obj(("items",), **_PHASE, end_date=either(TIME, one_of("now")),
                     start_date=either(TIME, one_of("now")),
                     trial_end=either(TIME, one_of("now")))),
    proration_behavior=PRORATION)
SCHEDULE_RELEASE = obj(expand=EXPAND, preserve_cancel_date=BOOLEAN)
SCHEDULE_CANCEL = obj(expand=EXPAND, invoice_now=BOOLEAN, prorate=BOOLEAN)
SCHEDULE_LIST = listing(canceled_at=RANGE, completed_at=RANGE, created=RANGE, customer=STRING,
                        released_at=RANGE, scheduled=BOOLEAN)

# ---- invoices and payments ------------------------------------------------------------------

INVOICE_LIST = listing(
    collection_method=one_of("charge_automatically", "send_invoice"), created=RANGE,
    customer=STRING, due_date=RANGE, subscription=STRING,
    status=one_of("draft", "open", "paid", "uncollectible", "void"))
INVOICE_LINES = listing()
INVOICE_PAY = obj(expand=EXPAND, forgive=BOOLEAN, mandate=TEXT, off_session=BOOLEAN,
                  paid_out_of_band=BOOLEAN, payment_method=STRING, source=STRING)
INVOICE_FINALIZE = obj(auto_advance=BOOLEAN, expand=EXPAND)
INVOICE_PREVIEW = obj(
    automatic_tax=AUTOMATIC_TAX, currency=CURRENCY, customer=STRING, customer_details=ANY_MAP,
    discounts=clearable(DISCOUNTS), expand=EXPAND, preview_mode=one_of("next", "recurring"),
    subscription=STRING,
    subscription_details=obj(
        billing_cycle_anchor=obj(("type",), timestamp=TIME,
                                 type=one_of("now", "timestamp", "unchanged")),
        billing_mode=BILLING_MODE, cancel_at=clearable(CANCEL_AT), cancel_at_period_end=BOOLEAN,
        cancel_now=BOOLEAN, default_tax_rates=clearable(array(STRING)),
        items=array(ITEM_CHANGE, 20), metadata=CLEARABLE_METADATA, proration_behavior=PRORATION,
        proration_date=TIME, resume_at=one_of("now"), start_date=TIME,
        trial_end=either(TIME, one_of("now"))))
INVOICE_PAYMENT_LIST = listing(
    created=RANGE, invoice=STRING, status=one_of("canceled", "open", "paid"),
    payment=obj(("type",), payment_intent=STRING, payment_record=STRING,
                type=one_of("payment_intent", "payment_record")))
PAYMENT_INTENT_LIST = listing(created=RANGE, customer=STRING)
SETUP_INTENT_LIST = listing(created=RANGE, customer=STRING, payment_method=STRING)
_METHODS = dict(allow_redisplay=one_of("always", "limited", "unspecified"),
                type=PAYMENT_METHOD_TYPES["of"])
PAYMENT_METHOD_LIST = listing(**_METHODS, customer=STRING)
CUSTOMER_METHOD_LIST = listing(**_METHODS)
PAYMENT_METHOD_ATTACH = obj(customer=STRING, expand=EXPAND)
CHARGE_LIST = listing(created=RANGE, customer=STRING, payment_intent=STRING,
                      transfer_group=STRING)
REFUND_CREATE = obj(
    amount=INTEGER, charge=STRING, currency=CURRENCY, customer=STRING, expand=EXPAND,
    instructions_email=EMAIL, metadata=CLEARABLE_METADATA, payment_intent=STRING,
    reason=one_of("duplicate", "fraudulent", "requested_by_customer"),
    refund_application_fee=BOOLEAN, reverse_transfer=BOOLEAN)
REFUND_UPDATE = obj(expand=EXPAND, metadata=CLEARABLE_METADATA)
REFUND_LIST = listing(charge=STRING, created=RANGE, payment_intent=STRING)

# ---- events, endpoints, entitlements --------------------------------------------------------

EVENT_LIST = listing(created=RANGE, delivery_success=BOOLEAN, type=STRING,
                     types=array(STRING, 20))

EVENT_TYPES = tuple("""
billing_portal.configuration.created billing_portal.configuration.updated
billing_portal.session.created
charge.captured charge.dispute.closed charge.dispute.created charge.dispute.funds_reinstated
charge.dispute.funds_withdrawn charge.dispute.updated charge.expired charge.failed
charge.pending charge.refund.updated charge.refunded charge.succeeded charge.updated
checkout.session.async_payment_failed checkout.session.async_payment_succeeded
checkout.session.completed checkout.session.expired
coupon.created coupon.deleted coupon.updated
credit_note.created credit_note.updated credit_note.voided
customer.created customer.deleted customer.updated
customer.discount.created customer.discount.deleted customer.discount.updated
customer.source.created customer.source.deleted customer.source.expiring customer.source.updated
customer.subscription.created customer.subscription.deleted customer.subscription.paused
customer.subscription.pending_update_applied customer.subscription.pending_update_expired
customer.subscription.resumed customer.subscription.trial_will_end customer.subscription.updated
customer.tax_id.created customer.tax_id.deleted customer.tax_id.updated
entitlements.active_entitlement_summary.updated
invoice.created invoice.deleted invoice.finalization_failed invoice.finalized
invoice.marked_uncollectible invoice.overdue invoice.overpaid invoice.paid
invoice.payment_action_required invoice.payment_attempt_required invoice.payment_failed
invoice.payment_succeeded invoice.sent invoice.upcoming invoice.updated invoice.voided
invoice.will_be_due invoice_payment.paid invoiceitem.created invoiceitem.deleted
payment_intent.amount_capturable_updated payment_intent.canceled payment_intent.created
payment_intent.partially_funded payment_intent.payment_failed payment_intent.processing
payment_intent.requires_action payment_intent.succeeded
payment_method.attached payment_method.automatically_updated payment_method.detached
payment_method.updated
plan.created plan.deleted plan.updated
price.created price.deleted price.updated
product.created product.deleted product.updated
promotion_code.created promotion_code.updated
radar.early_fraud_warning.created radar.early_fraud_warning.updated
refund.created refund.failed refund.updated review.closed review.opened
setup_intent.canceled setup_intent.created setup_intent.requires_action
setup_intent.setup_failed setup_intent.succeeded
subscription_schedule.aborted subscription_schedule.canceled subscription_schedule.completed
subscription_schedule.created subscription_schedule.expiring subscription_schedule.released
subscription_schedule.updated
tax_rate.created tax_rate.updated
test_helpers.test_clock.advancing test_helpers.test_clock.created
test_helpers.test_clock.deleted test_helpers.test_clock.internal_failure
test_helpers.test_clock.ready
""".split())

ENABLED_EVENTS = array(one_of("*", *EVENT_TYPES))
ENDPOINT_CREATE = obj(("enabled_events", "url"), enabled_events=ENABLED_EVENTS, url=URL,
                      api_version=STRING, connect=BOOLEAN, description=TEXT, expand=EXPAND,
                      metadata=CLEARABLE_METADATA)
ENDPOINT_UPDATE = obj(description=TEXT, disabled=BOOLEAN, enabled_events=ENABLED_EVENTS,
                      expand=EXPAND, metadata=CLEARABLE_METADATA, url=URL)
ENDPOINT_LIST = listing()

FEATURE_CREATE = obj(("lookup_key", "name"), lookup_key=string(80), name=string(80),
                     expand=EXPAND, metadata=METADATA)
FEATURE_LIST = listing(archived=BOOLEAN, lookup_key=STRING)
ACTIVE_ENTITLEMENT_LIST = listing(("customer",), customer=STRING)
