# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.antenna.aws.plugins.module_utils._core.variables import meant, missing, options_of, unknown

SPECS = [
    {
        "argument_specs": {
            "main": {
                "options": {
                    "network_vpc_id": {"type": "str"},
                    "network_name": {"required": True, "description": ["The name", "of it."]},
                }
            },
            "lookup": {"options": {"network_more": None}},
        }
    },
    {"argument_specs": {"main": {}}},
]


def test_the_options_of_all_entry_points_are_known() -> None:
    assert set(options_of(SPECS)) == {"network_vpc_id", "network_name", "network_more"}


def test_what_begins_as_a_roles_variable_must_be_one() -> None:
    names = ["network_vpcid", "network_zzz", "network_vpc_id", "networks", "ansible_host"]
    strange = unknown(names, options_of(SPECS), ["network_"])
    assert [(stranger.name, stranger.nearest) for stranger in strange] == [
        ("network_vpcid", "network_vpc_id"),
        ("network_zzz", ""),
    ]
    assert strange[0].message == "network_vpcid is not a variable of any role: did you mean network_vpc_id?"
    assert "network_zzz" in strange[1].message


def test_what_a_strange_name_means_has_no_value_unless_it_was_given_as_well() -> None:
    strange = unknown(["network_vpcid", "network_zzz"], options_of(SPECS), ["network_"])
    assert meant(strange, ["network_vpcid", "network_zzz"]) == {"network_vpc_id"}
    assert meant(strange, ["network_vpcid", "network_vpc_id"]) == set()


def test_what_is_required_and_not_set_is_named_with_its_purpose() -> None:
    assert missing(["network_vpc_id"], options_of(SPECS)) == {
        "network_name": "network_name is not set: The name of it."
    }
    assert missing(["network_name"], options_of(SPECS)) == {}
