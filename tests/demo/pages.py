# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The demo's pages: fragments of site/ set into a frame, in English and German."""
import html
import json
import re
from pathlib import Path

from harness import scratch

SITE = Path(__file__).parent / "site"
CLIENT = scratch.ROOT / "conf" / "examples" / "client"
LANGUAGES = ("en", "de")
PLACES = {"front": "index.html", "members": "members/index.html",
          "workshop": "workshop/index.html", "login": "login.html"}
BRAND = "Reedbed"


def _framed(language, title, body, here=""):
    frame = (SITE / f"frame.{language}.html").read_text()
    for name in ("members", "workshop", "login"):
        frame = frame.replace(f"{{at_{name}}}", ' aria-current="page"' if name == here else "")
    return frame.replace("{title}", html.escape(title)).replace("{body}", body)


def _without_includes(page, user):
    """A frame for pages that httpd does not parse: the application's."""
    page = re.sub(r'<!--#if expr="v\(.*?<!--#else -->.*?<!--#endif -->',
                  lambda found: re.search(r'<a id="logout".*?</a>', found[0])[0], page)
    page = re.sub(r"<!--#if .*?-->|<!--#endif -->", "", page)
    return re.sub(r"<!--#echo .*?-->", lambda _: html.escape(user), page)


def frames():
    """{language: function of (title, user, body)} for the application behind the proxy."""
    return {language: lambda title, user, body, language=language: _without_includes(
        _framed(language, title, body), user) for language in LANGUAGES}


def write(docroot):
    for name, place in PLACES.items():
        for language in LANGUAGES:
            body = (SITE / f"{name}.{language}.html").read_text()
            title = re.match(r"<!-- title: (.*) -->\n", body)
            scratch.write(docroot / f"{place}.{language}", _framed(
                language, title[1], body[title.end():], name))
    for path in (scratch.ROOT / "conf" / "templates" / "subbill.css", SITE / "demo.css"):
        scratch.write(docroot / "style" / path.name, path.read_text())
    for path in (path for path in CLIENT.iterdir() if path.suffix != ".md"):
        scratch.write(docroot / "client" / path.name, path.read_text())


def write_texts(folder):
    """The module's own texts under the demo's name: what a site does to put its brand on top."""
    for path in (scratch.ROOT / "conf" / "i18n").glob("*.json"):
        texts = json.loads(path.read_text())
        texts["brand"] = BRAND
        scratch.write(folder / "i18n" / path.name, json.dumps(texts, ensure_ascii=False, indent=2))
