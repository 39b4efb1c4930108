# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`POST /moto-api/reset` empties the account: what is ours goes with what is moto's, containers included."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

PATH = "/moto-api/reset"
LOG = logging.getLogger("localcloud.reset")


class Resets:
    """WSGI: lets every service forget what it has before moto does."""

    def __init__(self, application: Callable[..., Iterable[bytes]], cloud: Cloud) -> None:
        self._application = application
        self._cloud = cloud

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (environ["REQUEST_METHOD"], environ.get("PATH_INFO")) == ("POST", PATH):
            for forget in self._cloud.reset_hooks:
                _forget(forget)
        return self._application(environ, start_response)


def _forget(forget: Callable[[], None]) -> None:
    """What one service cannot let go of is no reason for the others, and moto, to keep what they have."""
    try:
        forget()
    except Exception:
        LOG.exception("while the account was emptied")
