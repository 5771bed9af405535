# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Directives and their relations: what is wrong is said by configtest, with directive, file, line and
cure, and a reload with a mistake leaves the running server serving."""
import json
import os
import re

import pytest
from harness import catalogue, scratch
from harness.site import PUBLISHABLE_KEY


def _broken(name, directives=None, message=(), files=None, catalog=None, **changes):
    return pytest.param({"directives": directives or {}, "files": files or {}, "catalog": catalog,
                         "changes": changes, "message": message}, id=name)


def _catalog(change):
    made = catalogue.default()
    change(made)
    return made


def _set_price(value):
    def change(made):
        catalogue.plan(made, "basic")["prices"][0]["id"] = value
    return change


def _text_amount(made):
    catalogue.plan(made, "basic")["prices"][0]["amount"] = "2,99"


BROKEN = [
    _broken("inline_key", {"SubbillStripeKey": "sk_test_1234567890abcdef"},
            ["SubbillStripeKey", "line", "apache2.conf", "file:"]),
    _broken("inline_webhook_secret", {"SubbillWebhookSecret": "whsec_1234567890abcdef"},
            ["SubbillWebhookSecret", "file:"]),
    _broken("missing_key_file", {"SubbillStripeKey": "file:/nowhere/stripe.key"},
            ["SubbillStripeKey (line", "/nowhere/stripe.key cannot be read"]),
    _broken("missing_key", {"SubbillStripeKey": None}, ["SubbillStripeKey (not given", "write"]),
    _broken("blank_secret", files={"webhook.secret": ""},
            message=["SubbillWebhookSecret (line", "is blank"]),
    _broken("space_secret", files={"webhook.secret": "  \t "},
            message=["SubbillWebhookSecret (line", "is blank"]),
    _broken("newline_in_secret", files={"webhook.secret": "whsec_first\nwhsec_second\n"},
            message=["SubbillWebhookSecret (line", "line break"]),
    _broken("no_stripe_secret", files={"webhook.secret": "hunter2hunter2\n"},
            message=["SubbillWebhookSecret (line", "whsec_"]),
    _broken("good_and_blank_secret",
            {"SubbillWebhookSecret": ["file:{root}/secrets/webhook.secret",
                                      "file:{root}/secrets/blank"]},
            files={"blank": "\n"}, message=["SubbillWebhookSecret (line", "is blank"]),
    _broken("no_webhook_secret", {"SubbillWebhookSecret": None},
            ["SubbillWebhookSecret (not given", "write"]),
    _broken("test_key_in_live_mode", {"SubbillMode": "live", "SubbillStripePublishableKey": None,
                                      "SubbillBaseURL": "https://www.example.com"},
            ["SubbillStripeKey (line", "SubbillMode is live", "sk_live_"]),
    _broken("live_key_in_test_mode", files={"stripe.key": "sk_live_51abcdefghij\n"},
            message=["SubbillStripeKey (line", "SubbillMode is test", "sk_test_"]),
    _broken("no_key_at_all", files={"stripe.key": "password123\n"},
            message=["SubbillStripeKey (line", "is no secret key"]),
    _broken("secret_as_publishable_key", {"SubbillStripePublishableKey": "sk_test_123456"},
            ["SubbillStripePublishableKey", "pk_test_"]),
    _broken("live_over_http", {"SubbillMode": "live", "SubbillStripePublishableKey": None},
            files={"stripe.key": "sk_live_51abcdefghij\n"},
            message=["SubbillBaseURL (line", "https"]),
    _broken("unknown_plan_in_gate", gates='<Location "/members">\nSubbillGate platinum\n</Location>',
            message=["SubbillGate (line", "platinum", "basic"]),
    _broken("unknown_plan_in_require",
            gates='<Location "/members">\nRequire subscription platinum\n</Location>',
            message=["Require subscription (line", "platinum"]),
    _broken("gate_without_words", gates='<Location "/members">\nSubbillGate\n</Location>',
            message=["SubbillGate", "any"]),
    _broken("placeholder_price", catalog=_catalog(_set_price("price_XXX")),
            message=["SubbillCatalog (line", "plans[1].prices[0].id", "price_XXX"]),
    _broken("placeholder_dots", catalog=_catalog(_set_price("price_...")),
            message=["SubbillCatalog (line", "plans[1].prices[0].id"]),
    _broken("placeholder_underscore", catalog=_catalog(_set_price("price_premium_monthly")),
            message=["SubbillCatalog (line", "plans[1].prices[0].id"]),
    _broken("amount_as_text", catalog=_catalog(_text_amount),
            message=["SubbillCatalog (line", "plans[1].prices[0].amount"]),
    _broken("catalog_not_json", catalog="{ this is no JSON",
            message=["SubbillCatalog (line", "catalog.json"]),
    _broken("missing_catalog", {"SubbillCatalog": "/nowhere/catalog.json"},
            ["SubbillCatalog (line", "cannot be read"]),
    _broken("unknown_driver", {"SubbillDatabase": "oracle x"}, ["SubbillDatabase", "pgsql"]),
    _broken("inline_password", {"SubbillDatabase": 'pgsql "host=db password=hunter2"'},
            ["SubbillDatabase (line", "file:"]),
    _broken("inline_password_with_blanks", {"SubbillDatabase": 'pgsql "host=db password = hunter2"'},
            ["SubbillDatabase (line", "file:"]),
    _broken("inline_password_in_url",
            {"SubbillDatabase": '"pgsql" "postgres://subbill:hunter2@db/subbill"'},
            ["SubbillDatabase (line", "file:"]),
    _broken("relative_sqlite", {"SubbillDatabase": "sqlite3 data/subbill.db"},
            ["SubbillDatabase (line", "absolute"]),
    _broken("no_base_url", {"SubbillBaseURL": None}, ["SubbillBaseURL (not given", "write"]),
    _broken("base_url_no_address", {"SubbillBaseURL": "www.example.com"}, ["SubbillBaseURL"]),
    _broken("foreign_success_url", {"SubbillSuccessURL": "https://evil.example/"},
            ["SubbillSuccessURL (line"]),
    _broken("stripe_api_over_http", {"SubbillStripeAPI": "http://stripe.example.com"},
            ["SubbillStripeAPI (line", "https"]),
    _broken("unknown_route", {"SubbillRoute": "shop /shop"}, ["SubbillRoute", "plans"]),
    _broken("nothing_mounted", routes="", message=["SubbillRoute (not given", "SetHandler subbill"]),
    _broken("unknown_language", {"SubbillLanguages": "en tlh"}, ["SubbillLanguages (line", "tlh"]),
    _broken("bad_expression", extra='<Location "/x">\nSubbillUser "%{env:"\n</Location>',
            message=["SubbillUser"]),
    _broken("bad_on_deny", extra='<Location "/x">\nSubbillOnDeny 418\n</Location>',
            message=["SubbillOnDeny", "redirect"]),
    _broken("negative_grace", extra='<Location "/x">\nSubbillGrace -1\n</Location>',
            message=["SubbillGrace"]),
    _broken("bad_tolerance", {"SubbillWebhookTolerance": "soon"}, ["SubbillWebhookTolerance"]),
    _broken("bad_catch_up", {"SubbillCatchUp": "-1"}, ["SubbillCatchUp", "seconds"]),
    _broken("bad_pool", {"SubbillDatabasePool": "0"}, ["SubbillDatabasePool"]),
    _broken("bad_mode", {"SubbillMode": "production"}, ["SubbillMode", "live"]),
    _broken("bad_endpoint", {"SubbillWebhookEndpoint": "short file:/x"}, ["SubbillWebhookEndpoint"]),
]


def _fill(value, site):
    return value.replace("{root}", str(site.root)) if isinstance(value, str) else \
        [_fill(one, site) for one in value] if isinstance(value, list) else value


SITE = {"double": False}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_running_server_survives_a_reload_with_a_mistake(site, broken):
    """T02, D19, A10, E26, A20, C26, A22, C25, B22: configtest names directive, place and cure; graceful
    refuses; the old configuration goes on serving."""
    before = dict(site.directives), site.gates, site.routes, site.extra
    secrets = {name: (site.root / "secrets" / name).read_text()
               for name in ("stripe.key", "webhook.secret")}
    try:
        for name, text in broken["files"].items():
            scratch.write(site.root / "secrets" / name, text, 0o600)
        if broken["catalog"] is not None:
            site.set_catalog(broken["catalog"])
        for name, text in broken["changes"].items():
            setattr(site, name, text)
        site.directives.update({k: _fill(v, site) for k, v in broken["directives"].items()})
        site.httpd.configure(site._conf())
        test = site.httpd.configtest()
        assert test.exit != 0
        for part in broken["message"]:
            assert part in test.output
        for secret in ("hunter2", "1234567890abcdef", "password123", "sk_test_123456"):
            assert secret not in test.output
        reload = site.httpd.graceful()
        assert reload.exit != 0
        assert site.client.get("/open/").status_code == 200
        assert site.client.get("/subbill/plans").status_code == 200
    finally:
        site.directives, site.gates, site.routes, site.extra = dict(before[0]), *before[1:]
        for name, text in secrets.items():
            scratch.write(site.root / "secrets" / name, text, 0o600)
        site.set_catalog(catalogue.default())
        site.httpd.configure(site._conf())


def test_a_good_configuration_passes_configtest(site):
    """A65: nothing but a reload is needed after a change."""
    assert site.httpd.configtest().exit == 0
    assert site.httpd.graceful().exit == 0
    assert site.client.get("/subbill/plans").status_code == 200


def test_the_dump_tells_everything_but_secrets(site):
    """T37, C32: subbillctl reads the settings from -D DUMP_SUBBILL; secrets appear as sources."""
    done = site.httpd.apachectl("-t", "-D", "DUMP_SUBBILL")
    text = done.output[done.output.index("{"):done.output.rindex("}") + 1]
    (settings,) = json.loads(text)["servers"]
    assert settings["stripe_keys"] == [f"file:{site.root}/secrets/stripe.key"]
    assert settings["publishable_keys"] == [PUBLISHABLE_KEY]
    assert settings["mount"] == "/subbill"
    assert settings["webhook_tolerance"] == 300
    assert settings["catch_up"] == 0  # as the site's file says
    assert settings["live"] is False
    assert "canary" not in text


def test_configuration_dumps_hold_no_secret(site):
    """T37, A20: DUMP_CONFIG and server-info print arguments, so arguments hold no secret."""
    assert "canary" not in site.httpd.apachectl("-t", "-D", "DUMP_CONFIG").output
    assert "canary" not in site.client.get("/server-info").text


def test_secrets_come_from_file_dotenv_environment_and_program(make_site):
    """A19, A64, A65, B21, C26, D4: every source, rotated by a graceful restart."""
    site = make_site(start=False)
    dotenv = scratch.write(site.root / "secrets" / "env",
                           "# keys\nexport KEY='sk_test_51fromDotenv'\n"
                           f'HOOK="{site.secret}"\n', 0o600)
    program = scratch.write(site.root / "bin" / "key", "#!/bin/sh\necho sk_test_51fromProgram\n",
                            0o700)
    os.environ["SB_TEST_KEY"] = "sk_test_51fromEnvironment"
    try:
        for source in (f"file:{dotenv}#KEY", "env:SB_TEST_KEY", f'"exec:{program} now"'):
            site.reconfigure(graceful=False, directives={
                "SubbillStripeKey": source, "SubbillWebhookSecret": f"file:{dotenv}#HOOK"})
            assert site.httpd.configtest().exit == 0, source
        site.start()
        assert site.webhook({"id": "evt_1SbPing", "object": "event", "type": "ping",
                             "created": 1, "livemode": False, "data": {"object": {}}}
                            ).status_code == 200
    finally:
        del os.environ["SB_TEST_KEY"]


def test_both_modes_keys_stand_side_by_side(make_site):
    """B22, C34, A19: one word chooses between test and live keys."""
    site = make_site(start=False)
    live = scratch.write(site.root / "secrets" / "live.key", "rk_live_51abcdefghij\n", 0o600)
    site.reconfigure(graceful=False, directives={
        "SubbillStripeKey": f"file:{live} file:{site.root}/secrets/stripe.key",
        "SubbillStripePublishableKey": f"{PUBLISHABLE_KEY} pk_live_51abc",
        "SubbillBaseURL": "https://www.example.com"})
    for mode in ("test", "live"):
        site.reconfigure(graceful=False, directives={"SubbillMode": mode})
        assert site.httpd.configtest().exit == 0


def test_gates_in_htaccess_are_refused(make_site):
    """T45: whoever writes a .htaccess cannot open the gate, nor say who somebody is."""
    site = make_site(allow_override="All")
    for line in ("SubbillGate Off", "SubbillUser bob", "SubbillGrace 365"):
        scratch.write(site.root / "docroot" / "members" / ".htaccess", line + "\n")
        site.expect_log(rf"{line.split()[0]} not allowed here")
        assert site.client.get("/members/page.html").status_code in (401, 500)
        scratch.write(site.root / "docroot" / "members" / ".htaccess", "\n")
        site.httpd.judge()


def test_a_nested_off_is_logged_at_start(make_site):
    """A nested SubbillGate Off opens a hole, so the log says where."""
    site = make_site(extra='<Location "/members/free">\nSubbillGate Off\n</Location>')
    assert any("SB104" in line for line in site.httpd.log.lines())


def test_a_virtual_host_has_its_own_settings_and_shares_what_it_leaves_out(make_site):
    """M9: hosts with one directive of their own, hosts with none, hosts with a mount only."""
    site = make_site(extra="""
<VirtualHost 127.0.0.1:*>
    ServerName main.example
</VirtualHost>
<VirtualHost 127.0.0.1:*>
    ServerName off.example
    SubbillEnabled Off
    <Location "/members">
        SubbillGate any
    </Location>
</VirtualHost>
<VirtualHost 127.0.0.1:*>
    ServerName shop.example
    <Location "/shop">
        SetHandler subbill
    </Location>
</VirtualHost>
""")
    get = lambda host, path: site.client.get(path, headers={"Host": host})  # noqa: E731
    assert get("main.example", "/subbill/plans").status_code == 200
    answer = get("off.example", "/subbill/plans")
    assert answer.status_code == 503 and "Stripe is not enabled" in answer.text
    assert get("shop.example", "/shop/plans").status_code == 200


def test_settings_in_the_main_server_and_routes_in_a_virtual_host_are_enough(make_site):
    """M9: Debian's usual layout: module settings global, locations in the site's own host."""
    site = make_site(routes="", extra="""
<VirtualHost 127.0.0.1:*>
    ServerName site.example
    <Location "/subbill">
        SetHandler subbill
    </Location>
</VirtualHost>
""")
    assert site.client.get("/subbill/plans", headers={"Host": "site.example"}).status_code == 200
    assert site.ctl("migrate", "--check").exit == 0
    for path in ("/subbill/plan", "/subbill", "/subbill/plans/x"):
        assert site.client.get(path, headers={"Host": "site.example"}).status_code == 404


@pytest.mark.parametrize("document", ["README.md", "conf/subbill.conf"])
def test_the_configuration_in_the_documents_works_as_it_stands(make_site, document):
    """M9, A65: copied out of README and sample, with paths of this machine, it sells and closes."""
    text = (scratch.ROOT / document).read_text()
    if document.endswith(".md"):
        text = re.search(r"```apache\n(.*?)```", text, re.S)[1]
    site = make_site(start=False, gates="", routes="", login="")
    keys = scratch.write(site.root / "secrets" / "subbill.env", "STRIPE_SECRET_KEY=sk_test_51abc\n"
                         f"STRIPE_WEBHOOK_SECRET={site.secret}\n", 0o600)
    for there, here in {"/var/lib/subbill/subbill.db": site.database.params,
                        "/etc/subbill/subbill.env": keys,
                        "/etc/subbill/catalog.json": site.root / "catalog.json",
                        "/etc/subbill/users": site.root / "secrets" / "people",
                        "https://www.example.com": site.url}.items():
        text = text.replace(there, str(here))
    text = re.sub(r"LoadModule .*", "", text) + f"SubbillStripeAPI {site.double.url}\n"
    site.reconfigure(graceful=False, extra=text, directives=dict.fromkeys(site.directives))
    site.start()
    assert site.client.browser().get("/subbill/plans").status_code == 200
    assert site.client.get("/members/page.html").status_code == 401
    assert site.client.user("bob").get("/members/page.html").status_code == 402
    site.subscribe("bob", "basic")
    assert site.client.user("bob").get("/members/page.html").status_code == 200
    assert site.client.user("carol").post("/subbill/checkout", json={"plan": "basic"}
                                          ).status_code == 200
