"""The centre on this machine: Kafka and MinIO with accounts, topics, access and buckets, and the apps beside them."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from sonovan.console_here import CONSOLE, RETRIER, launch_console, launch_retrier
from sonovan.contracts.broker import VANS_MECHANISM, BrokerSettings
from sonovan.contracts.errors import Fatal, Transient
from sonovan.contracts.limits import MAX_MESSAGE_BYTES, VAN_BYTES_PER_S
from sonovan.contracts.settings import read_settings
from sonovan.contracts.topics import PEOPLE, STAGES, Writer, van_answered_topic
from sonovan.deploy import services
from sonovan.deploy.authority import Authority
from sonovan.deploy.errors import DeployError
from sonovan.deploy.identity import ProcessRecord
from sonovan.deploy.launches import launched_names
from sonovan.deploy.processes import start_app, wait_healthy
from sonovan.deploy.receipt_keys import ReceiptKeys, receipt_keys
from sonovan.deploy.services import RunningServices, StatusRow
from sonovan.deploy.settings import VansListenerSettings
from sonovan.deploy.state import StateFolder, silent
from sonovan.storage.access import ACCOUNTS
from sonovan.storage.access import access_key as account_key
from sonovan.storage.accounts import create_accounts
from sonovan.storage.buckets import create_buckets
from sonovan.storage.outbox_engine import sqlite_url
from sonovan.storage.settings import ObjectStoreSettings, StoreAccount
from sonovan.stream_apps.progress import STANDS_BY
from sonovan.transport.admin import Administrator
from sonovan.transport.grants import mechanism_of, van_account
from sonovan.variables import refuse_unknown_variables

APPS: Final = tuple(stage.value for stage in STAGES)
ADMIN: Final = "admin"
HEALTH_FILE: Final = "health.json"
"""Where in its data folder a worker writes at which address it answers."""

APP_DEADLINE_S: Final = 120.0
CATALOGUE: Final = "catalog.sqlite"
"""The catalogue in the folder of the worker `catalog`, where no setting says another place."""

_SHOWN_WITHIN_S: Final = 30.0
_SHOWN_POLL_S: Final = 0.1

_NOT_PASSED_ON: Final = (
    *("SONOVAN_KAFKA_", "SONOVAN_S3_", "SONOVAN_DATA_DIR", "SONOVAN_STATE", "SONOVAN_SHARED_DATA"),
    "SONOVAN_VANS_",  # of the broker
    "SONOVAN_RECEIPTS_",  # of the state folder, for the workers that answer vans
    "SONOVAN_CONSOLE_",  # of the console, whose database holds accounts
    "SONOVAN_VAN_",  # a van's passphrase is nobody's but the van's, and how an app was started is kept in a file
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Centre:
    """How to reach the services of one state folder."""

    state: StateFolder
    services: RunningServices

    @property
    def path(self) -> Path:
        """The state folder."""
        return self.state.path

    def kafka(self, account: str = ADMIN) -> BrokerSettings:
        """Settings of `admin`, of a stage, of one of PEOPLE or of `van-<van_id>`; its password is made at first use.

        A van's are those of the listener for vans, and bring the authorities that it trusts.
        """
        reached = self.services
        admin = account == ADMIN
        username = reached.kafka_admin_username if admin else account
        password = SecretStr(reached.kafka_admin_password if admin else self.state.secret(_secret(account)))
        if mechanism_of(account) == VANS_MECHANISM:
            with deploy_errors():
                trusted = Authority(self.state.certificates).trusted()
            bootstrap = reached.kafka_vans_bootstrap
            return BrokerSettings(bootstrap=bootstrap, username=username, password=password, ca=trusted)
        return BrokerSettings(bootstrap=reached.kafka_bootstrap, username=username, password=password)

    def store(self, account: str = ADMIN) -> ObjectStoreSettings:
        """Settings of an account of the object store, its keys made at first use; `admin` is its root."""
        reached = self.services
        access_key, secret_key = reached.s3_access_key, reached.s3_secret_key
        if account != ADMIN:
            access_key = account_key(account, self.state.secret(f"s3-{account}-access-key"))
            secret_key = self.state.secret(f"s3-{account}")
        return ObjectStoreSettings(
            endpoint=reached.s3_endpoint, access_key=access_key, secret_key=SecretStr(secret_key)
        )

    def store_preparation(self) -> Callable[[], None]:
        """What makes the object store's buckets, accounts and policies, and is harmless when they are there.

        Their keys are read here, so that it may run in another thread than the one that holds the folder's lock.
        """
        root = self.store()
        keys = {account: _keys(self.store(account)) for account in ACCOUNTS}

        def prepare() -> None:
            create_buckets(root)
            create_accounts(root, keys)

        return prepare

    def environment(self, account: str = ADMIN) -> dict[str, str]:
        """SONOVAN_KAFKA_* of an account and, where it has one at the object store, SONOVAN_S3_*; SONOVAN_RECEIPTS_* of
        a stage that answers vans."""
        kafka = self.kafka(account)
        broker = {
            "SONOVAN_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "SONOVAN_KAFKA_USERNAME": kafka.username,
            "SONOVAN_KAFKA_PASSWORD": kafka.password.get_secret_value(),
        } | ({} if kafka.ca is None else {"SONOVAN_KAFKA_CA": kafka.ca})
        if account in van_answered_topic("any").writers:
            broker |= self.receipt_keys().environment
        if account not in (ADMIN, *ACCOUNTS):
            return broker
        store = self.store(account)
        return broker | {
            "SONOVAN_S3_ENDPOINT": store.endpoint,
            "SONOVAN_S3_ACCESS_KEY": store.access_key,
            "SONOVAN_S3_SECRET_KEY": store.secret_key.get_secret_value(),
        }

    def receipt_keys(self) -> ReceiptKeys:
        """The keys by which the centre signs its answers to vans. Raises Transient where their file is damaged."""
        with deploy_errors():
            return receipt_keys(self.state)

    def enrol_van(self, van_id: str, bytes_per_s: int | None = VAN_BYTES_PER_S) -> BrokerSettings:
        """Give a van its Kafka account, answers topic, access and quota; how it reaches Kafka.

        Harmless when it has them. bytes_per_s: see `Administrator.enrol_van`.
        """
        settings = self.kafka(van_account(van_id))
        with Administrator(self.kafka()) as administrator:
            administrator.enrol_van(van_id, settings.password.get_secret_value(), bytes_per_s)
        return settings

    @contextmanager
    def authority(self) -> Iterator[Authority]:
        """The centre's certificate authority, nobody else at work on it. When it is left, the broker shows what was
        made: connections that are open stay. Raises Transient where a file is damaged or the broker does not answer.
        """
        with deploy_errors(), self.state.lock():
            yield Authority(self.state.certificates)
            self.show_certificate()

    def show_certificate(self) -> None:
        """Have the broker's listener for vans show the certificate of the folder. Raises Transient as `authority`."""
        if services.shows_its_certificate(self.state):
            return
        with Administrator(self.kafka()) as administrator:
            administrator.reload_certificate()
        give_up_at = time.monotonic() + _SHOWN_WITHIN_S
        while not services.shows_its_certificate(self.state):
            if time.monotonic() > give_up_at:
                raise Transient(f"the broker did not take its new certificate within {_SHOWN_WITHIN_S:g} s")
            time.sleep(_SHOWN_POLL_S)

    def revoke_van(self, van_id: str) -> None:
        """Take a van's Kafka account and access away."""
        with Administrator(self.kafka()) as administrator:
            administrator.revoke_van(van_id)


def up(
    path: Path,
    *,
    apps: Sequence[str] = APPS,
    app_environment: Mapping[str, str] | None = None,
    supervised: bool = False,
    console: bool = False,
    progress: Progress = silent,
) -> Centre:
    """Start everything of a state folder and bring it to what the topic table says; harmless when it runs already.

    supervised: a supervisor starts again whatever dies (`sonovan up` asks for it; tests that kill do not).
    console: the pages for readers run as well, and what acts on decisions that are taken there.
    app_environment: further SONOVAN_ variables of the apps (default: those of this process). An app that runs with
    other ones is restarted.
    Raises Transient where a service or app does not start, Fatal where the broker refuses an account or a SONOVAN_
    variable is not known or cannot hold for several apps.
    """
    environment = os.environ if app_environment is None else app_environment
    refuse_unknown_variables(environment)
    if len(apps) > 1 and _passed_on(environment).get("SONOVAN_HEALTH_PORT", "0") != "0":
        raise Fatal("SONOVAN_HEALTH_PORT: workers on one machine cannot share a port; leave it out, each takes its own")
    state = StateFolder(path)
    with deploy_errors(), state.lock(progress):
        reached = services.launch_services(
            state,
            progress=progress,
            max_message_bytes=MAX_MESSAGE_BYTES,
            vans=read_settings(VansListenerSettings),
        )
        centre = Centre(state, reached)
        services.await_service(state, services.STORE, progress)
        with ThreadPoolExecutor(1) as beside:  # the broker takes seconds to come up, and to make its topics
            store = beside.submit(centre.store_preparation())
            services.await_service(state, services.KAFKA, progress)
            prepare_kafka(centre, progress)
            centre.show_certificate()
            store.result()
        progress("object store: buckets, accounts and policies are there")
        if supervised:
            told = _passed_on(environment)
            services.start_supervisor(state, {name: told[name] for name in told if name.startswith("SONOVAN_LOG_")})
        # All at once, then wait: importing their runtimes takes each of them seconds.
        launched = [_launch_worker(centre, app, 1, app_environment) for app in apps]
        if console:
            launched.append(launch_console(state, environment, centre.environment(CONSOLE)))
            launch_retrier(state, centre.environment(RETRIER))
        for record in launched:
            _await_ready(state, record, progress, APP_DEADLINE_S)
    return centre


def attach(path: Path) -> Centre:
    """The centre of a state folder that was started before; whether it runs is not asked. Raises Transient if never."""
    state = StateFolder(path)
    with deploy_errors():
        if not set(services.SERVICES) <= set(launched_names(state)):
            raise Transient(f"no services were ever started in {path}; start them with: sonovan up")
        return Centre(state, services.describe(state))


def down(path: Path, progress: Progress = silent) -> None:
    """End what `up` started in this folder, apps first; harmless when nothing runs. Data stays."""
    if not path.is_dir():
        return
    with deploy_errors():
        services.stop(StateFolder(path), progress)


def status(path: Path) -> list[StatusRow]:
    """One row for each process that was ever started in this folder."""
    with deploy_errors():
        return services.status(StateFolder(path)) if path.is_dir() else []


def client_environment(path: Path, account: str) -> dict[str, str]:
    """The SONOVAN_KAFKA_* and SONOVAN_S3_* variables by which `account` reaches the services of a state folder."""
    return attach(path).environment(account)


def worker_name(stage: str, instance: int) -> str:
    """The process name of a worker: `segment`, `segment-2` …"""
    return stage if instance == 1 else f"{stage}-{instance}"


def start_worker(
    centre: Centre,
    stage: str,
    instance: int = 1,
    *,
    app_environment: Mapping[str, str] | None = None,
    progress: Progress = silent,
    deadline_s: float = APP_DEADLINE_S,
) -> None:
    """Start one worker and wait until it holds partitions, or stands by since other workers hold them all.

    Harmless when it runs already with the same environment.
    """
    refuse_unknown_variables(os.environ if app_environment is None else app_environment)
    with deploy_errors():
        record = _launch_worker(centre, stage, instance, app_environment)
        _await_ready(centre.state, record, progress, deadline_s)


def _launch_worker(
    centre: Centre, stage: str, instance: int, app_environment: Mapping[str, str] | None
) -> ProcessRecord:
    name = worker_name(stage, instance)
    own = {"SONOVAN_DATA_DIR": str(centre.state.apps / name), "SONOVAN_STATE": str(centre.path)}
    own["SONOVAN_DISK_FOLDERS"] = f"{centre.state.kafka}:{centre.state.minio}"
    environment = _passed_on(os.environ if app_environment is None else app_environment)
    command = [sys.executable, "-m", "sonovan", "worker", stage, "--instance", str(instance)]
    return start_app(
        centre.state,
        name,
        command,
        _own_defaults(centre.state, stage) | environment | centre.environment(stage) | own,
        health_file=centre.state.apps / name / HEALTH_FILE,
    )


def _await_ready(state: StateFolder, record: ProcessRecord, progress: Progress, deadline_s: float) -> None:
    def says_so() -> bool:
        ready, words = services.worker_says(state, record.name, "/readyz")
        return ready or words.startswith(STANDS_BY)

    wait_healthy(state, record, says_so, deadline_s=deadline_s, progress=progress)


def prepare_kafka(centre: Centre, progress: Progress = silent) -> None:
    """Bring the broker, or the cluster, to what the topic table says: accounts, topics, grants and groups."""
    with Administrator(centre.kafka()) as administrator:
        accounts = (*APPS, *PEOPLE)
        administrator.set_accounts({account: centre.kafka(account).password.get_secret_value() for account in accounts})
        created = administrator.create_topics()
        administrator.align_grants()
        administrator.prepare_groups()
    progress(f"kafka: topics, accounts and access as in the table ({len(created)} topics created)")


def _passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """What the apps are told as well; in small letters, too, as settings are read."""
    told = {name.upper(): value for name, value in environment.items()}
    return {
        name: value
        for name, value in told.items()
        if name.startswith("SONOVAN_") and not name.startswith(_NOT_PASSED_ON)
    }


def _own_defaults(state: StateFolder, stage: str) -> dict[str, str]:
    """What a stage gets where nobody said otherwise: alert workers of one centre share one outbox, catalog workers one
    catalogue."""
    shared = {
        Writer.ALERT: ("SONOVAN_ALERT_DATABASE_URL", "outbox.sqlite"),
        Writer.CATALOG: ("SONOVAN_CATALOG_DATABASE_URL", CATALOGUE),
    }
    if stage not in shared:
        return {}
    variable, file = shared[Writer(stage)]
    folder = state.apps / stage
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {variable: sqlite_url(folder / file)}


def _keys(settings: ObjectStoreSettings) -> StoreAccount:
    return StoreAccount(access_key=settings.access_key, secret_key=settings.secret_key)


def _secret(account: str) -> str:
    return f"kafka-{account}"


@contextmanager
def deploy_errors() -> Iterator[None]:
    """A service that cannot be started or judged is not available: nothing is lost, so it may be tried again."""
    try:
        yield
    except DeployError as error:
        raise Transient(str(error)) from error
