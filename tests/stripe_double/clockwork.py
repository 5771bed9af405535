# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The clock: does whatever has come due, each thing at its own moment, in order."""

from . import billing, checkout, collection, schedules

_SOURCES = (billing.due, checkout.due, collection.due, schedules.due)
_LIMIT = 20000  # steps of one advance; more means that something is due for ever


def _next(state, until):
    """(when, order, work, object, live) of the earliest thing due, or None."""
    best = None
    for live in (False, True):
        with state.acting(live):
            for source in _SOURCES:
                for when, order, work, thing in source(state):
                    if when <= until and (best is None or (when, order) < best[:2]):
                        best = (when, order, work, thing, live)
    return best


def catch_up(state, until=None):
    """Do all that is due up to `until` (default: now). Returns how many steps that took."""
    until = state.now() if until is None else until
    held, steps = state.frozen, 0
    began = state.now()
    try:
        while (step := _next(state, until)) is not None:
            when, _, work, thing, live = step
            state.frozen = max(when, began)
            with state.acting(live):
                work(state, thing)
            steps += 1
            if steps > _LIMIT:
                raise RuntimeError(f"the clock does not come to rest: {work.__name__}")
    finally:
        state.frozen = held
    return steps


def advance(state, seconds):
    """Move the clock forward and do everything on the way."""
    target = state.now() + seconds
    steps = catch_up(state, target)
    state.offset += seconds
    state.touch()
    return steps
