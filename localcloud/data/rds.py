# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDS: each DB instance is a PostgreSQL in a container of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import moto.rds.models as moto_models
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random
from moto.rds import urls
from moto.rds.exceptions import DBSubnetGroupNotFoundError, RDSClientError
from moto.rds.models import rds_backends
from moto.rds.responses import RDSResponse

from localcloud.data.servers import Condition, Servers, Wanted
from localcloud.engine import EngineError

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

MAJOR_VERSION = "17"
DEFAULT_VERSION = "17.6"
GP3_IOPS = 3000
GP3_THROUGHPUT = 125
"""What a gp3 volume has without being asked, the latter in MiB/s."""

CHANGE_MASTER_LOGIN = """\
setpriv --reuid=postgres --regid=postgres --init-groups psql --username=rdsadmin --dbname=postgres --port="$PORT" \\
  --quiet --set=ON_ERROR_STOP=1 --set=master="$MASTER_USER" << 'SQL'
\\getenv password PASSWORD
ALTER ROLE :"master" PASSWORD :'password';
SQL
"""

STATUS: dict[Condition, str] = {
    "starting": "creating",
    "ready": "available",
    "stopped": "stopped",
    "failed": "failed",
}


def install(cloud: Cloud) -> None:
    """Put containers behind moto's DB instances.

    :raises RuntimeError: When moto's inner shape is not the expected one.
    """
    if list(urls.url_paths) != ["{0}/$"] or not hasattr(moto_models, "DBInstance"):
        raise RuntimeError("moto's RDS has another shape than expected: not the moto that requirements.txt pins")
    servers = Servers(cloud)
    cloud.reset_hooks.append(servers.remove_all)
    PostgresInstance.condition_of = staticmethod(servers.condition)
    PostgresResponse.servers = servers
    PostgresResponse.cloud = cloud
    moto_models.DBInstance = PostgresInstance
    urls.url_paths["{0}/$"] = PostgresResponse.dispatch
    cloud.status_providers["databases"] = lambda: _status(cloud)


def _status(cloud: Cloud) -> dict[str, Any]:
    found = {}
    for region, backend in rds_backends[cloud.account_id].items():
        for name, instance in backend.databases.items():
            found[name] = {
                "engine": f"{instance.engine} {instance.engine_version}",
                "status": instance.status,
                "endpoint": f"{instance.address}:{instance.port}",
                "region": region,
                "container": cloud.docker_name("rds", name if region == cloud.region else f"{region}-{name}"),
            }
    return found


class PostgresInstance(moto_models.DBInstance):  # type: ignore[misc]
    """A DB instance whose status is that of its container."""

    condition_of: Callable[[str, str], Condition]

    def __init__(self, backend: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(backend, *args, **kwargs)
        self.dbi_resource_id = f"db-{mock_random.get_random_string(26).upper()}"
        self.performance_insights_enabled = kwargs.get("enable_performance_insights") or False
        self.performance_insights_retention_period = kwargs.get("performance_insights_retention_period")
        self.performance_insights_kms_key_id = kwargs.get("performance_insights_kms_key_id")

    @property
    def status(self) -> str:
        if self._status == "deleting":
            return "deleting"
        return STATUS[type(self).condition_of(self.region, self.db_instance_identifier)]

    @status.setter
    def status(self, value: str) -> None:
        self._status = value

    @property
    def db_instance_status(self) -> str:
        return self.status

    @property
    def endpoint(self) -> dict[str, Any] | None:
        """None while there is nothing to connect to."""
        return None if self.status == "creating" else {"Address": self.address, "Port": self.port}

    def default_db_parameter_group_details(self) -> tuple[str, str]:
        family = f"{self.engine}{str(self.engine_version).partition('.')[0]}"
        return family, f"default.{family}"


class PostgresResponse(RDSResponse):  # type: ignore[misc]
    """Set `servers` and `cloud` before the first request."""

    servers: Servers
    cloud: Cloud

    def create_db_instance(self) -> ActionResult:
        password = self._refuse_what_is_not_here()
        self._set_defaults()
        answer = super().create_db_instance()
        instance = self.backend.databases[str(self.params.get("DBInstanceIdentifier"))]
        try:
            self.servers.start(_wanted(self.cloud, instance, password))
        except EngineError as error:
            del self.backend.databases[instance.db_instance_identifier]
            raise RDSClientError("InternalFailure", str(error)) from error
        return answer

    def modify_db_instance(self) -> ActionResult:
        if self.params.get("NewDBInstanceIdentifier"):
            raise RDSClientError("InvalidAction", "Renaming a DB instance is not implemented here")
        password = self.params.get("MasterUserPassword")
        answer = super().modify_db_instance()
        instance = self.backend.databases[str(self.params.get("DBInstanceIdentifier"))]
        self.servers.admit(self.region, instance.db_instance_identifier, instance.vpc_security_group_ids)
        if password:
            self._set_password(instance, str(password))
        return answer

    def delete_db_instance(self) -> ActionResult:
        name = str(self.params.get("DBInstanceIdentifier"))
        answer = super().delete_db_instance()
        self.servers.remove(self.region, name)
        return answer

    def stop_db_instance(self) -> ActionResult:
        answer = super().stop_db_instance()
        self.servers.stop(self.region, str(self.params.get("DBInstanceIdentifier")))
        return answer

    def start_db_instance(self) -> ActionResult:
        answer = super().start_db_instance()
        self.servers.start_again(self.region, str(self.params.get("DBInstanceIdentifier")))
        return answer

    def reboot_db_instance(self) -> ActionResult:
        answer = super().reboot_db_instance()
        name = str(self.params.get("DBInstanceIdentifier"))
        self.servers.stop(self.region, name)
        self.servers.start_again(self.region, name)
        return answer

    def modify_db_subnet_group(self) -> ActionResult:
        """Moto's deletes the group."""
        name = str(self.params.get("DBSubnetGroupName")).lower()
        group = self.backend.subnet_groups.get(name)
        if group is None:
            raise DBSubnetGroupNotFoundError(name)
        ec2 = ec2_backends[self.current_account][self.region]
        group._subnets = [ec2.get_subnet(subnet_id) for subnet_id in self.params.get("SubnetIds", [])]
        if self.params.get("DBSubnetGroupDescription") is not None:
            group.description = self.params.get("DBSubnetGroupDescription")
        return ActionResult({"DBSubnetGroup": group})

    def _refuse_what_is_not_here(self) -> str:
        """Return the master user's password."""
        engine = self.params.get("Engine")
        if engine != "postgres":
            raise RDSClientError("InvalidParameterValue", f"Engine {engine} is not implemented here: postgres is")
        version = str(self.params.get("EngineVersion") or DEFAULT_VERSION)
        if version.partition(".")[0] != MAJOR_VERSION:
            raise RDSClientError(
                "InvalidParameterCombination",
                f"Cannot find version {version} for postgres (only {MAJOR_VERSION} is implemented here)",
            )
        password, user = self.params.get("MasterUserPassword"), self.params.get("MasterUsername")
        if not password or not user:
            raise RDSClientError("InvalidParameterCombination", "MasterUsername and MasterUserPassword are needed here")
        if len(str(password)) < 8 or set('/@" ') & set(str(password)):
            raise RDSClientError(
                "InvalidParameterValue",
                "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
                "'/', '@', '\"', ' ' may be used, and it must have at least 8 of them.",
            )
        return str(password)

    def _set_defaults(self) -> None:
        self.params.setdefault("EngineVersion", DEFAULT_VERSION)
        if self.params.get("StorageType") == "gp3":
            self.params.setdefault("Iops", GP3_IOPS)
            self.params.setdefault("StorageThroughput", GP3_THROUGHPUT)

    def _set_password(self, instance: PostgresInstance, password: str) -> None:
        command = ("sh", "-c", CHANGE_MASTER_LOGIN)
        done = self.servers.exec_run(self.region, instance.db_instance_identifier, command, {"PASSWORD": password})
        if done.exit_code != 0:
            raise RDSClientError("InvalidDBInstanceState", f"The password was not changed: {done.output.strip()}")


def _wanted(cloud: Cloud, instance: PostgresInstance, password: str) -> Wanted:
    issued = cloud.ca.issue([instance.address])
    return Wanted(
        kind="rds",
        name=instance.db_instance_identifier,
        region=instance.region,
        entrypoint="/usr/local/bin/rds-entrypoint",
        directory="/run/instance",
        files={
            "certificate.pem": issued.certificate.read_bytes(),
            "key.pem": issued.key.read_bytes(),
            "password": password.encode(),
        },
        environment={
            "MASTER_USER": str(instance.master_username),
            "DB_NAME": instance.db_name or "",
            "PORT": str(instance.port),
        },
        # On TCP: while the cluster is made, the server listens on its socket only.
        probe=("pg_isready", "--quiet", "--host=127.0.0.1", f"--port={instance.port}"),
        endpoint=instance.address,
        more_endpoints=(),
        port=int(instance.port),
        security_group_ids=tuple(instance.vpc_security_group_ids),
        data="/var/lib/postgresql",
    )
