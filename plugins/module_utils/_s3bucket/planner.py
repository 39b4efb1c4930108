# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a bucket's settings as they are to those that are declared. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import fields, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan
from ansible_collections.antenna.aws.plugins.module_utils._s3bucket.model import NEW, Create, Put, Settings, Wanted

SETTINGS = tuple(item.name for item in fields(Settings))
_SYSTEM_TAGS = "aws:"
_WORDS = {
    "object_ownership": "object ownership",
    "public_access": "public access block",
    "lifecycle_rules": "lifecycle",
}


def plan(wanted: Wanted, observed: Settings | None) -> Plan:
    """Return the steps to what is wanted. A new bucket is told how to encrypt and what to block in any case."""
    if observed is None:
        ownership = wanted.settings.object_ownership
        create = Create("create", wanted.name, "there is no bucket of this name", ownership)
        made = replace(NEW, object_ownership=ownership, encryption=None, public_access=None)
        return Plan((create, *_puts(wanted, made)))
    return Plan(tuple(_puts(wanted, observed)))


def project(wanted: Wanted, observed: Settings | None) -> Settings:
    """Return the settings after the plan."""
    before = observed or NEW
    return replace(before, **{name: _value(wanted, before, name) for name in _declared(wanted)})


def canonical(document: t.Any) -> t.Any:
    """Return a policy with keys and lists in order, and a list of one as its item, which mean the same."""
    if isinstance(document, t.Mapping):
        return {key: canonical(document[key]) for key in sorted(document)}
    if isinstance(document, (list, tuple)):
        items = sorted((canonical(item) for item in document), key=repr)
        return items[0] if len(items) == 1 else items
    return document


def _puts(wanted: Wanted, observed: Settings) -> t.Iterator[Put]:
    for name in _declared(wanted):
        before, value = getattr(observed, name), _value(wanted, observed, name)
        if canonical(before) != canonical(value):
            word = _WORDS.get(name, name)
            yield Put("set", wanted.name, f"its {word} {'differ' if name == 'tags' else 'differs'}", name, value)


def _declared(wanted: Wanted) -> list[str]:
    return [name for name in SETTINGS if getattr(wanted.settings, name) is not None]


def _value(wanted: Wanted, observed: Settings, name: str) -> t.Any:
    value = getattr(wanted.settings, name)
    if name != "tags":
        return value
    kept = {
        key: text
        for key, text in (observed.tags or {}).items()
        if key.startswith(_SYSTEM_TAGS) or not wanted.purge_tags
    }
    return {**kept, **value}
