# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Fixtures of the httpd tests.

    site        a running Site shared by the tests of one module; the module's variable SITE holds
                Site's keyword arguments; harness/matrix.py says on which databases
    make_site   makes sites for one test: make_site(**arguments), started unless start=False
    client      site.client         webhook     site.webhook        double   site.double
    db          site.database       story       loads a recorded story, or skips with the reason

After every test each server's error log is judged (harness/errorlog.py): announce what your test
causes with site.expect_log(r"SB012").
"""
import faulthandler
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from harness import httpd, matrix, scratch, site as sites, stories  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures times or loads the machine; nothing runs beside it")


def pytest_generate_tests(metafunc):
    matrix.parametrize(metafunc)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the servers wrote last."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in httpd.Httpd.living:
            report.sections.append((f"error log of {server.root.name}",
                                    "\n".join(server.log.lines()[-25:])))


# No test takes minutes; one that hangs ends the run with every thread's stack instead of with CI's patience.
HANGS_AFTER = 600


@pytest.fixture(autouse=True)
def _judged_servers():
    faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    problems = httpd.judge_all()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def _require_build(arguments):
    reason = sites.missing_build() if arguments.get("module", True) else None
    if reason:
        pytest.fail(reason, pytrace=False)


def _finish(*ended):
    """Stops sites and gives the last verdict on each, whatever happened to the others."""
    problems = []
    for site in ended:
        try:
            site.stop()
        except Exception as error:
            problems.append(str(error))
        problems += site.httpd.judge()
        if "Traceback" in site.double_words:
            problems.append(f"the Stripe double failed:\n{site.double_words}")
        if site.httpd in httpd.Httpd.living:
            httpd.Httpd.living.remove(site.httpd)
        site.discard()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture(scope="module")
def site(request, database):
    arguments = dict(getattr(request.module, "SITE", {}))
    _require_build(arguments)
    name = request.module.__name__.split(".")[-1].removeprefix("test_")
    made = sites.Site(**{"name": name, "database": database, **arguments})
    try:
        made.start()
    except BaseException:
        made.stop()
        raise
    yield made
    _finish(made)


def _recipe_sites():
    made = []

    def start(method, **arguments):
        _require_build({})
        made.append(method)
        return method.start(**arguments)

    yield start
    for method in made:
        method.stop()
    _finish(*[method.site for method in made if method.site])


@pytest.fixture
def make_recipe():
    """start(method, **arguments): a site of harness/recipes.py for one test."""
    yield from _recipe_sites()


@pytest.fixture(scope="module")
def make_module_recipe():
    """The same for all tests of a module."""
    yield from _recipe_sites()


@pytest.fixture
def home(request):
    """The dialect of sites that name none (harness/matrix.py)."""
    return getattr(request, "param", "sqlite3")


@pytest.fixture
def make_site(request, home):
    made = []

    def make(start=True, **arguments):
        _require_build(arguments)
        new = sites.Site(**{"name": request.node.originalname.removeprefix("test_"),
                            "database": home, **arguments})
        made.append(new)
        return new.start() if start else new

    yield make
    _finish(*made)


@pytest.fixture
def client(site):
    return site.client


@pytest.fixture
def webhook(site):
    return site.webhook


@pytest.fixture
def double(site):
    return site.double


@pytest.fixture
def db(site):
    return site.database


@pytest.fixture
def held_back(site):
    """No webhook arrives: what is known here comes from Stripe's answers alone."""
    site.double.control.configure_deliveries(mode="hold")
    yield
    site.double.control.configure_deliveries(mode="normal")
    site.double.control.flush()


@pytest.fixture
def story():
    def load(name, start=None):
        if not stories.available():
            pytest.skip(f"no recorded stories at {stories.FOLDER}")
        return stories.load(name, start)
    return load


@pytest.fixture(scope="session")
def scale():
    return scratch.scaled
