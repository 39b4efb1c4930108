#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_distribution
version_added: 0.1.0
short_description: Manage a CloudFront distribution
description:
  - Makes, changes and deletes a CloudFront distribution, with bucket origins behind an origin access control, custom
    origins, policies and functions.
  - The distribution is found by its tag C(Name). It is made together with its tags and with a caller reference that
    comes from the name, so an interrupted run never leads to a second one.
  - Only what is declared is compared and changed, key by key. A list that is declared is complete. Entries of
    O(origins), O(cache_behaviors), O(custom_error_responses), custom headers and function associations that are not
    declared are removed; of those that are, undeclared keys stay.
  - A change is refused by CloudFront when someone else changed the distribution meanwhile.
options:
  name:
    description:
      - The value of the tag C(Name).
    type: str
    required: true
  state:
    description:
      - Whether there shall be one. Before it is deleted it is disabled, and that is awaited.
    type: str
    choices: [present, absent]
    default: present
  caller_reference:
    description:
      - The caller reference for a new distribution, where the one that comes from O(name) is in use.
    type: str
  comment:
    description:
      - A comment. The name for a new distribution.
    type: str
  enabled:
    description:
      - Whether viewers are served. V(true) for a new distribution.
    type: bool
  aliases:
    description:
      - Domain names of your own. They need O(viewer_certificate).
    type: list
    elements: str
  default_root_object:
    description:
      - What is served for C(/), such as V(index.html).
    type: str
  price_class:
    description:
      - Where the edges are.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
  http_version:
    description:
      - The HTTP versions that viewers may use.
    type: str
    choices: [http1.1, http2, http3, http2and3]
  is_ipv6_enabled:
    description:
      - Whether viewers may use IPv6.
    type: bool
  web_acl_id:
    description:
      - The ARN of a web ACL; empty for none.
    type: str
  origins:
    description:
      - Where content comes from. Needed for a new distribution.
      - An origin without O(origins[].custom_origin_config) is a bucket.
    type: list
    elements: dict
    suboptions:
      id:
        description:
          - What behaviors call it.
        type: str
        required: true
      domain_name:
        description:
          - Its domain name, for a bucket the regional one.
        type: str
        required: true
      origin_path:
        description:
          - What is put before the path of each request.
        type: str
      origin_access_control_id:
        description:
          - The id of the access control with which requests to a bucket are signed.
        type: str
      custom_headers:
        description:
          - Headers that are added to each request.
          - An application behind V(http-only) that redirects to HTTPS needs C(X-Forwarded-Proto) with V(https) here.
          - Not a place for secrets. The values appear in results and differences.
        type: list
        elements: dict
        suboptions:
          header_name:
            description:
              - The header's name.
            type: str
            required: true
          header_value:
            description:
              - The header's value.
            type: str
            required: true
      custom_origin_config:
        description:
          - How an origin that is not a bucket is talked to.
        type: dict
        suboptions:
          http_port:
            description:
              - Its port for HTTP. 80 for a new origin.
            type: int
          https_port:
            description:
              - Its port for HTTPS. 443 for a new origin.
            type: int
          origin_protocol_policy:
            description:
              - Which of the two is used. V(https-only) for a new origin.
            type: str
            choices: [http-only, match-viewer, https-only]
          origin_ssl_protocols:
            description:
              - The TLS versions for HTTPS. V(TLSv1.2) for a new origin.
            type: list
            elements: str
          origin_read_timeout:
            description:
              - How many seconds to wait for an answer. 30 for a new origin.
            type: int
          origin_keepalive_timeout:
            description:
              - How many seconds to keep a connection. 5 for a new origin.
            type: int
      connection_attempts:
        description:
          - How often to try to connect.
        type: int
      connection_timeout:
        description:
          - How many seconds to try to connect.
        type: int
  default_cache_behavior:
    description:
      - How requests are handled that no other behavior matches. Needed for a new distribution.
    type: dict
    suboptions:
      target_origin_id:
        description:
          - The id of the origin.
        type: str
        required: true
      viewer_protocol_policy:
        description:
          - Whether viewers may use HTTP. V(redirect-to-https) for a new behavior.
        type: str
        choices: [allow-all, https-only, redirect-to-https]
      allowed_methods:
        description:
          - The HTTP methods that are passed on. V(GET) and V(HEAD) for a new behavior. CloudFront takes that pair, the
            pair with V(OPTIONS), or all seven.
        type: list
        elements: str
      cached_methods:
        description:
          - The HTTP methods whose answers are cached. V(GET) and V(HEAD) for a new behavior.
        type: list
        elements: str
      compress:
        description:
          - Whether answers are compressed. V(true) for a new behavior.
        type: bool
      cache_policy_id:
        description:
          - The cache policy, by id, or by name for one that AWS manages, such as V(CachingOptimized) and
            V(CachingDisabled).
        type: str
        required: true
      origin_request_policy_id:
        description:
          - The origin request policy, by id, or by name for one that AWS manages, such as V(AllViewer) and
            V(AllViewerExceptHostHeader); empty for none.
        type: str
      response_headers_policy_id:
        description:
          - The response headers policy, by id, or by name for one that AWS manages, such as V(SecurityHeadersPolicy);
            empty for none.
        type: str
      function_associations:
        description:
          - The functions that run on requests or answers.
        type: list
        elements: dict
        suboptions:
          event_type:
            description:
              - When it runs.
            type: str
            required: true
            choices: [viewer-request, viewer-response]
          function_arn:
            description:
              - The function's ARN.
            type: str
            required: true
  cache_behaviors:
    description:
      - How requests are handled whose path matches a pattern. The first that matches counts.
    type: list
    elements: dict
    suboptions:
      path_pattern:
        description:
          - The pattern, such as V(/api/*).
        type: str
        required: true
      target_origin_id:
        description:
          - The id of the origin.
        type: str
        required: true
      viewer_protocol_policy:
        description:
          - Whether viewers may use HTTP. V(redirect-to-https) for a new behavior.
        type: str
        choices: [allow-all, https-only, redirect-to-https]
      allowed_methods:
        description:
          - The HTTP methods that are passed on. V(GET) and V(HEAD) for a new behavior. CloudFront takes that pair, the
            pair with V(OPTIONS), or all seven.
        type: list
        elements: str
      cached_methods:
        description:
          - The HTTP methods whose answers are cached. V(GET) and V(HEAD) for a new behavior.
        type: list
        elements: str
      compress:
        description:
          - Whether answers are compressed. V(true) for a new behavior.
        type: bool
      cache_policy_id:
        description:
          - The cache policy, by id, or by name for one that AWS manages, such as V(CachingOptimized) and
            V(CachingDisabled).
        type: str
        required: true
      origin_request_policy_id:
        description:
          - The origin request policy, by id, or by name for one that AWS manages, such as V(AllViewer) and
            V(AllViewerExceptHostHeader); empty for none.
        type: str
      response_headers_policy_id:
        description:
          - The response headers policy, by id, or by name for one that AWS manages, such as V(SecurityHeadersPolicy);
            empty for none.
        type: str
      function_associations:
        description:
          - The functions that run on requests or answers.
        type: list
        elements: dict
        suboptions:
          event_type:
            description:
              - When it runs.
            type: str
            required: true
            choices: [viewer-request, viewer-response]
          function_arn:
            description:
              - The function's ARN.
            type: str
            required: true
  custom_error_responses:
    description:
      - What viewers get instead of an error. This holds for all behaviors, so it also turns the errors of an API into
        pages; for the router of an application in the browser use a function instead.
    type: list
    elements: dict
    suboptions:
      error_code:
        description:
          - The HTTP status of the origin.
        type: int
        required: true
      response_page_path:
        description:
          - The path of what is served instead.
        type: str
      response_code:
        description:
          - The HTTP status that viewers get.
        type: str
      error_caching_min_ttl:
        description:
          - How many seconds the error is cached.
        type: int
  viewer_certificate:
    description:
      - The certificate that viewers see. It is taken as a whole.
    type: dict
    suboptions:
      cloudfront_default_certificate:
        description:
          - Whether it is the one for CloudFront's own domain name.
        type: bool
      acm_certificate_arn:
        description:
          - The ARN of a certificate of ACM in us-east-1.
        type: str
      ssl_support_method:
        description:
          - How viewers are told apart. V(sni-only) where not given.
        type: str
        choices: [sni-only, vip, static-ip]
      minimum_protocol_version:
        description:
          - The oldest TLS version that viewers may use. V(TLSv1.2_2021) where not given.
        type: str
  restrictions:
    description:
      - Which countries are served.
    type: dict
    suboptions:
      geo_restriction:
        description:
          - The countries.
        type: dict
        required: true
        suboptions:
          restriction_type:
            description:
              - Whether the countries are the only ones served, the only ones not served, or do not matter.
            type: str
            required: true
            choices: [none, whitelist, blacklist]
          locations:
            description:
              - The countries, as two-letter codes.
            type: list
            elements: str
  logging:
    description:
      - Where access logs go.
    type: dict
    suboptions:
      enabled:
        description:
          - Whether there are any.
        type: bool
      include_cookies:
        description:
          - Whether cookies are logged.
        type: bool
      bucket:
        description:
          - The domain name of the bucket for them.
        type: str
      prefix:
        description:
          - What their keys start with.
        type: str
  wait:
    description:
      - Whether to wait until every edge has the configuration.
      - A task with O(name) and O(wait) alone changes nothing and waits, so a distribution can be started early and
        awaited late.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait at most.
    type: int
    default: 1800
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - amazon.aws.tags
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
author:
  - Contributors to the antenna.aws collection (@antenna)
seealso:
  - module: antenna.aws.cloudfront_function
  - module: antenna.aws.cloudfront_invalidate
  - module: antenna.aws.cloudfront_origin_access_control
"""

EXAMPLES = r"""
- name: Start the distribution of the UI and its API
  antenna.aws.cloudfront_distribution:
    name: antenna-ui
    default_root_object: index.html
    price_class: PriceClass_100
    origins:
      - id: ui
        domain_name: antenna-ui.s3.us-west-2.amazonaws.com
        origin_access_control_id: E327GJI25M56DG
      - id: api
        domain_name: antenna.us-west-2.elasticbeanstalk.com
        custom_origin_config:
          origin_protocol_policy: http-only
        custom_headers:
          - header_name: X-Forwarded-Proto
            header_value: https
    default_cache_behavior:
      target_origin_id: ui
      cache_policy_id: CachingOptimized
      function_associations:
        - event_type: viewer-request
          function_arn: arn:aws:cloudfront::123456789012:function/antenna-ui-router
    cache_behaviors:
      - path_pattern: /api/*
        target_origin_id: api
        cache_policy_id: CachingDisabled
        origin_request_policy_id: AllViewer
        allowed_methods: [GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE]

- name: Wait for it
  antenna.aws.cloudfront_distribution:
    name: antenna-ui
    wait: true

- name: Remove it
  antenna.aws.cloudfront_distribution:
    name: antenna-ui
    state: absent
"""

RETURN = r"""
distribution:
  description: The distribution; empty when it is absent.
  returned: success
  type: dict
  contains:
    arn:
      description:
        - Its ARN.
        - In check mode it is V((known after apply\)) where it would be made, and so are id, domain name and etag.
      type: str
      sample: arn:aws:cloudfront::123456789012:distribution/E2ABCDEFGHIJKL
    caller_reference:
      description: The caller reference with which it was made.
      type: str
      sample: antenna.aws/antenna-ui
    config:
      description: Its whole configuration, named as the options are, without empty values.
      type: dict
    domain_name:
      description: Its domain name.
      type: str
      sample: d111111abcdef8.cloudfront.net
    enabled:
      description: Whether viewers are served.
      type: bool
      sample: true
    etag:
      description: The present version of its configuration.
      type: str
      sample: E3QWRUHEXAMPLE
    id:
      description: Its id.
      type: str
      sample: E2ABCDEFGHIJKL
    name:
      description: Its tag C(Name).
      type: str
      sample: antenna-ui
    status:
      description: V(InProgress) or V(Deployed).
      type: str
      sample: Deployed
    tags:
      description: Its tags.
      type: dict
      sample: {"Name": "antenna-ui"}
plan:
  description: What was done, or would be in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - op: update
      resource: E2ABCDEFGHIJKL
      reason: origins[api].custom_headers differ from what is declared
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.distribution import (
    DistributionManager,
    wanted_distribution,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, TAGS, ArgumentSpec, wait
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.module import Outcome, client, result, run, sync

CUSTOM_ORIGIN = {
    "http_port": {"type": "int"},
    "https_port": {"type": "int"},
    "origin_protocol_policy": {"type": "str", "choices": ["http-only", "match-viewer", "https-only"]},
    "origin_ssl_protocols": {"type": "list", "elements": "str"},
    "origin_read_timeout": {"type": "int"},
    "origin_keepalive_timeout": {"type": "int"},
}

ORIGIN = {
    "id": {"type": "str", "required": True},
    "domain_name": {"type": "str", "required": True},
    "origin_path": {"type": "str"},
    "origin_access_control_id": {"type": "str"},
    "custom_headers": {
        "type": "list",
        "elements": "dict",
        "options": {
            "header_name": {"type": "str", "required": True},
            "header_value": {"type": "str", "required": True},
        },
    },
    "custom_origin_config": {"type": "dict", "options": CUSTOM_ORIGIN},
    "connection_attempts": {"type": "int"},
    "connection_timeout": {"type": "int"},
}

BEHAVIOR = {
    "target_origin_id": {"type": "str", "required": True},
    "viewer_protocol_policy": {"type": "str", "choices": ["allow-all", "https-only", "redirect-to-https"]},
    "allowed_methods": {"type": "list", "elements": "str"},
    "cached_methods": {"type": "list", "elements": "str"},
    "compress": {"type": "bool"},
    "cache_policy_id": {"type": "str", "required": True},
    "origin_request_policy_id": {"type": "str"},
    "response_headers_policy_id": {"type": "str"},
    "function_associations": {
        "type": "list",
        "elements": "dict",
        "options": {
            "event_type": {"type": "str", "required": True, "choices": ["viewer-request", "viewer-response"]},
            "function_arn": {"type": "str", "required": True},
        },
    },
}

CUSTOM_ERROR_RESPONSE = {
    "error_code": {"type": "int", "required": True},
    "response_page_path": {"type": "str"},
    "response_code": {"type": "str"},
    "error_caching_min_ttl": {"type": "int"},
}

VIEWER_CERTIFICATE = {
    "cloudfront_default_certificate": {"type": "bool"},
    "acm_certificate_arn": {"type": "str"},
    "ssl_support_method": {"type": "str", "choices": ["sni-only", "vip", "static-ip"]},
    "minimum_protocol_version": {"type": "str"},
}

GEO_RESTRICTION = {
    "restriction_type": {"type": "str", "required": True, "choices": ["none", "whitelist", "blacklist"]},
    "locations": {"type": "list", "elements": "str"},
}

LOGGING = {
    "enabled": {"type": "bool"},
    "include_cookies": {"type": "bool"},
    "bucket": {"type": "str"},
    "prefix": {"type": "str"},
}

SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "caller_reference": {"type": "str"},
        "comment": {"type": "str"},
        "enabled": {"type": "bool"},
        "aliases": {"type": "list", "elements": "str"},
        "default_root_object": {"type": "str"},
        "price_class": {"type": "str", "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"]},
        "http_version": {"type": "str", "choices": ["http1.1", "http2", "http3", "http2and3"]},
        "is_ipv6_enabled": {"type": "bool"},
        "web_acl_id": {"type": "str"},
        "origins": {"type": "list", "elements": "dict", "options": ORIGIN},
        "default_cache_behavior": {"type": "dict", "options": BEHAVIOR},
        "cache_behaviors": {
            "type": "list",
            "elements": "dict",
            "options": {"path_pattern": {"type": "str", "required": True}, **BEHAVIOR},
        },
        "custom_error_responses": {"type": "list", "elements": "dict", "options": CUSTOM_ERROR_RESPONSE},
        "viewer_certificate": {"type": "dict", "options": VIEWER_CERTIFICATE},
        "restrictions": {
            "type": "dict",
            "options": {"geo_restriction": {"type": "dict", "required": True, "options": GEO_RESTRICTION}},
        },
        "logging": {"type": "dict", "options": LOGGING},
    }
).merge(STATE, TAGS, wait(1800, default=False))


def work(module: Any) -> dict[str, Any]:
    """Bring the distribution to what is wanted, and wait where that was asked for."""
    params = module.params
    manager = DistributionManager(
        client(module, "cloudfront"), wanted_distribution(params), SystemClock(), params["wait_timeout"]
    )
    outcome = sync(manager, module.check_mode)
    if not module.check_mode:
        manager.demand(outcome.after)
        if params["wait"] and outcome.after is not None:
            outcome = Outcome(outcome.before, manager.deployed(outcome.after), outcome.plan)
    return {**result(manager, outcome), "distribution": manager.view(outcome.after)}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
