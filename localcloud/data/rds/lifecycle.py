# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to DB instances, by call and by itself: states, containers, copies, events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from localcloud.data.copies import Copies
from localcloud.data.rds import changes, managed, parameters
from localcloud.data.rds.instance import DBSnapshot, PostgresInstance, instances
from localcloud.data.servers import Servers, Wanted
from localcloud.data.windows import DAY, next_start
from localcloud.engine import EngineError
from localcloud.jobs import Jobs, every

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LOOK_EVERY = 2.0
STOPPED_AT_MOST = timedelta(days=7)
ENTRYPOINT = "/usr/local/bin/rds-entrypoint"

CHANGE_MASTER_LOGIN = """\
setpriv --reuid=postgres --regid=postgres --init-groups psql --username=rdsadmin --dbname=postgres --quiet \\
  --port="$(cat /run/instance/port)" --set=ON_ERROR_STOP=1 --set=master="$MASTER_USER" << 'SQL'
\\getenv password PASSWORD
ALTER ROLE :"master" PASSWORD :'password';
SQL
"""

END_OF_WRITTEN = """\
setpriv --reuid=postgres --regid=postgres --init-groups psql --username=rdsadmin --dbname=postgres --quiet \\
  --port="$(cat /run/instance/port)" --set=ON_ERROR_STOP=1 \\
  --command='SELECT txid_current()' --command='SELECT pg_switch_wal()'
"""

EVENTS = {
    "AllocatedStorage": ("Applying modification to allocated storage", "Finished applying modification to storage"),
    "DBInstanceClass": (
        "Applying modification to database instance class",
        "Finished applying modification to DB instance class",
    ),
    "MultiAZ": (
        "Applying modification to convert to a Multi-AZ DB Instance",
        "Finished applying modification to convert to a Multi-AZ DB Instance",
    ),
    "MasterUserPassword": (None, "Reset master credentials"),
}
"""What is noted at the beginning and the end of a change (RDS-EVENT-0018 and -0017, -0012 and -0014, -0024, -0016)."""
UNREACHABLE = "The primary host of the RDS Multi-AZ instance is unreachable due to loss of network connectivity."
REQUESTED = "The user requested a failover of the DB instance."


class Lifecycle:
    """Works behind the API; the jobs of an instance run one after another."""

    def __init__(self, cloud: Cloud, servers: Servers, jobs: Jobs, copies: Copies) -> None:
        self._cloud, self._servers, self._jobs, self._copies = cloud, servers, jobs, copies

    def watch(self) -> None:
        """See to windows, backups and failed hosts from now on."""
        every(LOOK_EVERY, self._cloud.clock, self._look)

    # -- what calls begin -----------------------------------------------------------------------------------------

    def create(self, instance: PostgresInstance, password: str) -> None:
        """Start a new instance, which has the status `creating`."""
        self._begin(instance, "creating", lambda: self._launch(instance, password, "rds.create"))

    def restore(self, instance: PostgresInstance, source: DBSnapshot | PostgresInstance) -> None:
        """Start a new instance on a copy of a snapshot's data, or of another instance's as they are now."""

        def work() -> None:
            self._copy(source, self._servers.volume(instance.key), instance.db_instance_identifier)
            self._launch(instance, None, "rds.restore")

        self._begin(instance, "creating", work)

    def restore_to(self, instance: PostgresInstance, source: PostgresInstance, moment: datetime) -> None:
        """Start a new instance with the data that another one had at a moment since its oldest automated backup."""

        def work() -> None:
            earlier = [backup for backup in self.backups(source) if backup.completed <= moment]
            base = max(earlier, key=lambda backup: backup.completed)
            # Something is to follow the moment, and what was written up to it is to lie in files that are complete.
            done = self._servers.exec_run(source.key, ("sh", "-c", END_OF_WRITTEN))
            if done.exit_code != 0:
                raise EngineError(f"{source.key.name} does not tell what it has written: {done.output.strip()}")
            until = self._servers.volume(source.key), self._cloud.clock.on_the_machine(moment)
            target, name = self._servers.volume(instance.key), instance.db_instance_identifier
            self._copies.make(base.volume, target, name, until=until)
            self._launch(instance, None, "rds.restore")

        self._begin(instance, "creating", work)

    def backups(self, instance: PostgresInstance) -> list[DBSnapshot]:
        """The automated backups of an instance that are complete."""
        return [
            one
            for one in list(instance.backend.database_snapshots.values())
            if one.dbi_resource_id == instance.dbi_resource_id
            and (one.snapshot_type, one.status) == ("automated", "available")
        ]

    def modify(self, instance: PostgresInstance, planned: changes.Changes) -> None:
        """Carry out planned changes as far as they do not wait."""
        for name, value in planned.at_once.items():
            instance.set(name, value)
        if "VpcSecurityGroupIds" in planned.at_once:
            self._servers.admit(instance.key, instance.vpc_security_group_ids)
        if "DBParameterGroupName" in planned.at_once:
            instance.parameter_status = "pending-reboot"
        instance.waiting = dict(planned.postponed)
        instance.waiting_until = next_start(instance.preferred_maintenance_window, self._cloud.clock.now())
        if planned.started:
            self._start_changes(instance, planned.started)

    def set_parameters(self, instance: PostgresInstance, values: Mapping[str, str | None]) -> None:
        """Have the running server take these values of dynamic parameters, None for the default."""
        instance.parameter_status = "applying"

        def work() -> None:
            for name, value in values.items():
                instance.parameters_in_effect.pop(name, None)
                if value is not None:
                    instance.parameters_in_effect[name] = value
            self._servers.give_files(instance.key, self._parameter_files(instance))
            if self._servers.runs(instance.key):
                self._servers.exec_run(instance.key, (ENTRYPOINT, "reload"))
            in_sync = instance.parameters_in_effect == instance.parameter_values()
            instance.parameter_status = "in-sync" if in_sync else "pending-reboot"

        self._jobs.add(instance.key, work)

    def reboot(self, instance: PostgresInstance, force_failover: bool) -> None:
        """Restart it, on its standby if so asked, with all that its parameter group says."""

        def work() -> None:
            began = self._cloud.clock.monotonic()
            instance.parameters_in_effect = instance.parameter_values()
            self._servers.give_files(instance.key, self._parameter_files(instance))
            if force_failover:
                serves = self._fail_over(instance, REQUESTED)
            else:
                instance.record("DB instance shutdown", "availability")
                serves = self._restart(instance)
                self._rest("rds.reboot", began)
                instance.record("DB instance restarted", "availability")
            instance.parameter_status = "in-sync"
            instance.status = "available" if serves else "incompatible-parameters"

        self._begin(instance, "rebooting", work)

    def stop(self, instance: PostgresInstance) -> None:
        """Stop it and keep its data."""

        def work() -> None:
            self._servers.stop(instance.key)
            self._cloud.clock.wait(self._cloud.latency.of("rds.stop"))
            instance.stopped_at = self._cloud.clock.now()
            instance.status = "stopped"
            instance.record("DB instance stopped", "notification")

        self._begin(instance, "stopping", work)

    def start(self, instance: PostgresInstance) -> None:
        """Start a stopped one."""

        def work() -> None:
            began = self._cloud.clock.monotonic()
            serves = self._restart(instance)
            self._rest("rds.start", began)
            instance.stopped_at = None
            instance.status = "available" if serves else "incompatible-parameters"
            instance.record("DB instance started", "notification")

        self._begin(instance, "starting", work)

    def snapshot(self, instance: PostgresInstance, snapshot: DBSnapshot) -> None:
        """Fill a new snapshot; the instance is backed up meanwhile."""

        def work() -> None:
            self._fill(instance, snapshot)
            instance.status = "available"

        self._begin(instance, "backing-up", work)

    def delete(self, instance: PostgresInstance, final: DBSnapshot | None, with_backups: bool) -> None:
        """Take the final snapshot, if one is wanted, and remove the instance and, if so asked, its backups."""

        def work() -> None:
            if final is not None:
                self._fill(instance, final)
            began = self._cloud.clock.monotonic()
            self._servers.remove(instance.key)
            self._rest("rds.delete", began)
            instance.backend.databases.pop(instance.db_instance_identifier, None)
            managed.end(instance)
            instance.record("DB instance deleted", "deletion")
            if with_backups:
                self._expire(instance, keep=0)

        self._begin(instance, "deleting", work)

    def remove_snapshot(self, snapshot: DBSnapshot) -> None:
        """Forget a snapshot and its data."""
        snapshot.backend.database_snapshots.pop(snapshot.db_snapshot_identifier, None)
        self._copies.remove(snapshot.volume)

    def copy_snapshot(self, source: DBSnapshot, target: DBSnapshot) -> None:
        """Fill a snapshot from another one."""

        def work() -> None:
            self._copy(source, target.volume, target.db_snapshot_identifier)
            target.finish()

        self._jobs.add(target.volume, work)

    # -- what time brings -----------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = self._cloud.clock.now()
        for instance in instances():
            if self._jobs.is_busy(instance.key):
                continue
            if instance.status == "available" and not self._servers.runs(instance.key):
                self._add(instance, partial(self._recover, instance))
            elif instance.status == "available" and instance.waiting and (instance.waiting_until or now) <= now:
                settings, instance.waiting = instance.waiting, {}
                self._start_changes(instance, settings)
            elif instance.status == "available" and instance.next_backup is not None and instance.next_backup <= now:
                self._begin(instance, "backing-up", partial(self._back_up, instance))
            elif instance.stopped_at is not None and instance.stopped_at + STOPPED_AT_MOST <= now:
                instance.record(
                    "DB instance is being started due to it exceeding the maximum allowed time being stopped.",
                    "notification",
                )
                self.start(instance)

    def _recover(self, instance: PostgresInstance) -> None:
        if instance.status != "available" or self._servers.runs(instance.key):
            return
        if instance.multi_az:
            self._fail_over(instance, UNREACHABLE)
            return
        instance.record(
            "Recovery of the DB instance has started. Recovery time will vary with the amount of data to be recovered.",
            "recovery",
        )
        self._servers.start_again(instance.key)
        self._servers.await_ready(instance.key)
        instance.record("DB instance restarted", "availability")
        instance.record("Recovery of the DB instance is complete.", "recovery")

    # -- steps ----------------------------------------------------------------------------------------------------

    def _begin(self, instance: PostgresInstance, status: str, work: Callable[[], None]) -> None:
        instance.status = status
        self._add(instance, work)

    def _add(self, instance: PostgresInstance, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except EngineError:
                instance.changing = {}
                instance.status = "available" if self._servers.runs(instance.key) else "failed"
                raise

        self._jobs.add(instance.key, guarded)

    def _launch(self, instance: PostgresInstance, password: str | None, duration: str) -> None:
        began = self._cloud.clock.monotonic()
        self._servers.start(self._wanted(instance, password))
        serves = self._servers.await_ready(instance.key)
        self._rest(duration, began)
        if not serves:
            instance.status = "failed"
            return
        if instance.master_user_secret is not None:
            instance.master_user_secret.activate()
        instance.record("DB instance created", "creation")
        self._back_up(instance)

    def _start_changes(self, instance: PostgresInstance, settings: Mapping[str, Any]) -> None:
        instance.changing = dict(settings)

        def work() -> None:
            # As at AWS, the status is not at once another one.
            self._cloud.clock.wait(self._cloud.latency.of("rds.notice"))
            instance.status = changes.status_for(set(settings))
            self._change(instance, settings)

        self._add(instance, work)

    def _change(self, instance: PostgresInstance, settings: Mapping[str, Any]) -> None:
        began = self._cloud.clock.monotonic()
        for name in settings:
            if (message := EVENTS.get(name, (None, None))[0]) is not None:
                instance.record(message, "configuration change")
        backups_begin = not instance.backup_retention_period and settings.get("BackupRetentionPeriod")
        for name, value in settings.items():
            instance.set(name, value)
        serves = self._apply(instance, settings)
        self._rest(_duration(set(settings)), began)
        instance.changing = {}
        for name in settings:
            if (message := EVENTS.get(name, (None, None))[1]) is not None:
                instance.record(message, "configuration change")
        if not serves:
            instance.status = "incompatible-parameters"
            return
        if changes.STORAGE & set(settings) and (seconds := self._cloud.latency.of("rds.storage_optimization")):
            instance.status = "storage-optimization"
            self._cloud.clock.wait(seconds)
        if backups_begin:
            self._back_up(instance)
        elif not instance.backup_retention_period:
            instance.next_backup = None
        instance.status = "available"

    def _apply(self, instance: PostgresInstance, settings: Mapping[str, Any]) -> bool:
        """Have the server do what the settings say; False when it does not come up any more."""
        key = instance.key
        if "MasterUserPassword" in settings:
            command = ("sh", "-c", CHANGE_MASTER_LOGIN)
            done = self._servers.exec_run(key, command, {"PASSWORD": settings["MasterUserPassword"]})
            if done.exit_code != 0:
                raise EngineError(f"the password of {key.name} was not changed: {done.output.strip()}")
            if instance.master_user_secret is not None:
                instance.master_user_secret.activate()
        if not changes.RESTARTING & set(settings):
            return True
        port = {"port": str(instance.port).encode()}
        self._servers.give_files(key, {**self._parameter_files(instance), **port})
        if instance.multi_az and "DBPortNumber" not in settings:
            return self._fail_over(instance, "The RDS Multi-AZ primary instance is being modified by the customer.")
        serves = self._restart(instance)
        if "DBPortNumber" in settings:
            self._servers.listen(key, int(instance.port))
        instance.record("DB instance restarted", "availability")
        return serves

    def _restart(self, instance: PostgresInstance) -> bool:
        self._servers.stop(instance.key)
        self._servers.start_again(instance.key)
        return self._servers.await_ready(instance.key)

    def _fail_over(self, instance: PostgresInstance, why: str) -> bool:
        began = self._cloud.clock.monotonic()
        instance.record("Multi-AZ instance failover started.", "failover")
        self._servers.fail_over(instance.key)
        serves = self._servers.await_ready(instance.key)
        instance.record("DB instance restarted", "availability")
        zones = instance.availability_zone, instance.secondary_availability_zone
        instance.secondary_availability_zone, instance.availability_zone = zones
        self._rest("rds.failover", began)
        instance.record(why, "failover")
        instance.record("Multi-AZ instance failover completed", "failover")
        return serves

    def _back_up(self, instance: PostgresInstance) -> None:
        """Take the automated backup of an instance that has them; it is available then."""
        now = self._cloud.clock.now()
        name = f"rds:{instance.db_instance_identifier}-{now:%Y-%m-%d-%H-%M}"
        if instance.backup_retention_period and name not in instance.backend.database_snapshots:
            instance.status = "backing-up"
            instance.record("Backing up DB instance", "backup")
            snapshot = instance.backend.create_db_snapshot(
                instance.db_instance_identifier, name, snapshot_type="automated"
            )
            self._fill(instance, snapshot)
            instance.record("Finished DB Instance backup", "backup")
            self._expire(instance, keep=int(instance.backup_retention_period))
        if instance.backup_retention_period:
            window = instance.preferred_backup_window
            due = next_start(window, now)
            instance.next_backup = due if due > now else next_start(window, now + DAY)
        instance.status = "available"

    def _fill(self, instance: PostgresInstance, snapshot: DBSnapshot) -> None:
        kind = str(snapshot.snapshot_type).capitalize()
        began = self._cloud.clock.monotonic()
        snapshot.record(f"Creating {snapshot.snapshot_type} snapshot", "creation")
        try:
            self._copy(instance, snapshot.volume, snapshot.db_snapshot_identifier)
        except EngineError:
            snapshot.status = "failed"
            raise
        self._rest("rds.snapshot", began)
        snapshot.finish()
        snapshot.record(f"{kind} snapshot created", "creation")

    def _copy(self, source: DBSnapshot | PostgresInstance, target: str, name: str) -> None:
        if isinstance(source, DBSnapshot):
            self._copies.make(source.volume, target, name)
            return
        port = int(source.port) if self._servers.runs(source.key) else None
        self._copies.make(self._servers.volume(source.key), target, name, port)

    def _expire(self, instance: PostgresInstance, keep: int) -> None:
        """Remove automated backups that are older than so many days."""
        oldest = self._cloud.clock.now() - keep * DAY
        for snapshot in list(instance.backend.database_snapshots.values()):
            of_this = snapshot.dbi_resource_id == instance.dbi_resource_id
            if of_this and snapshot.snapshot_type == "automated" and snapshot.created <= oldest:
                self.remove_snapshot(snapshot)

    def _rest(self, duration: str, began: float) -> None:
        """Let the rest of what AWS takes for it go by."""
        self._cloud.clock.wait(self._cloud.latency.of(duration) - (self._cloud.clock.monotonic() - began))

    def _parameter_files(self, instance: PostgresInstance) -> dict[str, bytes]:
        return parameters.files(instance.parameters_in_effect, instance.db_instance_class)

    def _wanted(self, instance: PostgresInstance, password: str | None) -> Wanted:
        issued = self._cloud.ca.issue([instance.address])
        return Wanted(
            key=instance.key,
            entrypoint=ENTRYPOINT,
            directory="/run/instance",
            files={
                "certificate.pem": issued.certificate.read_bytes(),
                "key.pem": issued.key.read_bytes(),
                "port": str(instance.port).encode(),
                **({"password": password.encode()} if password is not None else {}),
                **self._parameter_files(instance),
            },
            environment={"MASTER_USER": str(instance.master_username), "DB_NAME": instance.db_name or ""},
            # On TCP: while the cluster is made, the server listens on its socket only.
            probe=("sh", "-c", 'pg_isready --quiet --host=127.0.0.1 --port="$(cat /run/instance/port)"'),
            endpoint=instance.address,
            more_endpoints=(),
            port=int(instance.port),
            security_group_ids=tuple(instance.vpc_security_group_ids),
            data="/var/lib/postgresql",
        )


def _duration(settings: set[str]) -> str:
    if "EngineVersion" in settings:
        return "rds.upgrade"
    return "rds.credentials" if settings == {"MasterUserPassword"} else "rds.modify"
