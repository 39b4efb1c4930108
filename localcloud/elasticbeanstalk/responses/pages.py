# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages: MaxRecords and NextToken."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue

Item = TypeVar("Item")


def page(
    items: Sequence[Item], key: Callable[[Item], str], query: str, token: str | None, size: int | None
) -> tuple[Sequence[Item], str | None]:
    """The items from where `token` points, and the token of the next page; None when this is the last one.

    :param key: Names an item for good: the next page begins after it, wherever it has moved meanwhile.
    :param query: What was asked: a token serves only where it was given out.
    :param size: None for all that there are.
    :raises InvalidParameterValue: When the token was not given out for this query.
    """
    start = _start([_digest(key(item)) for item in items], _digest(query), token) if token is not None else 0
    end = len(items) if size is None else start + size
    if end >= len(items):
        return items[start:], None
    return items[start:end], _token(_digest(query), end, _digest(key(items[end - 1])))


def _start(keys: list[str], query: str, token: str) -> int:
    try:
        asked, position, last = base64.urlsafe_b64decode(token.encode()).decode().split(".")
        place = int(position)
    except (binascii.Error, ValueError):
        raise InvalidParameterValue("Invalid NextToken.") from None
    if asked != query:
        raise InvalidParameterValue("Invalid NextToken.")
    return keys.index(last) + 1 if last in keys else min(place, len(keys))


def _token(query: str, position: int, last: str) -> str:
    return base64.urlsafe_b64encode(f"{query}.{position}.{last}".encode()).decode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
