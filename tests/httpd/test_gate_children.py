# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What one process of a host changes, a webhook's or subbillctl's, every child of it acts on with its very next
request, although each has a cache of its own that knows better.

Once in a while a request looks at what other hosts have written, which would hide that nobody on this one has
told: so every child is asked just before a change, and nobody looks for the next quarter of a second.
"""
import pytest
from harness import children, databases, events
from harness.content import SECRET

DATABASES = databases.ALL
PAGE, BOUGHT = "/members/page.html", "/members/deep/er/page.html"

SITE = {
    "double": False,
    "extra": """
KeepAliveTimeout 20
<Location "/members/deep">
    SubbillGate purchase:book
</Location>
""",
}


class Person:
    """Somebody with a connection to every child."""

    def __init__(self, site, lines):
        self._lines = lines
        assert len(lines) == site.httpd.child_processes > 1

    def see(self, status, page=PAGE):
        """All children at once say the same, twice: out of the database and out of their caches."""
        for _ in range(2):
            for line in self._lines:
                answer = line.get(page)
                assert answer.status == status, (line.pid, answer.status, answer.headers["X-Subbill-Reason"])
                assert (SECRET in answer.text) == (status == 200)


@pytest.fixture
def meet(site):
    """meet(user): a Person."""
    children.ready(site.httpd)
    opened = []

    def somebody(user):
        opened.append(children.lines(site, user))
        return Person(site, opened[-1].__enter__())

    yield somebody
    for lines in opened:
        lines.__exit__(None, None, None)


@pytest.fixture
def ctl(site):
    """subbillctl as fast as it can be."""
    options = site.told()

    def run(*words):
        done = site.ctl(*options, *words)
        assert done.exit == 0, done.output

    return run


def test_the_gate_closes_and_opens_with_the_very_next_request(site, meet):
    """M7, C14, A16: every child sees a purchase and its end, of which a webhook tells."""
    user = site.new_user()
    person = meet(user)
    for _ in range(5):
        person.see(402)
        thing = site.subscribe(user, "basic")
        person.see(200)
        site.cancel(thing)
        site.allow_log("SB403")  # each round pays as another customer
    person.see(402)


def test_every_child_sees_whose_a_customer_is(site, meet, ctl):
    """B28, T08, T21: links set opens for one, and by force closes for that one and opens for the other."""
    first, second = site.new_user(), site.new_user()
    thing = events.subscription(None, "basic")
    assert site.webhook(events.subscription_created(thing)).status_code == 200
    one, other = meet(first), meet(second)
    other.see(402)
    one.see(402)
    ctl("links", "set", first, thing["customer"], "--offline")
    one.see(200)
    other.see(402)
    one.see(200)
    ctl("links", "set", second, thing["customer"], "--offline", "--force")
    one.see(402)
    other.see(200)


def test_every_child_sees_what_an_operator_gives_and_takes(site, meet, ctl):
    """B28, T21: purchases give and take."""
    user = site.new_user()
    person = meet(user)
    for _ in range(3):
        person.see(402, BOUGHT)
        ctl("purchases", "give", user, "book")
        person.see(200, BOUGHT)
        ctl("purchases", "take", user, "book")
    person.see(402, BOUGHT)
