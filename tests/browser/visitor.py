# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What a person does on the demo: reads, logs in, chooses, pays, manages. Each step waits for the
page it leads to, and says so when another one comes."""

CARD = "4242 4242 4242 4242"
DIARY = "#members-only"
HIDE = "#workshop-only"


def buy_button(plan, interval="month"):
    return (f'form:has(input[name="plan"][value="{plan}"])'
            f':has(input[name="interval"][value="{interval}"]) button')


class Visitor:
    def __init__(self, browser, demo, name=None):
        self.browser = browser
        self.demo = demo
        self.name = demo.new_person(name)

    def go(self, path):
        self.browser.open(self.demo.base + path)
        return self

    def at(self, path):
        """Waits until the browser shows a page of the site."""
        self.browser.arrive(self.demo.base + path)
        return self

    def may_read(self, path="/members/", mark=DIARY):
        """Whether the closed page opens; where it does not, nothing of it may be seen."""
        self.go(path)
        return self.browser.has(mark)

    # --- the site ------------------------------------------------------------------------------

    def log_in(self, path="/members/"):
        """Asks for a closed page, is asked who is there, and says so."""
        self.go(path).at("/login")
        self.browser.fill("#username", self.name).fill("#password", self.name).click("#submit")
        self.browser.leave(self.demo.base + "/login")
        return self

    def choose(self, plan, interval="month"):
        self.at("/subbill/plans").browser.click(buy_button(plan, interval))
        return self.at_stripe("/c/pay/")

    def open_portal(self):
        self.go("/subbill/account").browser.click('form[action$="/subbill/portal"] button')
        return self.at_stripe("/p/session/")

    def buy(self, plan="basic", interval="month", card=CARD):
        """From the closed page to the open one."""
        self.log_in().choose(plan, interval).pay(card).at("/members/")
        self.browser.see(DIARY)
        return self

    # --- at the stand-in for Stripe --------------------------------------------------------------

    def at_stripe(self, path):
        self.browser.arrive(self.demo.stripe.base_url + path)
        return self

    def pay(self, card=CARD):
        if self.browser.has("input#email"):
            self.browser.fill("#email", "reader@example.com")
        self.browser.fill("#card-number", card).fill("#card-exp", "11 / 33")
        self.browser.fill("#card-cvc", "424").click("#pay")
        return self

    def cancel_in_portal(self):
        self.open_portal().browser.click("#cancel-subscription").click("#confirm")
        self.browser.see("#resume-subscription")
        self.browser.click("#return")
        return self.at("/subbill/account")

    # --- what the site knows -----------------------------------------------------------------

    def subscriptions(self):
        """[(plan, status)] in the site's database."""
        return self.demo.rows("SELECT plan, status FROM subscription WHERE user_name = ?",
                              self.name)

    def customer(self):
        return self.demo.rows("SELECT id FROM customer WHERE user_name = ?", self.name)[0][0]

    def subscription_id(self):
        """The subscription as Stripe calls it."""
        return self.demo.rows("SELECT id FROM subscription WHERE user_name = ?",
                              self.name)[0][0]
