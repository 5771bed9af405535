# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Handlers of the hosted pages: read a form, act, answer with a page or a redirect."""

import re
from urllib.parse import quote

from aiohttp import web

from . import billing, cards, checkout, invoices, pages, payments, portal, portal_pages
from .errors import ApiError

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
                                       "base-uri 'none'; frame-ancestors 'none'"}


def html(text, status=200):
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)


def to(url):
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def expiry(text):
    """`12 / 34` as (12, 2034)."""
    match = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*", text or "")
    if not match or not 1 <= int(match.group(1)) <= 12:
        raise ApiError(402, "Your card's expiration date is incomplete.", "card_error",
                       "invalid_expiry_month")
    year = int(match.group(2))
    return int(match.group(1)), year + 2000 if year < 100 else year


def card_of(state, form):
    """Check expiry and CVC as the card form does; returns (month, year)."""
    from datetime import datetime, timezone
    month, year = expiry(form.get("exp"))
    today = datetime.fromtimestamp(state.now(), timezone.utc)
    if (year, month) < (today.year, today.month):
        raise ApiError(402, "Your card's expiration year is in the past.", "card_error",
                       "invalid_expiry_year")
    if not re.fullmatch(r"\d{3,4}", (form.get("cvc") or "").strip()):
        raise ApiError(402, "Your card's security code is incomplete.", "card_error",
                       "incomplete_cvc")
    return month, year


def return_address(session):
    """`success_url` with the session's id in it."""
    url = session["success_url"] or session.get("return_url") or "/"
    return url.replace("{CHECKOUT_SESSION_ID}", quote(session["id"], safe=""))


class Site:
    """The pages of one state; `deliveries` is asked to settle before a buyer is sent back."""

    def __init__(self, state, deliveries):
        self.state = state
        self.deliveries = deliveries

    def routes(self):
        return [
            web.get("/_assets/double.css", self.style), web.get("/favicon.ico", self.icon),
            web.get("/c/pay/{id}", self.checkout), web.post("/c/pay/{id}", self.pay),
            web.post("/c/pay/{id}/code", self.code),
            web.post("/c/pay/{id}/challenge", self.challenge),
            web.get("/p/session/{token}", self.portal),
            web.post("/p/session/{token}/{action}", self.portal_action),
            web.get("/i/{account}/{id}", self.invoice),
            web.post("/i/{account}/{id}", self.pay_invoice),
            web.post("/i/{account}/{id}/challenge", self.invoice_challenge),
            web.get("/i/{account}/{id}/pdf", self.invoice_pdf)]

    async def style(self, request):
        return web.Response(text=pages.STYLE, content_type="text/css")

    async def icon(self, request):
        return web.Response(status=204)

    def locate(self, kind, ident):
        """(object, live) in whichever book holds it."""
        for live in (False, True):
            with self.state.acting(live):
                found = self.state.find(kind, ident)
                if found:
                    return found, live
        return None, False

    # ---- Checkout ---------------------------------------------------------------------------

    async def checkout(self, request):
        session, live = self.locate("checkout.session", request.match_info["id"])
        if session is None:
            return html(pages.missing_page(), 404)
        if session["status"] != "open":
            return html(pages.closed_page(session), 200 if session["status"] == "complete"
                        else 410)
        with self.state.acting(live):
            return html(pages.checkout_page(self.state, session))

    async def code(self, request):
        return await self._on_open(request, self._apply_code)

    async def pay(self, request):
        return await self._on_open(request, self._pay)

    async def challenge(self, request):
        return await self._on_open(request, self._challenge)

    async def _on_open(self, request, act):
        form = await request.post()
        session, live = self.locate("checkout.session", request.match_info["id"])
        if session is None:
            return html(pages.missing_page(), 404)
        if session["status"] != "open":
            return html(pages.closed_page(session), 410)
        events = self._event_count(live)
        with self.state.acting(live):
            try:
                answer = act(session, form)
            except ApiError as problem:
                return html(pages.checkout_page(self.state, session, problem.message, form))
        if answer is None:
            await self.settle(live, events)
            return to(return_address(session))
        return answer

    def _apply_code(self, session, form):
        checkout.apply_code(self.state, session, (form.get("code") or "").strip())
        return html(pages.checkout_page(self.state, session, values=form))

    def _pay(self, session, form):
        consent = session["consent_collection"] or {}
        if consent.get("terms_of_service") == "required" and form.get("terms") != "yes":
            raise ApiError(402, "Please agree to the terms of service.")
        buyer = {"email": form.get("email"), "name": form.get("name"),
                 "number": form.get("number")}
        if form.get("line1"):
            buyer["address"] = {"line1": form["line1"], "city": form.get("city"),
                                "postal_code": form.get("postal_code"), "country": "DE"}
        if checkout.needs_card(self.state, session):
            buyer["exp"] = list(card_of(self.state, form))
        if checkout.complete(self.state, session, **buyer) == "auth":
            self.state.private(session["id"])["asked"] = buyer
            return html(pages.challenge_page(f"/c/pay/{session['id']}/challenge"))
        return None

    def _challenge(self, session, form):
        buyer = self.state.private(session["id"]).pop("asked", None)
        if buyer is None or form.get("outcome") != "complete":
            raise ApiError(402, "We are unable to authenticate your payment method. Please "
                                "choose a different payment method and try again.")
        checkout.complete(self.state, session, authenticated=True, **buyer)

    def _event_count(self, live):
        with self.state.acting(live):
            return len(self.state.all("event"))

    async def settle(self, live, before):
        """Wait, as Checkout does, until the events made since were delivered once."""
        config = self.deliveries.config
        if config["delay"] or config["mode"] not in ("normal", "duplicate"):
            return
        with self.state.acting(live):
            made = [event["id"] for event in self.state.all("event")[before:]]
        await self.deliveries.settle(made, config["checkout_wait"])

    # ---- portal -----------------------------------------------------------------------------

    def _portal_session(self, request):
        for live in (False, True):
            with self.state.acting(live):
                session = portal.by_token(self.state, request.match_info["token"])
                if session:
                    return session, live
        return None, False

    async def portal(self, request):
        session, live = self._portal_session(request)
        if session is None:
            return html(pages.closed_page({"status": "expired"}), 410)
        base = f"/p/session/{request.match_info['token']}"
        with self.state.acting(live):
            return html(self._landing(session, base))

    def _landing(self, session, base):
        flow = session["flow"] or {"type": None}
        if flow["type"] == "payment_method_update":
            return portal_pages.card_only(session, base)
        if flow["type"] == "subscription_cancel":
            subscription = self.state.find("subscription",
                                           flow["subscription_cancel"]["subscription"])
            if not subscription["cancel_at"] and subscription["status"] not in billing.FINAL:
                return portal_pages.confirm_cancel(self.state, session, base, subscription)
        if flow["type"] == "subscription_update_confirm":
            wanted = flow["subscription_update_confirm"]
            subscription = self.state.find("subscription", wanted["subscription"])
            price = self.state.find("price", wanted["items"][0]["price"])
            if price and subscription["items"]["data"][0]["price"]["id"] != price["id"]:
                return portal_pages.confirm_change(self.state, session, base, subscription,
                                                   price)
        return portal_pages.home(self.state, session, base)

    async def portal_action(self, request):
        form = await request.post()
        session, live = self._portal_session(request)
        act = {"cancel": self._cancel, "resume": self._resume, "change": self._change,
               "card": self._card, "challenge": self._card_challenge}.get(
                   request.match_info["action"])
        if session is None or act is None:
            return html(pages.closed_page({"status": "expired"}), 410)
        base = f"/p/session/{request.match_info['token']}"
        events = self._event_count(live)
        with self.state.acting(live):
            try:
                answer = act(session, base, form)
            except ApiError as problem:
                page = portal_pages.card_only if (session["flow"] or {}).get("type") == \
                    "payment_method_update" else None
                text = page(session, base, problem.message) if page else portal_pages.home(
                    self.state, session, base, problem.message)
                return html(text)
        await self.settle(live, events)
        # An empty aiohttp response is falsy, so ask for None.
        return self._after(session, base) if answer is None else answer

    def _after(self, session, base):
        """Where a finished action leads: the flow's own end, else the portal's front page."""
        flow = session["flow"]
        if flow is None:
            return to(base)
        after = flow["after_completion"]
        if after["type"] == "redirect":
            return to(after["redirect"]["return_url"])
        if after["type"] == "hosted_confirmation":
            text = (after["hosted_confirmation"] or {}).get("custom_message")
            return html(portal_pages.confirmation(session, text or "Your changes are saved."))
        with self.state.acting(session["livemode"]):
            return html(portal_pages.home(self.state, session, base))

    def _cancel(self, session, base, form):
        subscription = portal.own(self.state, session, form.get("subscription"))
        if form.get("confirm") != "yes":
            return html(portal_pages.confirm_cancel(self.state, session, base, subscription))
        portal.cancel(self.state, session, subscription["id"], form.get("feedback"))

    def _resume(self, session, base, form):
        portal.keep(self.state, session, form.get("subscription"))

    def _change(self, session, base, form):
        portal.change_plan(self.state, session, form.get("subscription"), form.get("price"))

    def _card(self, session, base, form):
        asked = {"number": form.get("number") or "", "name": form.get("name"),
                 "exp": list(card_of(self.state, form))}
        if portal.new_card(self.state, session, **asked) == "auth":
            self.state.private(session["id"])["asked"] = asked
            return html(pages.challenge_page(f"{base}/challenge"))

    def _card_challenge(self, session, base, form):
        asked = self.state.private(session["id"]).pop("asked", None)
        if asked is None or form.get("outcome") != "complete":
            raise ApiError(402, "We are unable to authenticate your payment method. Please "
                                "choose a different payment method and try again.")
        portal.new_card(self.state, session, authenticated=True, **asked)

    # ---- the invoice ------------------------------------------------------------------------

    async def invoice(self, request):
        invoice, live = self.locate("invoice", request.match_info["id"])
        if invoice is None:
            return html(pages.missing_page(), 404)
        with self.state.acting(live):
            return html(pages.invoice_page(self.state, invoice, request.path))

    async def pay_invoice(self, request):
        return await self._invoice_attempt(request, request.path, await request.post())

    async def invoice_challenge(self, request):
        form = await request.post()
        base = request.path.removesuffix("/challenge")
        asked = self.state.private(request.match_info["id"]).pop("asked", None)
        if asked is None or form.get("outcome") != "complete":
            return to(base)
        return await self._invoice_attempt(request, base, asked, True)

    async def _invoice_attempt(self, request, base, form, authenticated=False):
        invoice, live = self.locate("invoice", request.match_info["id"])
        if invoice is None:
            return html(pages.missing_page(), 404)
        with self.state.acting(live):
            if invoice["status"] != "open":
                return to(base)
            try:
                exp = card_of(self.state, form)
                digits = cards.read(form.get("number") or "")
                customer = self.state.find("customer", invoice["customer"])
                rule = cards.CARDS[digits]["pay"]
                if rule.startswith("auth") and not authenticated:
                    self.state.private(invoice["id"])["asked"] = dict(form)
                    return html(pages.challenge_page(f"{base}/challenge"))
                method = payments.build_method(self.state, digits, customer["email"],
                                               form.get("name"), exp=exp)
                payments.attach(self.state, method, customer)
                outcome = self._collect(invoice, method, authenticated)
                if outcome != "ok":
                    raise cards.card_error(cards.CARDS[digits]["reason"])
            except ApiError as problem:
                return html(pages.invoice_page(self.state, invoice, base, problem.message))
        return to(base)

    def _collect(self, invoice, method, authenticated):
        outcome = billing.collect(self.state, invoice, method, present=True,
                                  authenticated=authenticated)
        ident = invoices.subscription_of(invoice)
        if outcome == "ok" and ident:
            subscription = self.state.find("subscription", ident)
            if subscription["status"] not in billing.FINAL:
                with billing.updating(self.state, subscription):
                    subscription["default_payment_method"] = method["id"]
        return outcome

    async def invoice_pdf(self, request):
        invoice, _ = self.locate("invoice", request.match_info["id"])
        if invoice is None:
            return html(pages.missing_page(), 404)
        return web.Response(body=pages.invoice_pdf(invoice), content_type="application/pdf")
