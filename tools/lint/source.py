# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the checks share: the files of the project, and C text without its comments.

A check is a function that yields findings, each "path:line: sentence"; main() prints them and ends
with status 1 when there were any.
"""
import os
import re
import sys
from pathlib import Path

# The tests of the checks look at a small project of their own.
ROOT = Path(os.environ.get("SB_LINT_ROOT") or Path(__file__).resolve().parents[2])
MODULE = ROOT / "mod_subbill"

_COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)
_SKIPPED = {"build", ".git", "node_modules", "__pycache__", ".pytest_cache"}


def files(*patterns, below="."):
    found = set()
    for pattern in patterns:
        for path in (ROOT / below).rglob(pattern):
            if path.is_file() and not _SKIPPED & set(path.relative_to(ROOT).parts):
                found.add(path)
    return sorted(found)


def c_files(below="mod_subbill"):
    return files("*.c", "*.h", below=below)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code(text):
    """C without comments and with empty strings; every line keeps its number."""
    def replace(found):
        word = found[0]
        if word[0] == '"':
            return '"' + _blank(word[1:-1]) + '"'
        return _blank(word) if word[0] == "/" else "'" + _blank(word[1:-1]) + "'"
    return _COMMENT_OR_TEXT.sub(replace, text)


def uncommented(text):
    """C without comments, strings kept."""
    return _COMMENT_OR_TEXT.sub(lambda found: _blank(found[0]) if found[0][0] == "/" else found[0],
                                text)


def matches(pattern, text, path):
    """("path:line", match) of each place."""
    for found in re.finditer(pattern, text):
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path.relative_to(ROOT)}:{line}", found


def main(check):
    findings = list(check())
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
