# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A database that an earlier version has filled, brought to this one: nothing lost, everything working."""
import ast
import json
import re
import time

import pytest
from harness import databases, events, scratch
from harness.answers import Answers
from harness.content import SECRET

# The last schema without jobs.
OLD = ("0001_spine", "0002_turns")
TOKEN = "0123456789abcdef" * 4


def statement(name, dialect):
    """A named statement of sql/queries/schema.sql as this dialect gets it."""
    text = (scratch.ROOT / "sql" / "queries" / "schema.sql").read_text()
    body = re.search(rf"^-- name: {name}\n(.*?)(?=^-- name: |\Z)", text, re.M | re.S)[1]
    parts = re.split(r"^-- dialect: (\w+)\n", body, flags=re.M)
    variants = dict(zip(parts[1::2], parts[2::2])) or {"default": parts[0]}
    chosen = variants.get(dialect, variants.get("default"))
    return re.sub(r"^--.*\n", "", chosen, flags=re.M).strip().rstrip(";") + ";"


def literal(value):
    return "NULL" if value is None else str(value) if isinstance(value, int) \
        else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


class Old:
    """A database as the earlier version left it."""

    def __init__(self, site):
        self.database, self.dialect = site.database, site.database.driver
        self.user = {kind: site.new_user(kind) for kind in ("payer", "late", "gone", "tied")}
        self.things, self.zero = {}, int(time.time()) - 5000
        scripts = [statement("schema_make_version", self.dialect),
                   statement("schema_make_step", self.dialect)]
        for number, name in enumerate(OLD, 1):
            path = scratch.ROOT / "sql" / "migrations" / self.dialect / f"{name}.sql"
            scripts += [path.read_text(), "INSERT INTO schema_version (version, oldest, applied_at) "
                        f"VALUES ({number}, 1, {self.zero});"]
        self.run("\n".join(scripts))
        self.insert("server_secret", name="token", value=TOKEN, created_at=self.zero)
        self._fill()

    def run(self, sql):
        self.database.execute(sql)
        if self.dialect == "sqlite3":  # as migrate leaves it
            self.database.execute("PRAGMA journal_mode = WAL")

    def insert(self, table, **row):
        escaped = [literal(value) for value in row.values()]
        if self.dialect != "mysql":
            escaped = [text.replace("\\\\", "\\") for text in escaped]
        self.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(escaped)});")

    def keep(self, event, state, reason=None, lease=0):
        self.insert("event", id=event["id"], type=event["type"], object_id=event["data"]["object"]["id"],
                    api_version=events.VERSION, created_at=event["created"],
                    received_at=event["created"], state=state, reason=reason, attempts=1,
                    source="webhook", lease_until=lease)
        self.insert("event_body", event_id=event["id"], body=json.dumps(event))

    def subscribe(self, kind, plan, status):
        thing = events.subscription(self.user[kind], plan, status, now=self.zero)
        self.things[kind] = thing
        item, told = thing["items"]["data"][0], events.subscription_created(thing, created=self.zero)
        about = {"price": item["price"]["id"], "product": item["price"]["product"],
                 "currency": "eur", "billing_interval": "month", "interval_count": 1,
                 "amount": item["price"]["unit_amount"], "quantity": 1}
        self.insert("account", user_name=self.user[kind], email=f"{kind}@example.com",
                    created_at=self.zero)
        self.insert("customer", id=thing["customer"], user_name=self.user[kind], source="webhook",
                    created_at=self.zero)
        self.insert("subscription", id=thing["id"], user_name=self.user[kind],
                    customer=thing["customer"], status=status, plan=plan, created_at=self.zero,
                    current_period_start=self.zero, current_period_end=self.zero + events.MONTH,
                    past_due_since=self.zero if status == "past_due" else 0,
                    event_created=self.zero, event_id=told["id"], source="webhook", **about)
        self.insert("subscription_item", id=item["id"], subscription=thing["id"],
                    period_start=self.zero, period_end=self.zero + events.MONTH, **about)
        bill = events.invoice(thing, paid=status != "past_due", now=self.zero)
        self.insert("invoice", id=bill["id"], customer=thing["customer"], subscription=thing["id"],
                    user_name=self.user[kind], status=bill["status"], currency="eur",
                    amount_due=bill["amount_due"], amount_paid=bill["amount_paid"],
                    created_at=self.zero, attempt_count=1, event_created=self.zero,
                    source="webhook")
        self.insert("payment", id=bill["id"], kind="invoice", user_name=self.user[kind],
                    customer=thing["customer"], invoice=bill["id"], currency="eur",
                    amount=bill["amount_due"], created_at=self.zero,
                    status="failed" if status == "past_due" else "succeeded", source="webhook")
        self.keep(told, "done")
        return thing

    def _fill(self):
        self.subscribe("payer", "pro", "active")
        self.subscribe("late", "basic", "past_due")
        self.subscribe("gone", "basic", "canceled")
        tied = self.subscribe("tied", "basic", "unpaid")
        self.insert("trial", user_name=self.user["payer"], used_at=self.zero, plan="basic",
                    subscription=self.things["payer"]["id"], source="webhook")
        self.insert("checkout", id="a" * 32, session="cs_test_old1", user_name=self.user["payer"],
                    plan="pro", mode="subscription", state="complete", created_at=self.zero,
                    success_url="https://shop.example/Zoë's?a=%41&b=\\")
        self.insert("link_audit", id="b" * 32, user_name=self.user["payer"], what="bound",
                    customer=self.things["payer"]["customer"], who="stripe",
                    changed_at=self.zero)
        # Of one second with what is stored, and granting more: the earlier version left it lying.
        self.stuck = events.subscription_updated({**tied, "status": "active"}, created=self.zero)
        self.keep(self.stuck, "received", "tie_unresolved")


def gate(site, user):
    pages = [site.client.user(user).get(f"/{place}/page.html")
             for place in ("members", "workshop")]
    assert all((SECRET in page.text) == (page.status_code == 200) for page in pages)
    return [page.status_code for page in pages]


@pytest.fixture
def stripe():
    made = Answers()
    yield made
    made.stop()


@pytest.mark.parametrize("dialect", databases.chosen())
def test_a_filled_database_of_the_earlier_schema_is_upgraded_and_works(make_site, stripe, dialect):
    """F33, F34, F01: every old row is as it was; until then everything is closed; gates, webhook and the
    worker go on with what the earlier version had stored, also with what it had left lying."""
    site = make_site(database=dialect, double=False, migrate=False, start=False,
                     directives={"SubbillStripeAPI": stripe.url})
    old = Old(site)
    before = site.database.dump()
    assert len(before["event"]) == 5
    assert site.ctl("migrate", "--check").exit == 1
    site.expect_log("SB20")
    site.start()
    assert gate(site, old.user["payer"]) == [503, 503]
    told = events.subscription_updated({**old.things["late"], "status": "active"})
    assert site.webhook(told).status_code == 503
    assert site.database.dump() == before

    assert site.ctl("migrate").exit == 0
    assert site.ctl("migrate", "--check").exit == 0
    for table, rows in before.items():
        # A new column stands behind the old ones.
        width = len(ast.literal_eval(rows[0])) if rows else None
        kept = [row[:width] for row in site.database.rows(f"SELECT * FROM {table}")]
        assert sorted(map(str, kept)) == rows, table
    time.sleep(1.1)  # a schema that was missing is looked for once a second
    assert gate(site, old.user["payer"]) == [200, 200]
    assert gate(site, old.user["late"])[0] == gate(site, old.user["gone"])[0] == 402
    assert site.webhook(told).json()["state"] == "done"
    assert gate(site, old.user["late"]) == [200, 403]

    assert gate(site, old.user["tied"])[0] == 402
    thing = old.things["tied"]
    stripe.objects[f"/v1/subscriptions/{thing['id']}"] = {**thing, "status": "active"}
    for _ in range(2):
        assert site.ctl("work", "--once").exit == 0
    assert gate(site, old.user["tied"]) == [200, 403]
    assert site.database.count("event", "state = 'received'") == 0
    assert site.database.count("job") == 0
    assert site.webhook(old.stuck).json()["state"] == "duplicate"


@pytest.mark.parametrize("dialect", databases.chosen())
def test_old_events_can_be_rebuilt_too(make_site, dialect):
    """F18: events without a known moment of arrival within their second come in the order of their ids."""
    site = make_site(database=dialect, double=False, migrate=False, start=False)
    Old(site)
    assert site.ctl("migrate").exit == 0
    for table in ("customer", "subscription", "subscription_item", "invoice", "payment", "trial"):
        site.database.execute(f"DELETE FROM {table}")
    told = site.ctl_json("events", "rebuild")
    assert (told["events"], told["bodies_missing"], told["changed"]) == (5, 0, 0)
    found = {row[0]: row[1] for row in site.database.rows("SELECT user_name, status FROM subscription")}
    assert sorted(found.values()) == ["active", "canceled", "past_due", "unpaid"]
