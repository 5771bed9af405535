# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Somebody with a real subscription at the Stripe double, and what the account page offers them."""
import re

from api import described


def buy(site, user, card="4242424242424242", **what):
    """Buys through checkout and comes back; returns the subscription's id."""
    answer = site.client.user(user).post("/subbill/checkout", json=what or {"plan": "basic"})
    assert answer.status_code == 200, answer.text
    done = site.double.control.complete(answer.json()["id"], card)
    assert done["outcome"] == "complete", done
    site.client.user(user).get(done["redirect"].replace(site.url, ""))
    site.double.control.flush()
    return done["session"]["subscription"]


def told(site, user):
    """The document of GET subscription."""
    return site.client.user(user).get("/subbill/subscription").json()


def at_stripe(site, ident):
    """The subscription as the double has it."""
    return next(each for each in site.double.control.objects("subscription") if each["id"] == ident)


def change(site, user, status=200, **body):
    """Posts a change of plan; the document of the answer."""
    answer = site.client.user(user).post("/subbill/subscription/change", json=body)
    assert answer.status_code == status, answer.text
    return described("/subscription/change", "POST", answer)


def price_at_stripe(site, ident):
    """Of the subscription's first item."""
    return at_stripe(site, ident)["items"]["data"][0]["price"]["id"]


def page(site, user, path="/subbill/account"):
    return site.client.browser(user).get(path)


def fields(html, action):
    """The hidden fields of the first form with this action."""
    form = re.search(r'<form[^>]*action="%s".*?</form>' % re.escape(action), html, re.S)
    assert form, f"no form to {action}"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group(0)))


def press(site, user, html, action, **more):
    """Sends the form of a page as a browser does."""
    return site.client.browser(user).post(action, headers={"Origin": site.url},
                                          data={**fields(html, action), **more})


def changes(site, ident):
    """The calls that changed this subscription at Stripe."""
    return [request for request in site.double.control.requests()
            if request["method"] in ("POST", "DELETE") and f"/v1/subscriptions/{ident}" in request["path"]]
