# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs as values that can be merged, and the specs that several modules share."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ArgumentSpec:
    """An argument spec with its relations between options."""

    argument_spec: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[t.Any, ...], ...] = ()
    required_by: t.Mapping[str, t.Any] = field(default_factory=dict)

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """Return a spec with the options and relations of all. An option given twice is a mistake: ValueError."""
        merged = self
        for other in others:
            twice = sorted(set(merged.argument_spec) & set(other.argument_spec))
            if twice:
                raise ValueError(f"options in two argument specs: {', '.join(twice)}")
            merged = ArgumentSpec(
                {**merged.argument_spec, **other.argument_spec},
                merged.mutually_exclusive + other.mutually_exclusive,
                merged.required_together + other.required_together,
                merged.required_one_of + other.required_one_of,
                merged.required_if + other.required_if,
                {**merged.required_by, **other.required_by},
            )
        return merged

    def create(
        self, module_class: t.Callable[..., t.Any], *, supports_check_mode: bool = True, **settings: t.Any
    ) -> t.Any:
        """Return a module of the class (AnsibleModule, AnsibleAWSModule) with this spec; settings are passed on."""
        return module_class(
            argument_spec={name: dict(option) for name, option in self.argument_spec.items()},
            mutually_exclusive=[list(group) for group in self.mutually_exclusive],
            required_together=[list(group) for group in self.required_together],
            required_one_of=[list(group) for group in self.required_one_of],
            required_if=[list(rule) for rule in self.required_if],
            required_by=dict(self.required_by),
            supports_check_mode=supports_check_mode,
            **settings,
        )


STATE = ArgumentSpec({"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}})


def texts(given: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return a dictionary of tags or dimensions as AWS has it: of texts."""
    return {str(key): str(value) for key, value in given.items()}


# Documented by the fragment amazon.aws.tags.
TAGS = ArgumentSpec(
    {
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
    }
)


def wait(timeout: int, *, default: bool = True) -> ArgumentSpec:
    """Return the options ``wait`` and ``wait_timeout`` (seconds)."""
    return ArgumentSpec(
        {
            "wait": {"type": "bool", "default": default},
            "wait_timeout": {"type": "int", "default": timeout},
        }
    )
