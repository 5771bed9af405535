# Licensed under the Apache License, Version 2.0; see LICENSE.
"""No secret anywhere but where it belongs, whatever happens and however much is logged (T37)."""
import json
import subprocess

import pytest
from harness import events, scratch

CANARIES = {
    "stripe key": "canary51AAAAkeyOfThisSite",
    "second key": "canary52BBBBsecondKey",
    "webhook secret": "canary53CCCCwebhook",
    "endpoint secret": "canary54DDDDendpoint",
    "password": "canary55EEEEpassword",
}
UUID = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"


@pytest.fixture(scope="module")
def haunted(request):
    """A site that logs all it can, whose secrets are all known words; and everything it answered."""
    from harness.site import Site
    site = Site(name="secrets", secret=f"whsec_{CANARIES['webhook secret']}",
                httpd={"log_level": "trace8"})
    files = {"key1": "sk_test_" + CANARIES["stripe key"], "key2": "rk_test_" + CANARIES["second key"],
             "other": "whsec_" + CANARIES["endpoint secret"]}
    for name, text in files.items():
        scratch.write(site.root / "secrets" / name, text + "\n", 0o600)
    site.reconfigure(graceful=False, directives={
        "SubbillStripeKey": f"file:{site.root}/secrets/key1 file:{site.root}/secrets/key2",
        "SubbillWebhookEndpoint": f"{UUID} file:{site.root}/secrets/other"})
    text = site.httpd.config_path.read_text().replace("subbill:debug", "subbill:trace8")
    site.httpd.config_path.write_text(text)
    site.start()
    heard = []

    def ask(method, path, user=None, **about):
        client = site.client.user(user) if user else site.client
        answer = client.request(method, path, **about)
        heard.append(f"{answer.status_code}\n{answer.headers}\n{answer.text}")
        return answer

    site.allow_log(".")
    yield site, ask, heard
    site.allow_log(".")
    site.stop()
    site.httpd.judge()
    site.discard()


def test_no_secret_reaches_a_log_a_page_a_dump_or_an_argument_list(haunted):
    """T37, A20, A64, C26, D4, D29, B21: at LogLevel trace8, through good calls, bad ones and faults."""
    site, ask, heard = haunted
    for method, path, user, about in [
            ("GET", "/subbill/plans", None, {}), ("GET", "/subbill/config", None, {}),
            ("POST", "/subbill/checkout", "bob", {"json": {"plan": "basic"}}),
            ("POST", "/subbill/portal", "bob", {"json": {}}),
            ("GET", "/subbill/account", "bob", {}), ("GET", "/subbill/subscription", "bob", {}),
            ("POST", "/subbill/checkout", "bob", {"json": {"plan": "nothing"}}),
            ("POST", "/subbill/webhook", None, {"content": b"{}"}),
            ("GET", "/members/page.html", "alice", {}), ("GET", "/members/page.html", None, {}),
            ("GET", "/server-info", None, {}), ("GET", "/server-status", None, {}),
            ("GET", "/subbill/return?session_id=cs_test_nothing", "bob", {})]:
        ask(method, path, user, **about)
    site.subscribe("bob", "basic")
    event = events.customer_created(events.customer())
    for secret in ("whsec_wrong", site.secret, "whsec_" + CANARIES["endpoint secret"]):
        for path in ("/subbill/webhook", f"/subbill/webhook/{UUID}"):
            heard.append(site.webhook(event, secret=secret, path=path).text)
    for fault in ("garbage", "html", "reset", "status"):
        site.double.control.fault(fault, times=3, **({"status": 401} if fault == "status" else {}))
        ask("POST", "/subbill/checkout", "carol", json={"plan": "pro"})
        site.double.control.clear_faults()
    assert site.httpd.graceful().exit == 0
    outputs = [site.ctl(*words).output for words in (
        ["migrate", "--check"], ["user", "show", "bob"], ["events", "list"], ["catalog", "check"],
        ["events", "list", "--json"])]
    outputs.append(site.httpd.apachectl("-t", "-D", "DUMP_SUBBILL").output)
    outputs.append(site.httpd.apachectl("-t", "-D", "DUMP_CONFIG").output)
    outputs.append(json.dumps(site.database.dump()))
    for pid in [site.httpd.process.pid, *site.httpd.pids()]:
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                outputs.append(file.read().decode(errors="replace"))
    outputs.append(subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True,
                                  check=True).stdout)
    outputs += [path.read_text(errors="replace") for path in (site.root / "logs").glob("*.log")]
    for name, canary in CANARIES.items():
        for text in heard + outputs:
            # The test's own command line is not the site's.
            assert canary not in text, f"{name}: …{text[max(0, text.index(canary) - 300):][:400]}"


def test_the_secret_reached_stripe_and_nobody_else(haunted):
    """T37: the test above would also pass if the key were never used."""
    site, ask, _ = haunted
    ask("POST", "/subbill/checkout", "dave", json={"plan": "basic"})
    seen = json.dumps(site.double.control.requests())
    assert CANARIES["stripe key"][-4:] in seen


def test_a_secret_that_others_may_read_is_warned_about(make_site):
    """T37: the file and the cure are named; the server starts."""
    site = make_site(double=False)
    path = site.root / "secrets" / "stripe.key"
    assert "chmod 600" not in site.httpd.configtest().output
    path.chmod(0o644)
    done = site.httpd.configtest()
    path.chmod(0o600)
    assert done.exit == 0
    assert f"SubbillStripeKey: {path} holds a secret" in done.output
    assert f"chmod 600 {path}" in done.output
