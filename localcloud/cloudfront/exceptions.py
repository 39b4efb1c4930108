# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the CloudFront API, with AWS's own codes and HTTP statuses."""

from __future__ import annotations


class CloudFrontError(Exception):
    """An error answer: code (AWS's name), message for people, HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid_argument(message: str) -> CloudFrontError:
    return CloudFrontError("InvalidArgument", message)


def unsupported(what: str) -> CloudFrontError:
    """What AWS could do and the rehearsal cloud cannot: refused, never imitated."""
    return CloudFrontError("UnsupportedOperation", f"The rehearsal cloud's CloudFront does not implement {what}.")


def not_found(code: str, what: str) -> CloudFrontError:
    return CloudFrontError(code, f"The specified {what} does not exist.", 404)


def require_if_match(given: str | None) -> None:
    """Raise when the caller names no version; that comes before anything else about the resource."""
    if not given:
        raise CloudFrontError(
            "InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.", 400
        )


def check_if_match(given: str | None, current: str) -> None:
    """Raise unless the caller names the version that it read."""
    require_if_match(given)
    if given != current:
        raise CloudFrontError(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            412,
        )
