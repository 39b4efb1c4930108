# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup and maintenance windows: `05:10-05:40` every day, `wed:06:38-wed:07:08` every week, in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def next_start(window: str, now: datetime) -> datetime:
    """When the window opens next; now, while it is open.

    :param window: Daily as `hh24:mi-hh24:mi`, or weekly as `ddd:hh24:mi-ddd:hh24:mi`.
    """
    first, last = (_offset(moment) for moment in window.lower().split("-"))
    period = WEEK if window[0].isalpha() else DAY
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    base = midnight - timedelta(days=now.weekday()) if period is WEEK else midnight
    length = (last - first) % period
    # The window of the last period may still be open.
    for start in (base + first - period, base + first, base + first + period):
        if now < start + length:
            return max(start, now)
    raise AssertionError(f"{window} has no next start after {now}")


def _offset(moment: str) -> timedelta:
    *day, hours, minutes = moment.split(":")
    days = DAYS.index(day[0]) if day else 0
    return timedelta(days=days, hours=int(hours), minutes=int(minutes))
