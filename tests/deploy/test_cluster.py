"""Three brokers and a store of four machines: one cluster, three copies, one certificate, each on its host.

Kafka's formatting is a small script here; `make bench-scale` runs the real brokers.
"""

from pathlib import Path

import pytest

from sonovan.deploy import cluster, kafka, kafka_config
from sonovan.deploy.authority import LISTENER
from sonovan.deploy.cluster import Host
from sonovan.deploy.errors import DeployError
from sonovan.deploy.launches import Launch
from sonovan.deploy.state import StateFolder
from tests.programs import install

HOSTS = [Host(f"host-{number}", f"10.0.0.{number}", ("enter", f"host-{number}")) for number in (1, 2, 3)]
JAVA = """mkdir -p data.formatting && touch data.formatting/meta.properties
sed -n '/--cluster-id/{n;p}' format.arguments >data.formatting/id
echo formatted >>formats"""


def prepared(state: StateFolder, folder: Path, hosts: list[Host]) -> list[Launch]:
    install(folder, java=JAVA)
    state.prepare()
    return cluster.prepare_brokers(
        state, hosts, folder / "java", folder, archive=None, max_message_bytes=1_000_000, progress=lambda _line: None
    )


def properties(launch: Launch) -> dict[str, str]:
    text = (Path(launch.cwd) / kafka.PROPERTIES_FILE).read_text()
    return dict(line.split("=", 1) for line in text.splitlines())


def test_brokers_of_a_cluster_know_each_other_and_keep_three_copies(tmp_path: Path) -> None:
    launches = prepared(StateFolder(tmp_path / "state"), tmp_path, HOSTS)
    found = [properties(each) for each in launches]
    assert [each["node.id"] for each in found] == ["1", "2", "3"]
    assert {each["controller.quorum.voters"] for each in found} == {"1@10.0.0.1:9093,2@10.0.0.2:9093,3@10.0.0.3:9093"}
    for host, each in zip(HOSTS, found, strict=True):
        assert all(f"//{host.address}:" in one for one in each["listeners"].split(","))
        assert each["advertised.listeners"] == f"CLIENT://{host.address}:9092,VANS://{host.address}:9094"
        copies = {key: value for key, value in each.items() if key.endswith("replication.factor")}
        in_sync = {key: value for key, value in each.items() if "min.isr" in key or key == "min.insync.replicas"}
        assert len(copies) == 4
        assert set(copies.values()) == {"3"}
        assert len(in_sync) == 3
        assert set(in_sync.values()) == {"2"}


def test_brokers_share_one_id_one_certificate_and_their_passwords_and_are_formatted_once(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    launches = prepared(state, tmp_path, HOSTS)
    folders = [Path(each.cwd) for each in launches]
    assert len({(each / "data" / "id").read_text() for each in folders}) == 1
    keystores = {
        (Path(each.cwd) / properties(each)["listener.name.vans.ssl.keystore.location"]).resolve() for each in launches
    }
    assert keystores == {state.certificates / LISTENER}
    assert len({properties(each)["listener.name.controller.plain.sasl.jaas.config"] for each in launches}) == 1
    assert prepared(state, tmp_path, HOSTS) == launches
    assert [(each / "formats").read_text() for each in folders] == ["formatted\n"] * 3


def test_each_broker_is_launched_on_its_host(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    launches = prepared(state, tmp_path, HOSTS)
    assert [each.argv[:2] for each in launches] == [("enter", host.name) for host in HOSTS]
    assert [each.name for each in launches] == ["kafka-1", "kafka-2", "kafka-3"]


def test_each_process_of_the_store_has_one_drive_of_four_and_knows_where_the_others_are(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.prepare()
    hosts = [Host(f"store-{number}", f"10.0.1.{number}", ("enter", f"store-{number}")) for number in (1, 2, 3, 4)]
    launches = cluster.prepare_store(state, hosts, Path("minio"))
    assert [each.name for each in launches] == ["minio-1", "minio-2", "minio-3", "minio-4"]
    for host, each in zip(hosts, launches, strict=True):
        assert each.argv[:4] == (*host.enter, "minio", "server")
        assert each.argv[each.argv.index("--address") + 1] == f"{host.address}:9000"
        assert each.health_url == f"http://{host.address}:9000/minio/health/live"
        assert each.argv[-4:] == tuple(
            f"http://10.0.1.{number}:9000{state.minio}/drive-{number}" for number in (1, 2, 3, 4)
        )
    assert len({each.env["MINIO_ROOT_PASSWORD"] for each in launches}) == 1
    with pytest.raises(DeployError, match="3 machines of the store"):
        cluster.prepare_store(state, hosts[:3], Path("minio"))


def test_an_even_number_of_brokers_is_refused() -> None:
    with pytest.raises(DeployError, match="odd number"):
        cluster.places(HOSTS[:2])


def test_clients_are_told_of_every_broker() -> None:
    places = cluster.places(HOSTS)
    assert cluster.bootstrap(places) == "10.0.0.1:9092,10.0.0.2:9092,10.0.0.3:9092"
    assert cluster.vans_bootstrap(places) == "10.0.0.1:9094,10.0.0.2:9094,10.0.0.3:9094"


def test_a_single_broker_keeps_one_copy_as_before() -> None:
    place = kafka_config.BrokerPlace(port=1, controller_port=2, vans_address="a", vans_name="n", vans_port=3)
    text = kafka_config.properties(
        place, vans_keystore="k", admin="a", admin_password="p", controller_password="c", data="d", max_message_bytes=1
    )
    assert "offsets.topic.replication.factor=1\n" in text
    assert "broker.session.timeout.ms=5000\n" in text
    assert "controller.quorum.voters=1@127.0.0.1:2\n" in text
