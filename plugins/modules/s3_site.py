#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site
version_added: 0.1.0
short_description: Upload a static web site to S3
description:
  - Makes the objects below a prefix of a bucket equal to the files of a directory. Only what differs is written.
  - A file is written when its content, its content type or its cache control differs. Contents are compared by the
    SHA-256 that this module stores in the object's metadata C(sha256), or by the ETag where another tool wrote it.
  - Files are written in an order in which no visitor sees a page whose parts are missing. First come the files that
    have a hash in their name, then all others, then each C(index.html).
  - Content types come from a table of this module's own, so they are the same whichever machine uploads.
  - Files with a hash in their name that are no longer part of the site are kept for a while, because pages that are
    open in browsers still load them. When the site no longer has such a file, the object gets the metadata
    C(superseded-at) with the time, by being copied onto itself. The first run after O(retain_days) deletes it. If the
    file returns, because a release was taken back, it is written anew and the mark is gone. Other files that are no
    longer part of the site are deleted at once.
  - The bucket must exist, except in check mode.
options:
  bucket:
    description:
      - The bucket.
    type: str
    required: true
  source:
    description:
      - The directory with the built site. It must have files.
    type: path
    required: true
  prefix:
    description:
      - Where in the bucket the site lies. V(ui) and V(ui/) both mean the keys that start with C(ui/), and never those
        that start with C(ui2/).
      - When empty, the whole bucket is the site.
    type: str
    default: ""
  origin_path:
    description:
      - The origin path with which the CDN reads the bucket. It is taken off the keys to get the CDN's paths.
    type: str
    default: ""
  hashed:
    description:
      - Which files have a hash of their content in their name, as shell patterns of the path below O(source).
        A C(*) matches C(/) too.
    type: list
    elements: str
    default:
      - assets/*
  cache_control:
    description:
      - The header C(Cache-Control). The first rule that matches a file counts; a file that no rule matches gets none.
    type: list
    elements: dict
    default:
      - pattern: assets/*
        value: public, max-age=31536000, immutable
      - pattern: "*"
        value: no-cache
    suboptions:
      pattern:
        description:
          - A shell pattern of the path below O(source). A C(*) matches C(/) too.
        type: str
        required: true
      value:
        description:
          - The header's value.
        type: str
        required: true
  exclude:
    description:
      - Files that do not belong to the site, as shell patterns of the path below O(source).
    type: list
    elements: str
    default: []
  purge:
    description:
      - Whether to remove what is not part of the site.
    type: bool
    default: true
  retain_days:
    description:
      - How many days to keep a file that has a hash in its name after the site no longer has it. With V(0) it is
        deleted at once.
    type: float
    default: 30
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
author:
  - Contributors to the antenna.aws collection (@antenna)
seealso:
  - module: antenna.aws.cloudfront_invalidate
"""

EXAMPLES = r"""
- name: Upload the site
  antenna.aws.s3_site:
    bucket: antenna-ui
    source: build
  register: site

- name: Let the CDN serve it
  antenna.aws.cloudfront_invalidate:
    distribution_id: E2ABCDEFGHIJKL
    paths: "{{ site.unhashed_paths }}"
    content: "{{ site.release }}"

- name: Upload to a part of a bucket, with rules of its own
  antenna.aws.s3_site:
    bucket: antenna-ui
    source: dist
    prefix: ui
    origin_path: /ui
    hashed:
      - static/js/*
      - static/css/*
    cache_control:
      - pattern: static/*
        value: public, max-age=31536000, immutable
      - pattern: "*.html"
        value: no-cache
    retain_days: 7
"""

RETURN = r"""
changed_paths:
  description:
    - The CDN's paths of what was written or deleted under a name that does not change with its content, URL-encoded.
      An C(index.html) appears also as its directory.
    - Empty in a second run. After an interrupted run, RV(unhashed_paths) still names all that may have changed.
  returned: success
  type: list
  elements: str
  sample: ["/", "/favicon.ico", "/index.html"]
content:
  description: The SHA-256 of the site, of names, contents and headers. The same wherever and whenever it is built.
  returned: success
  type: str
  sample: 7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730
deleted:
  description: The keys that were deleted, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [assets/index-Ca1b2c3d.js]
plan:
  description: What was done, or would be in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - op: upload
      resource: index.html
      reason: content differs
release:
  description:
    - What tells this release from any other, for O(antenna.aws.cloudfront_invalidate#module:content). It stays while
      nothing changes and is another one when a release is taken back, although the content was there before.
    - In check mode V((known after apply\)) where something would be written.
  returned: success
  type: str
  sample: 0a4d55a8d778e5022fab701977c5d840bbc486d0d1f3fbd9b7dd1f7a4c1a1b2c
superseded:
  description: The keys that were marked as no longer part of the site, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [assets/index-Ca1b2c3d.js]
unhashed_paths:
  description: The CDN's paths of all files whose name does not change with their content, URL-encoded.
  returned: success
  type: list
  elements: str
  sample: ["/", "/favicon.ico", "/index.html"]
uploaded:
  description: The keys that were written, in the order of writing, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [assets/index-Dx9y8z7w.js, index.html]
"""

from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import Outcome, client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._s3site.local import read_site
from ansible_collections.antenna.aws.plugins.module_utils._s3site.manager import SiteManager
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import (
    CacheRule,
    Layout,
    Site,
    SiteObject,
    clean_origin_path,
    clean_prefix,
)
from ansible_collections.antenna.aws.plugins.module_utils._s3site.planner import (
    changed_paths,
    content_digest,
    release_digest,
    unhashed_paths,
)

UNKNOWN = "(known after apply)"

SPEC = ArgumentSpec(
    {
        "bucket": {"type": "str", "required": True},
        "source": {"type": "path", "required": True},
        "prefix": {"type": "str", "default": ""},
        "origin_path": {"type": "str", "default": ""},
        "hashed": {"type": "list", "elements": "str", "default": ["assets/*"]},
        "cache_control": {
            "type": "list",
            "elements": "dict",
            "default": [
                {"pattern": "assets/*", "value": "public, max-age=31536000, immutable"},
                {"pattern": "*", "value": "no-cache"},
            ],
            "options": {
                "pattern": {"type": "str", "required": True},
                "value": {"type": "str", "required": True},
            },
        },
        "exclude": {"type": "list", "elements": "str", "default": []},
        "purge": {"type": "bool", "default": True},
        "retain_days": {"type": "float", "default": 30},
    }
)


def wanted_site(params: dict[str, Any]) -> Site:
    """The wanted site from the module's parameters and the files on this machine."""
    layout = Layout(
        bucket=params["bucket"],
        prefix=clean_prefix(params["prefix"]),
        origin_path=clean_origin_path(params["origin_path"]),
        hashed=tuple(params["hashed"]),
        retain_days=params["retain_days"],
        purge=params["purge"],
    )
    rules = [CacheRule(rule["pattern"], rule["value"]) for rule in params["cache_control"]]
    return read_site(params["source"], layout, rules, params["exclude"])


def told(manager: SiteManager, outcome: Outcome[list[SiteObject]], check_mode: bool) -> dict[str, Any]:
    """What this module returns besides what all do."""
    site, done = manager.site, manager.site_plan(outcome.before)
    pending = check_mode and bool(outcome.plan)
    return {
        "changed_paths": changed_paths(site.layout, done),
        "content": content_digest(site),
        "deleted": [deletion.object.key for deletion in done.deleted],
        "release": UNKNOWN if pending else release_digest(site, outcome.after),
        "superseded": [item.key for item in done.superseded],
        "unhashed_paths": unhashed_paths(site),
        "uploaded": [upload.file.key for upload in done.uploads],
    }


def work(module: Any) -> dict[str, Any]:
    """Bring the objects to what the site is."""
    manager = SiteManager(client(module, "s3"), wanted_site(module.params), datetime.now(UTC))
    outcome = sync(manager, module.check_mode)
    return {**result(manager, outcome), **told(manager, outcome, module.check_mode)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
