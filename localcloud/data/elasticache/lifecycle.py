# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to replication groups, by call and by itself: states, nodes, failover, events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.elasticache.models import elasticache_backends

from localcloud.data.elasticache import nodes, requests
from localcloud.data.elasticache.group import CACHE_NODE, NODE_GROUP, Member, ValkeyGroup, full_version, groups
from localcloud.data.events import Event
from localcloud.data.servers import Servers, Wanted
from localcloud.data.windows import next_start
from localcloud.engine import EngineError
from localcloud.jobs import Jobs, every

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LOOK_EVERY = 2.0
SERVES = "node-cli info replication | grep -Eq 'role:master|master_link_status:up'"


class Lifecycle:
    """Works behind the API; the jobs of a group run one after another."""

    def __init__(self, cloud: Cloud, servers: Servers, jobs: Jobs) -> None:
        self._cloud, self._servers, self._jobs = cloud, servers, jobs
        self._events: dict[str, list[Event]] = {}

    def watch(self) -> None:
        """See to windows and failed nodes from now on."""
        every(LOOK_EVERY, self._cloud.clock, self._look)

    def events(self, region: str) -> Sequence[Event]:
        """All events of a region, oldest first."""
        return list(self._events.get(region, ()))

    def forget(self) -> None:
        """Forget all events."""
        self._events.clear()

    # -- what calls begin -----------------------------------------------------------------------------------------

    def create(self, group: ValkeyGroup) -> None:
        """Start a new group's nodes."""

        def work() -> None:
            began = self._cloud.clock.monotonic()
            serves = self._start_members(group, group.members)
            self._rest("elasticache.create", began)
            if not serves:
                group.status = "create-failed"
                return
            for member in group.members:
                self._record(group, "cache-cluster", member.name, "Cache cluster created")
            self._record_group(group, f"Replication group {group.replication_group_id} created")
            group.status = "available"

        self._begin(group, "creating", work)

    def modify(self, group: ValkeyGroup, given: Mapping[str, Any]) -> None:
        """Change what the call says, as far as it does not wait for the window."""
        for name, attribute in requests.AT_ONCE.items():
            if name in given:
                setattr(group, attribute, given[name])
        if "SecurityGroupIds" in given:
            for member in group.members:
                self._servers.admit(group.member_key(member), group.security_group_ids)
        if "LogDeliveryConfigurations" in given:
            group.log_delivery_configurations = log_deliveries(
                group.log_delivery_configurations, given["LogDeliveryConfigurations"]
            )
        started = {name: given[name] for name in requests.STARTED if name in given}
        postponed = {**group.waiting, **{name: given[name] for name in requests.POSTPONABLE if name in given}}
        if given.get("ApplyImmediately"):
            started, postponed = {**postponed, **started}, {}
        group.waiting = postponed
        group.waiting_until = next_start(group.preferred_maintenance_window, self._cloud.clock.now())
        if started:
            self._start_changes(group, started)

    def resize(self, group: ValkeyGroup, replicas: int, leaving: Sequence[str] = ()) -> None:
        """Have that many replicas; `leaving` are those that go, the last ones unless told."""
        more = replicas - len(group.replicas)
        new = [group.add_member() for _ in range(more)]
        old = [member for member in group.replicas if member.name in leaving] or list(group.replicas)[replicas:]
        for member in old if more < 0 else ():
            member.status = "deleting"

        def work() -> None:
            began = self._cloud.clock.monotonic()
            self._start_members(group, new)
            for member in [member for member in group.members if member.status == "deleting"]:
                group.members.remove(member)
                self._servers.remove(group.member_key(member))
            self._place(group)
            self._rest("elasticache.modify", began)
            group.status = "available"

        self._begin(group, "modifying", work)

    def test_failover(self, group: ValkeyGroup) -> None:
        """End the primary as a failing host would, and have a replica take over."""
        self._record_group(group, f"Test Failover API called for node group {NODE_GROUP}")

        def work() -> None:
            self._servers.kill(group.member_key(group.primary))
            self._fail_over(group)
            group.status = "available"

        self._begin(group, "modifying", work)

    def delete(self, group: ValkeyGroup) -> None:
        """Remove the group's nodes, and the group."""
        for member in group.members:
            member.status = "deleting"

        def work() -> None:
            began = self._cloud.clock.monotonic()
            for member in group.members:
                self._servers.remove(group.member_key(member))
            self._rest("elasticache.delete", began)
            backend = elasticache_backends[group.account_id][group.region]
            backend.replication_groups.pop(group.replication_group_id, None)
            backend.tagging_service.delete_all_tags_for_resource(group.arn)
            self._record_group(group, f"Replication group {group.replication_group_id} deleted")

        self._begin(group, "deleting", work)

    # -- what time brings -----------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = self._cloud.clock.now()
        for group in groups():
            if group.status != "available" or self._jobs.is_busy(group.key):
                continue
            if self._dead(group):
                self._begin(group, "modifying", partial(self._recover, group))
            elif group.waiting and (group.waiting_until or now) <= now:
                settings, group.waiting = group.waiting, {}
                self._start_changes(group, settings)

    def _dead(self, group: ValkeyGroup) -> list[Member]:
        return [member for member in group.members if not self._servers.runs(group.member_key(member))]

    def _recover(self, group: ValkeyGroup) -> None:
        dead = self._dead(group)
        alive = [member for member in group.replicas if member not in dead]
        if group.primary in dead and group.automatic_failover == "enabled" and alive:
            self._fail_over(group)
            dead = self._dead(group)
        for member in dead:
            self._replace(group, member)
        group.status = "available"

    # -- steps ----------------------------------------------------------------------------------------------------

    def _begin(self, group: ValkeyGroup, status: str, work: Callable[[], None]) -> None:
        group.status = status
        self._add(group, work)

    def _add(self, group: ValkeyGroup, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except EngineError:
                group.changing = {}
                group.status = "create-failed" if group.status == "creating" else "available"
                raise

        self._jobs.add(group.key, guarded)

    def _start_members(self, group: ValkeyGroup, members: Sequence[Member]) -> bool:
        """False when one of them does not serve."""
        for member in members:
            self._servers.start(self._wanted(group, member))
        serves = True
        for member in members:
            ready = self._servers.await_ready(group.member_key(member))
            member.status, serves = ("available", serves) if ready else ("create-failed", False)
            message = f"Added cache node {CACHE_NODE} in availability zone {member.zone}"
            self._record(group, "cache-cluster", member.name, message)
        return serves

    def _start_changes(self, group: ValkeyGroup, settings: Mapping[str, Any]) -> None:
        group.changing = dict(settings)
        if "AutomaticFailoverEnabled" in settings:
            group.automatic_failover = "enabling" if settings["AutomaticFailoverEnabled"] else "disabling"

        def work() -> None:
            began = self._cloud.clock.monotonic()
            self._change(group, settings)
            self._rest("elasticache.modify", began)
            group.changing = {}
            group.status = "available"

        self._begin(group, "modifying", work)

    def _change(self, group: ValkeyGroup, settings: Mapping[str, Any]) -> None:
        if "MultiAZEnabled" in settings:
            group.multi_az = "enabled" if settings["MultiAZEnabled"] else "disabled"
        if "EngineVersion" in settings:
            group.engine_version = full_version(group.engine, settings["EngineVersion"])
        if "CacheNodeType" in settings:
            group.cache_node_type = settings["CacheNodeType"]
            memory = nodes.NODE_MEMORY_MIB.get(group.cache_node_type, 0)
            self._tell_all(group, "config", "set", "maxmemory", f"{memory}mb")
        if "AuthToken" in settings or settings.get("AuthTokenUpdateStrategy") == "DELETE":
            self._set_tokens(group, settings.get("AuthToken"), settings.get("AuthTokenUpdateStrategy", "ROTATE"))
        if (name := settings.get("PrimaryClusterId", group.primary.name)) != group.primary.name:
            self._promote(group, next(member for member in group.members if member.name == name))
            self._replace(group, next(member for member in group.members if member.role == "replica"))
        if "AutomaticFailoverEnabled" in settings:
            group.automatic_failover = "enabled" if settings["AutomaticFailoverEnabled"] else "disabled"
        self._write_configurations(group)

    def _set_tokens(self, group: ValkeyGroup, token: str | None, strategy: str) -> None:
        """ROTATE lets the last token in too, and who has none where none was needed; SET lets in the new one alone."""
        if strategy == "DELETE":
            group.auth_tokens, group.without_token = (), True
        elif token is not None:
            kept = group.auth_tokens[-1:] if strategy == "ROTATE" and token not in group.auth_tokens else ()
            group.auth_tokens = (*kept, token)
            group.without_token = group.without_token and strategy == "ROTATE"
        group.auth_token_enabled = bool(group.auth_tokens)
        group.auth_token_last_modified_date = self._cloud.clock.now()
        self._tell_all(group, "acl", "setuser", "default", *nodes.permissions(group.auth_tokens, group.without_token))

    def _fail_over(self, group: ValkeyGroup) -> None:
        began = self._cloud.clock.monotonic()
        old = group.primary
        new = next(member for member in group.replicas if self._servers.runs(group.member_key(member)))
        self._promote(group, new)
        self._rest("elasticache.failover", began)
        message = f"Failover from primary node {old.name} to replica node {new.name} completed"
        self._record(group, "cache-cluster", new.name, message)
        self._record_group(group, message)
        self._replace(group, old)

    def _promote(self, group: ValkeyGroup, new: Member) -> None:
        """Make a replica the primary; the old one is to be replaced then."""
        self._tell(group, new, "replicaof", "no", "one")
        group.primary.role, new.role = "replica", "primary"
        for member in group.replicas:
            if self._servers.runs(group.member_key(member)):
                self._tell(group, member, "replicaof", group.home_address(new.name), str(group.port))
        self._place(group)
        self._write_configurations(group)

    def _replace(self, group: ValkeyGroup, member: Member) -> None:
        """A new node in the place of one that failed."""
        self._record(group, "cache-cluster", member.name, f"Recovering cache nodes {CACHE_NODE}")
        self._servers.replace(group.member_key(member), self._files(group, member))
        self._servers.await_ready(group.member_key(member))
        self._record(group, "cache-cluster", member.name, f"Finished recovery for cache nodes {CACHE_NODE}")

    def _place(self, group: ValkeyGroup) -> None:
        """Let the group's names lead to the right nodes; two must never have the primary's."""
        for member in [*group.replicas, group.primary]:
            if self._servers.exists(group.member_key(member)):
                self._servers.name(group.member_key(member), *group.endpoints(member))

    def _tell_all(self, group: ValkeyGroup, *command: str) -> None:
        for member in group.members:
            self._tell(group, member, *command)

    def _tell(self, group: ValkeyGroup, member: Member, *command: str) -> None:
        done = self._servers.exec_run(group.member_key(member), ("node-cli", *command))
        if done.exit_code != 0 or not done.output.startswith("OK"):
            raise EngineError(f"{member.name}, asked to {command[0]}: {done.output.strip()}")

    def _write_configurations(self, group: ValkeyGroup) -> None:
        for member in group.members:
            self._servers.give_files(group.member_key(member), self._files(group, member))

    def _rest(self, duration: str, began: float) -> None:
        """Let the rest of what AWS takes for it go by."""
        self._cloud.clock.wait(self._cloud.latency.of(duration) - (self._cloud.clock.monotonic() - began))

    def _record_group(self, group: ValkeyGroup, message: str) -> None:
        self._record(group, "replication-group", group.replication_group_id, message)

    def _record(self, group: ValkeyGroup, kind: str, name: str, message: str) -> None:
        event = Event(kind, name, message, self._cloud.clock.now())
        self._events.setdefault(group.region, []).append(event)

    def _files(self, group: ValkeyGroup, member: Member) -> dict[str, bytes]:
        own = group.member_address(member.name)
        issued = self._cloud.ca.issue([group.primary_address, group.reader_address, own, "localhost"])
        return {
            "certificate.pem": issued.certificate.read_bytes(),
            "key.pem": issued.key.read_bytes(),
            "authority.pem": issued.authority.read_bytes(),
            "node.conf": nodes.configuration(group, member, group.secret).encode(),
            "options": nodes.options(group).encode(),
            "secret": group.secret.encode(),
        }

    def _wanted(self, group: ValkeyGroup, member: Member) -> Wanted:
        endpoint, more_endpoints = group.endpoints(member)
        return Wanted(
            key=group.member_key(member),
            entrypoint="/usr/local/bin/elasticache-entrypoint",
            directory="/run/node",
            files=self._files(group, member),
            environment={},
            probe=("sh", "-c", SERVES),
            endpoint=endpoint,
            more_endpoints=more_endpoints,
            port=int(group.port),
            security_group_ids=tuple(group.security_group_ids),
            home_names=(group.home_address(member.name),),
        )


def log_deliveries(current: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The log deliveries after a call: by type of log, and gone where the call disables them."""
    kept = {item["LogType"]: dict(item) for item in current}
    for item in asked:
        kept.pop(item["LogType"], None)
        if item.get("Enabled") is not False:
            shown = {name: value for name, value in item.items() if name != "Enabled"}
            kept[item["LogType"]] = {**shown, "Status": "active"}
    return list(kept.values())
