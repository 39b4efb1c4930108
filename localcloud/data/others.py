# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moto keeps besides what has a server here: other engines, other kinds of clusters."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

Method = Callable[[Any, Any], Any]


def of_ours(
    moto: type, find: Callable[[Any], Any], is_ours: Callable[[Any], bool]
) -> Callable[[Method], Callable[[Any], Any]]:
    """Of an operation on one thing: the decorated method gets it, moto's own answers where it is none of ours.

    :param moto: The class of moto's responses.
    :param find: Gives the thing that a response is about, or raises that there is none.
    """

    def decorate(method: Method) -> Callable[[Any], Any]:
        @wraps(method)
        def answer(response: Any) -> Any:
            found = find(response)
            if is_ours(found):
                return method(response, found)
            of_moto = getattr(moto, method.__name__, None)
            if of_moto is None:
                raise NotImplementedError(f"{method.__name__} is implemented only for what has a server here")
            return of_moto(response)

        return answer

    return decorate
