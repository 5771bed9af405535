# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Billing periods: calendar arithmetic in UTC, anchored so that the 31st stays the 31st."""

import calendar
from datetime import datetime, timezone

DAY = 86400
_FIXED = {"day": DAY, "week": 7 * DAY}


def plus(moment, interval, count, anchor=None):
    """`moment` plus `count` intervals; `anchor` keeps the day of month over short months."""
    if interval in _FIXED:
        return moment + count * _FIXED[interval]
    months = count * (12 if interval == "year" else 1)
    at = datetime.fromtimestamp(moment, timezone.utc)
    day = datetime.fromtimestamp(anchor or moment, timezone.utc).day
    index = at.year * 12 + at.month - 1 + months
    year, month = divmod(index, 12)
    day = min(day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def price_end(moment, price, anchor=None):
    """End of the period of a recurring price that starts at `moment`."""
    recurring = price["recurring"]
    return plus(moment, recurring["interval"], recurring["interval_count"], anchor)
