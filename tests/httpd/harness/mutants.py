# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Builds of the module that are wrong on purpose (tests/gate/mutants.json), to try the corpus itself.

A mutant is a few exact replacements in one source file; each must be found exactly once, so that a
mutant cannot fade away when the code changes. Only that file is compiled, and linked with the
objects of the build under test.

A mutant that merely breaks the site proves nothing: it has to let something out, or, where it says
"shows": "kept", to let a cache keep something.
"""
import json
import re
import subprocess

from . import scratch

LIST = scratch.ROOT / "tests" / "gate" / "mutants.json"


# What harness/corpus.py says about an answer that a stranger gains something by, and of one that caches may keep.
_SHOWS = {"leak": re.compile(r"gets the protected bytes|gets (2\d\d|304|412|416)\b|tells about the file|hears of"
                             r"|made a copy|behind the door$|changed or removed"),
          "kept": re.compile(r"cache may keep")}


def load():
    return json.loads(LIST.read_text())


def shows(mutant):
    """Whether a sentence of the corpus is what this mutant has to be caught by."""
    pattern = _SHOWS[mutant.get("shows", "leak")]
    return lambda sentence: pattern.search(sentence) and "the payer gets" not in sentence


def mutate(mutant):
    """The changed source."""
    text = (scratch.ROOT / mutant["file"]).read_text()
    for old, new in mutant["edits"]:
        found = text.count(old)
        if found != 1:
            raise AssertionError(f"mutant {mutant['name']}: {found} times instead of once in "
                                 f"{mutant['file']}: {old!r}")
        text = text.replace(old, new)
    return text


def build(mutant, folder):
    """Compiles and links mutant in folder; returns the path of the module."""
    source = scratch.write(folder / mutant["file"], mutate(mutant))
    changed = folder / f"{mutant['name']}.o"
    made = folder / f"{mutant['name']}.so"
    flags = f"@{scratch.BUILD / 'flags'}"
    objects = scratch.BUILD / "obj"
    own = objects / mutant["file"].replace(".c", ".o")
    # Only what has a source: a build folder keeps the objects of files that were moved.
    others = [path for path in sorted((objects / "mod_subbill").rglob("*.o"))
              if path != own and "ctl" not in path.relative_to(objects).parts
              and (scratch.ROOT / path.relative_to(objects)).with_suffix(".c").exists()]
    others += sorted((objects / "gen").rglob("*.o"))
    libraries = subprocess.run(["pkg-config", "--libs", "jansson", "libcurl", "libcrypto"],
                               capture_output=True, text=True, check=True).stdout.split()
    for command in (["gcc", flags, "-fno-lto", "-O0", "-Werror=implicit-function-declaration", "-c", "-o", changed,
                     source],
                    ["gcc", flags, "-fno-lto", "-shared", "-o", made, changed, *others, *libraries, "-lm"]):
        done = subprocess.run(command, cwd=scratch.ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise AssertionError(f"mutant {mutant['name']} cannot be built:\n{done.stdout}")
    made.chmod(0o755)
    return made
