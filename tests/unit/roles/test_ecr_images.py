# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names an image gets that is promoted, and what is done for that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.roles import RoleTask, evaluated, variables_of

DIGEST = f"sha256:{'0123456789ab' * 5}cdef"
REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
THERE, HERE = f"{REGISTRY}/antenna-staging-backend@{DIGEST}", f"{REGISTRY}/antenna-backend@{DIGEST}"


def told(original: list[str] | None, taken: list[str] | None) -> dict[str, Any]:
    """What is known of one image, by its tags there and here; None where it is not."""

    def answer(tags: list[str] | None) -> dict[str, Any]:
        return {"results": [{"item": "backend", "images": [] if tags is None else [{"image_tags": tags}]}]}

    return {
        "__ecr_images_running": {"backend": THERE},
        "__ecr_images_references": {"backend": HERE},
        "__ecr_images_originals": answer(original),
        "__ecr_images_taken": answer(taken),
        "__ecr_images_docker_config": "/work/docker",
    }


@pytest.mark.parametrize(
    ("original", "taken", "lacking"),
    [
        pytest.param(["sha-1", "v10"], None, ["sha-1"], id="the content's, and not those that people gave"),
        pytest.param(["sha-1", "sha-2"], ["sha-1", "v9"], ["sha-2"], id="what is here already lacks one"),
        pytest.param(["sha-1"], ["sha-1"], None, id="nothing is lacking"),
        pytest.param(["v10"], None, ["0123456789ab"], id="without any, its digest's"),
        pytest.param(None, None, ["0123456789ab"], id="gone there meanwhile"),
        pytest.param([], ["0123456789ab"], None, id="here by its digest"),
    ],
)
def test_names(original: list[str] | None, taken: list[str] | None, lacking: list[str] | None) -> None:
    variables = {**variables_of("ecr_images"), **told(original, taken)}
    assert evaluated("{{ __ecr_images_untaken }}", variables) == ({} if lacking is None else {"backend": lacking})


def test_an_image_is_pulled_once_and_pushed_by_each_name() -> None:
    file, name = "ecr_images/tasks/promote.yml", "Take over the images that the repositories lack"
    task = RoleTask(file, name, told(["sha-1", "sha-2"], None))
    assert task.keyword("loop") == [
        ["pull", "--quiet", THERE],
        ["tag", THERE, f"{REGISTRY}/antenna-backend:sha-1"],
        ["push", "--quiet", f"{REGISTRY}/antenna-backend:sha-1"],
        ["tag", THERE, f"{REGISTRY}/antenna-backend:sha-2"],
        ["push", "--quiet", f"{REGISTRY}/antenna-backend:sha-2"],
    ]
