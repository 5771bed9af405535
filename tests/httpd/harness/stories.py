# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The recorded event stories beside the project, moved in time so that they happen now.

Every integer between 1 600 000 000 and 2 000 000 000 in those files is a Unix time, so a story is
moved by adding one constant to the text; all other bytes stay as Stripe would print them.
"""
import json
import re
import time
from collections import namedtuple

from . import scratch

FOLDER = scratch.ROOT.parent / "shared" / "stripe" / "events"

StoryEvent = namedtuple("StoryEvent", "file id type created expect body json")

_TIME = re.compile(rb'(?<![\w."-])(1[6-9]\d{8})(?![\w."])')


def available():
    return (FOLDER / "index.json").exists()


def load(story, start=None):
    """The events of a folder ("newest", "pre-basil-2023-10-16", …) in order of delivery.

    start: Unix time at which the story's time zero shall lie, default now.
    """
    index = json.loads((FOLDER / "index.json").read_text())
    zero = index["T0_old"] if story.startswith("pre-basil") else index["T0"]
    shift = int(start if start is not None else time.time()) - zero
    events = []
    for entry in index["events"]:
        if entry["file"].split("/")[0] != story:
            continue
        body = _TIME.sub(lambda found: str(int(found[1]) + shift).encode(),
                         (FOLDER / entry["file"]).read_bytes())
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        events.append(StoryEvent(entry["file"], entry["event"], entry["type"],
                                 entry["created"] + shift if entry["created"] else None,
                                 entry["expect"], body, parsed))
    return events
