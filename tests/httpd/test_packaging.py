# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What `make install` and the Debian package put where; the .deb is built in the full tier only."""
import os
import re
import shutil
import subprocess

import pytest

from harness import modules, scratch

PACKAGING = scratch.ROOT / "packaging"
SOURCES = ("mod_subbill", "conf", "sql", "docs", "tools", "packaging", "Makefile.apxs", "README.md",
           "CHANGES.md", "LICENSE")
DOCUMENTS = {"README.md", "docs/cli.md", "docs/directives.md", "docs/gate.md", "docs/http-api.md",
             "docs/openapi.json", "docs/images/plans.png", "conf/subbill.conf",
             "conf/subbill.env.example", "conf/catalog.schema.json",
             "conf/examples/demo/catalog.json"} | {
                 f"conf/recipes/{path.name}" for path in (scratch.ROOT / "conf" / "recipes").iterdir()} | {
                 f"conf/examples/client/{name}" for name in
                 ("README.md", "index.html", "subscription.css", "subscription.js")}
DIRECTIVE = re.compile(r"^Subbill\w+", re.M)


def run(*command, folder=scratch.ROOT, status=0, **environment):
    """What a command prints; make's own variables of an outer make do not reach it."""
    inherited = {name: value for name, value in os.environ.items()
                 if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run([str(word) for word in command], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**inherited, "LC_ALL": "C.UTF-8", **environment})
    assert done.returncode == status, done.stdout[-4000:]
    return done.stdout


def installed(root):
    """{path below root: permission bits} of every file."""
    return {str(path.relative_to(root)): path.stat().st_mode & 0o777
            for path in root.rglob("*") if path.is_file()}


def names(folder):
    return {path.name for path in (scratch.ROOT / folder).iterdir() if path.is_file()}


def version():
    text = (scratch.ROOT / "mod_subbill" / "base" / "version.h").read_text()
    return re.search(r'SB_VERSION "(.*)"', text)[1]


def test_the_top_level_is_the_one_that_was_asked_for():
    """M5"""
    for name in ("mod_subbill", "conf", "sql", "tests", "packaging", "Makefile.apxs", "README.md"):
        assert (scratch.ROOT / name).exists(), name
    for path in PACKAGING.rglob("*"):
        assert not path.is_dir() or any(path.iterdir()), f"{path} is empty"


def test_install_puts_every_file_below_destdir_with_its_mode(tmp_path):
    """M5"""
    # The folder as the build was told it: another spelling would be another build.
    build = [f"BUILD={os.environ['SB_BUILD']}"] if os.environ.get("SB_BUILD") else []
    make = ("make", "-s", "-f", "Makefile.apxs", "install", f"DESTDIR={tmp_path}", *build,
            "prefix=/opt/x", "moddir=/opt/x/modules")
    said = run("sh", "-c", 'umask 077 && exec "$@"', "sh", *make)
    files = installed(tmp_path / "opt" / "x")
    assert files.pop("sbin/subbillctl") == 0o755
    assert set(files.values()) == {0o644}, files
    assert set(files) >= {"modules/mod_subbill.so", "share/man/man8/subbillctl.8",
                          "share/mod_subbill/catalog.schema.json"}
    assert {f"share/mod_subbill/{kind}/{name}" for kind in ("templates", "i18n")
            for name in names(f"conf/{kind}")} <= set(files)
    assert {f"share/doc/mod_subbill/{name}" for name in
            DOCUMENTS | {"CHANGES.md", "LICENSE"}} <= set(files)
    assert "LoadModule subbill_module /opt/x/modules/mod_subbill.so" in said
    assert [path.name for path in tmp_path.iterdir()] == ["opt"]


def test_packages_and_manual_page_carry_the_version_of_the_sources():
    """M5"""
    changelog = (PACKAGING / "debian" / "changelog").read_text()
    spec = (PACKAGING / "rpm" / "mod_subbill.spec").read_text()
    page = (PACKAGING / "man" / "subbillctl.8").read_text()
    assert re.match(r"mod-subbill \((.*)-\d+\)", changelog)[1] == version()
    assert re.search(r"^Version:\s+(\S+)$", spec, re.M)[1] == version()
    assert re.search(rf"^\* .* - {re.escape(version())}-\d+$", spec, re.M)
    assert f'"mod_subbill {version()}"' in page


def test_the_manual_page_knows_every_command_and_option():
    """M5"""
    page = (PACKAGING / "man" / "subbillctl.8").read_text().replace("\\-", "-")
    overview = run(scratch.CTL, "--help")
    commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) .* {2}\S", overview, re.M)
    assert "migrate" in commands and "links set" in commands
    for command in commands:
        assert re.search(rf'^\.\w+ "?{command}\b', page, re.M), command
        for option in re.findall(r"^  (?:-\w, )?(--[a-z-]+)",
                                 run(scratch.CTL, *command.split(), "--help"), re.M):
            assert re.search(rf"{option}(?![a-z-])", page) or option == "--", option


@pytest.mark.skipif(not shutil.which("man"), reason="man (man-db) is not installed")
def test_the_manual_page_is_good_roff():
    """M5"""
    done = subprocess.run(["man", "--warnings", "-l", PACKAGING / "man" / "subbillctl.8"],
                          capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == ""
    assert "subbillctl links set" in done.stdout


@pytest.fixture(scope="module")
def deb(tmp_path_factory):
    """The folder of an unpacked libapache2-mod-subbill, its control files in DEBIAN."""
    if scratch.TIER != "full":
        pytest.skip("the Debian package is built in the full tier, for one MPM")
    if not shutil.which("dh_apache2") or not shutil.which("dpkg-buildpackage"):
        pytest.skip("debhelper or dh-apache2 is not installed")
    scene = tmp_path_factory.mktemp("deb")
    tree = scene / "source"
    tree.mkdir()
    for name in SOURCES:
        source = scratch.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tree / name)
    shutil.copytree(PACKAGING / "debian", tree / "debian")
    lacking = subprocess.run(["dpkg-checkbuilddeps"], cwd=tree, capture_output=True, text=True)
    if lacking.returncode:
        pytest.skip(lacking.stderr.strip())
    # Neither optimised nor with debug symbols: what is looked at here does not depend on them.
    run("dpkg-buildpackage", "-b", "-us", "-uc", folder=tree, SAN="",
        DEB_BUILD_OPTIONS="noopt nostrip noautodbgsym parallel=2")
    built = list(scene.glob("*.deb"))
    assert [path.name.split("_")[0] for path in built] == ["libapache2-mod-subbill"]
    run("dpkg-deb", "-R", built[0], scene / "root")
    return scene / "root"


def test_the_debian_package_holds_module_program_and_documents(deb):
    """M5"""
    files = installed(deb)
    documents = "usr/share/doc/libapache2-mod-subbill"
    assert files["usr/sbin/subbillctl"] == 0o755
    assert set(files) >= {
        "usr/lib/apache2/modules/mod_subbill.so", "usr/share/man/man8/subbillctl.8.gz",
        "etc/apache2/mods-available/subbill.load", "etc/apache2/conf-available/subbill.conf",
        f"{documents}/copyright", f"{documents}/README.Debian", f"{documents}/changelog.gz"}
    assert {f"{documents}/{name}" for name in DOCUMENTS} <= set(files)
    assert {f"usr/share/mod_subbill/{kind}/{name}" for kind in ("templates", "i18n")
            for name in names(f"conf/{kind}")} <= set(files)
    control = (deb / "DEBIAN" / "control").read_text()
    assert re.search(r"^Depends:.*\bapache2-api-\d+", control, re.M)
    assert re.search(r"^Depends:.*\blibaprutil1-dbd-sqlite3 \|", control, re.M)
    assert run(deb / "usr" / "sbin" / "subbillctl", "-V") == f"subbillctl {version()}\n"


def test_installing_the_debian_package_enables_nothing(deb):
    """M5"""
    assert not any("-enabled/" in name for name in installed(deb))
    scripts = [path.read_text() for path in (deb / "DEBIAN").iterdir()
               if path.name in ("preinst", "postinst", "prerm", "postrm")]
    assert scripts and not re.search(r"\b(enmod|enconf|a2en\w+)\b", "".join(scripts))
    assert "dismod" in "".join(scripts) and "disconf" in "".join(scripts)


def test_the_packaged_configuration_needs_only_plans_and_keys(deb, tmp_path):
    """M5: README.Debian's steps, up to configtest; before them the configuration is refused."""
    etc = tmp_path / "subbill"
    etc.mkdir()
    available = deb / "etc" / "apache2"
    load = (available / "mods-available" / "subbill.load").read_text()
    conf = (available / "conf-available" / "subbill.conf").read_text()
    assert len(set(DIRECTIVE.findall(conf))) == 6
    lines = modules.load_lines(("authz_core", "mime"), scratch.MPM)
    httpd_conf = scratch.write(tmp_path / "httpd.conf", "\n".join([
        f"ServerRoot {tmp_path}", "ServerName localhost", f"Listen 127.0.0.1:{scratch.free_port()}",
        f"PidFile {tmp_path}/pid", f"ErrorLog {tmp_path}/error.log",
        f"DefaultRuntimeDir {tmp_path}", "TypesConfig /etc/mime.types", *lines,
        load.replace("/usr/", f"{deb}/usr/"), conf.replace("/etc/subbill", str(etc)), ""]))
    test = ("/usr/sbin/apache2", "-t", "-f", httpd_conf)
    assert "SubbillCatalog" in run(*test, status=1)
    samples = deb / "usr/share/doc/libapache2-mod-subbill/conf"
    shutil.copy(samples / "examples" / "demo" / "catalog.json", etc / "catalog.json")
    secrets = (samples / "subbill.env.example").read_text()
    scratch.write(etc / "subbill.env", secrets.replace("replace_me", "0123456789abcdef"), 0o600)
    assert "Syntax OK" in run(*test)
    assert "valid" in run(deb / "usr/sbin/subbillctl", "catalog", "check", etc / "catalog.json")


def test_doors_in_the_packaged_configuration_are_examples_only():
    """M5: a door in a file that removing the package disables would open without a word."""
    conf = (PACKAGING / "debian" / "subbill.conf").read_text()
    assert not re.search(r"^\s*(SubbillGate|Require subscription)", conf, re.M)
    assert "SubbillGate" in conf
