# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The scripts a build leans on: they find what they are for, and say so in a sentence."""
import importlib.machinery
import importlib.util
import os
import subprocess

import pytest

from harness import scratch

LINT = scratch.ROOT / "tools" / "lint"


def load(path):
    """A script without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def programs(tmp_path):
    """Stand-ins for dpkg-query and apt-get; calls to apt-get are remembered."""
    def make(answer, status):
        for name, text in (("dpkg-query", "exit 1"),
                           ("apt-get", f'echo "$@" >>{tmp_path}/calls\ntest -x /usr/sbin/policy-rc.d '
                                       f'&& echo kept >>{tmp_path}/calls\necho "{answer}"\n'
                                       f"exit {status}")):
            scratch.write(tmp_path / name, f"#!/bin/sh\n{text}\n", 0o755)
        done = subprocess.run([str(scratch.ROOT / "tools" / "deps"), "lint"], capture_output=True,
                              text=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        return done, (tmp_path / "calls").read_text()
    return make


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="writes /usr/sbin/policy-rc.d as root")


def test_installed_packages_are_not_spoken_of():
    done = subprocess.run([str(scratch.ROOT / "tools" / "deps"), "demo"], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@needs_root
def test_an_installation_starts_no_service_and_says_what_it_installs(programs):
    before = os.path.exists("/usr/sbin/policy-rc.d")
    done, calls = programs("done", 0)
    assert done.returncode == 0 and "Installing Debian packages: clang-format" in done.stdout
    assert "install -y --no-install-recommends clang-format" in calls and "kept" in calls
    assert os.path.exists("/usr/sbin/policy-rc.d") == before


@needs_root
def test_no_network_is_one_clear_sentence(programs):
    done, _ = programs("E: Failed to fetch http://deb.debian.org/  Could not resolve host", 100)
    assert done.returncode != 0
    assert "cannot be reached" in done.stderr and done.stderr.count("\n") == 1
    assert not os.path.exists("/usr/sbin/policy-rc.d.mod_subbill")


def test_requirement_numbers_are_read_from_docstrings_and_comments(tmp_path):
    tool = load(scratch.ROOT / "tools" / "requirements")
    (tmp_path / "test_x.py").write_text(
        'class TestIt:\n    """T01"""\n    def test_a(self):\n        """A17: a promise. F09"""\n'
        'def test_b():\n    """HTTP/2, UTF-8, A17-like words and E2E count for nothing."""\n')
    found = {name: tool.NUMBER.findall(text)
             for name, text in tool.python_tests(tmp_path / "test_x.py")}
    assert found == {"test_a": ["T01", "A17", "F09"], "test_b": []}
    (tmp_path / "test_x.c").write_text("/* B10, T08: bound by us. */\nSTART_TEST(test_c)\n")
    assert [(name, tool.NUMBER.findall(text)) for name, text in tool.c_tests(
        tmp_path / "test_x.c")] == [("test_c", ["B10", "T08"])]
    (tmp_path / "fuzz_x.c").write_text("/* no T01 */\nstatic int n;\n/* T47: all. */\n"
                                       "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n")
    assert [(name, tool.NUMBER.findall(text)) for name, text in tool.fuzz_targets(
        tmp_path / "fuzz_x.c")] == [("fuzz_x", ["T47"])]


@pytest.mark.parametrize("check, room, text, finding", [
    ("banned", "base", "void f(char *a) { strcpy(a, a); }", "strcpy() is not used here"),
    ("layers", "domain", "#include <httpd.h>\n", "only web/ includes httpd"),
    ("layers", "store", "#include <curl/curl.h>\n", "only net/ includes libcurl"),
    ("layers", "text", "#include <apr_dbd.h>\n", "only store/ includes a database"),
    ("layers", "base", '#include "store/db.h"\n', "base/ may not look into store/"),
    ("layers", "domain", "void f(void) { apr_time_now(); }", "reads no clock"),
    ("sql", "store", 'const char *q = "SELECT 1 FROM t";', "SQL text in C"),
    ("sql", "web", 'const char *h = "<p class=x>";', "HTML in C"),
    ("log_ids", "base", 'void f(void) { sb_log(1, 0, "SB999", "a"); sb_log(1, 0, "SB999", "b"); }',
     "SB999 is taken by"),
    ("log_ids", "web", 'void f(void) { ap_log_error(APLOG_MARK, 1, 0, s, "no number"); }',
     "a log call without an id"),
    ("size", "base", "\n" * 700, "701 lines"),
], ids=lambda word: None if len(word) > 40 else word.split()[0])
def test_lint_finds_what_it_is_for(tmp_path, check, room, text, finding):
    """T29"""
    scratch.write(tmp_path / "mod_subbill" / room / "wrong.c", text + "\n")
    scratch.write(tmp_path / "mod_subbill" / "store" / "db.h", "int x;\n")
    done = subprocess.run([str(LINT / check)], capture_output=True, text=True, env={
        **os.environ, "SB_LINT_ROOT": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 1, done.stderr
    assert finding in done.stdout and "wrong.c" in done.stdout


def test_a_recipe_that_is_shown_otherwise_than_tested_is_found(tmp_path):
    """B24: the page of the gate and the files that the tests include cannot drift apart."""
    def lint(*words):
        return subprocess.run([str(LINT / "recipes"), *words], capture_output=True, text=True, env={
            **os.environ, "SB_LINT_ROOT": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"})

    scratch.write(tmp_path / "conf" / "recipes" / "one.conf", "SubbillGate any\n")
    scratch.write(tmp_path / "conf" / "recipes" / "two.conf", "SubbillGate pro\n")
    scratch.write(tmp_path / "tests" / "httpd" / "test_recipes.py", '"one"\n')
    page = scratch.write(tmp_path / "docs" / "gate.md",
                         "[one.conf](../conf/recipes/one.conf)\n\n```apache\nSubbillGate Off\n```\n")
    found = lint().stdout
    assert "gate.md:1: this is not conf/recipes/one.conf" in found
    assert "conf/recipes/two.conf is not shown" in found
    assert "conf/recipes/two.conf:1: no test names it" in found
    assert "this is not" not in lint("--write").stdout
    assert "```apache\nSubbillGate any\n```\n" in page.read_text()
