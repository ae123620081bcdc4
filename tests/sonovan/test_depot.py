"""A disk that a van exported to, as the centre finds it."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sonovan.contracts.depot import (
    MANIFEST,
    DiskMessage,
    ExportedFile,
    Manifest,
    centre_public_key,
    exports_on,
    generate_centre_key,
    read_manifest,
    seal_file,
    seal_manifest,
)
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.van import VanEnrolled
from sonovan.depot import ExportedDisk, centre_key
from sonovan.producers.export import Exported, export
from sonovan.producers.items import Signer
from sonovan.producers.spool import Spool
from tests.producers.spool.test_spool import composed, messages, store_all
from tests.producers.visits import SIGNER, vault_at

NOW = datetime.now(UTC)
KEY = generate_centre_key()
ENROLLED = VanEnrolled.first("van-1", public_key(SIGNER.private_key), NOW - timedelta(days=1))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as opened:
        composed(opened, 6)
        yield opened


def exported(spool: Spool, tmp_path: Path, file_bytes: int = 20_000, key: bytes = KEY) -> Exported:
    return export(spool, SIGNER, centre_public_key(key), tmp_path / "disk", file_bytes=file_bytes)


def disk_of(made: Exported, enrolled: VanEnrolled | None = ENROLLED, key: bytes = KEY) -> ExportedDisk:
    return ExportedDisk(made.folder, key, lambda van_id: enrolled if van_id == "van-1" else None)


def read(disk: ExportedDisk) -> list[DiskMessage]:
    return [message for part in disk.messages() for message in part]


def test_what_waits_comes_back_in_its_order_and_stays_in_the_spool(spool: Spool, tmp_path: Path) -> None:
    before = messages(spool)
    made = exported(spool, tmp_path)
    assert (made.items, made.left) == (len(before), 0)
    assert len(list(made.folder.iterdir())) > 2, "several files and a manifest"
    found = read(disk_of(made))
    assert [(each.item_id, each.topic, each.key, each.value, each.headers) for each in found] == [
        (each.item_id, each.topic, each.key, each.value, each.headers) for each in before
    ]
    assert messages(spool) == before
    assert (spool.status().exported, spool.status().waiting) == (len(before), len(before))
    store_all(spool)
    assert (spool.status().exported, spool.status().waiting) == (0, 0)


def test_what_was_sent_and_has_no_receipt_is_exported_as_well(spool: Spool, tmp_path: Path) -> None:
    for message in messages(spool):
        spool.mark_sent(message.item_id)
    assert exported(spool, tmp_path).items == 9


def test_nothing_on_the_disk_is_readable_without_the_centres_key(spool: Spool, tmp_path: Path) -> None:
    made = exported(spool, tmp_path)
    on_disk = b"".join(path.read_bytes() for path in made.folder.iterdir())
    for message in messages(spool):
        assert message.item_id.encode() not in on_disk
        assert message.value[:64] not in on_disk
        assert open_envelope(message.value).header not in on_disk


def test_a_disk_for_another_centre_is_refused(spool: Spool, tmp_path: Path) -> None:
    made = exported(spool, tmp_path)
    with pytest.raises(InvalidRecord, match="another centre"):
        disk_of(made, key=generate_centre_key())


def revoked() -> VanEnrolled:
    return ENROLLED.revoked(NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("enrolled", "reason"),
    [(lambda: None, "van_unknown"), (revoked, "signature_invalid")],
    ids=["unknown", "revoked"],
)
def test_an_unknown_or_a_revoked_van_gets_nothing_in(
    enrolled: Callable[[], VanEnrolled | None], reason: str, spool: Spool, tmp_path: Path
) -> None:
    made = exported(spool, tmp_path)
    with pytest.raises(InvalidRecord) as caught:
        disk_of(made, enrolled())
    assert caught.value.reason == reason


def test_a_damaged_file_is_named_and_the_others_are_read(spool: Spool, tmp_path: Path) -> None:
    made = exported(spool, tmp_path)
    manifest = read_manifest((made.folder / MANIFEST).read_bytes())
    first, second = manifest.files[0], manifest.files[1]
    data = (made.folder / first.name).read_bytes()
    (made.folder / first.name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (made.folder / second.name).unlink()
    disk = disk_of(made)
    found = read(disk)
    assert len(found) == made.items - first.messages - second.messages
    assert [each.reason for each in disk.refused] == ["export_invalid"] * 2
    assert first.name in disk.refused[0].message
    assert "missing" in disk.refused[1].message


def test_a_manifest_that_was_changed_or_never_written_is_refused(spool: Spool, tmp_path: Path) -> None:
    made = exported(spool, tmp_path)
    path = made.folder / MANIFEST
    signed = path.read_bytes()
    manifest = read_manifest(signed)
    other = manifest.model_copy(update={"files": manifest.files[1:]})
    path.write_bytes(seal_manifest(other, generate_key()))
    with pytest.raises(InvalidRecord) as caught:
        disk_of(made)
    assert caught.value.reason == "signature_invalid"
    path.write_bytes(signed[:-1])
    with pytest.raises(InvalidRecord, match="damaged"):
        disk_of(made)
    path.unlink()
    with pytest.raises(InvalidRecord, match="not finished"):
        disk_of(made)


def hostile(tmp_path: Path, rows: list[DiskMessage], signer: Signer = SIGNER) -> Exported:
    """A disk of a van that writes what it likes."""
    folder, export_id, name = tmp_path / "hostile", mint_id(), secrets.token_hex(16)
    folder.mkdir()
    data = seal_file(rows, centre_public_key(KEY), signer.van_id, export_id)
    (folder / name).write_bytes(data)
    file = ExportedFile(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data), messages=len(rows))
    manifest = Manifest(
        export_id=export_id,
        van_id=signer.van_id,
        centre_key=centre_public_key(KEY).hex(),
        exported_at=NOW,
        files=(file,),
    )
    (folder / MANIFEST).write_bytes(seal_manifest(manifest, signer.private_key))
    return Exported(folder, len(rows), len(data), 0)


def test_a_van_sends_nothing_in_the_name_of_another_nor_into_topics_that_are_not_a_vans(
    spool: Spool, tmp_path: Path
) -> None:
    own = [DiskMessage(each.item_id, each.topic, each.key, each.value, each.headers) for each in messages(spool)]
    thief = Signer("van-2", generate_key())
    enrolled = VanEnrolled.first("van-2", public_key(thief.private_key), NOW - timedelta(days=1))
    stolen = hostile(tmp_path, own, thief)
    disk = ExportedDisk(stolen.folder, KEY, lambda _: enrolled)
    assert read(disk) == []
    assert {each.reason for each in disk.refused} == {"signature_invalid"}

    wrong = [replace(own[0], topic="screening.assessed.v1"), replace(own[1], item_id=own[2].item_id), own[0]]
    (tmp_path / "again").mkdir()
    disk = disk_of(hostile(tmp_path / "again", wrong))
    assert read(disk) == [own[0]]
    assert [each.reason for each in disk.refused] == ["export_invalid"] * 2


def test_what_is_no_list_of_messages_allocates_nothing(tmp_path: Path) -> None:
    made = hostile(tmp_path, [DiskMessage("a", "b", 10**15, b"", ())])  # type: ignore[arg-type]
    disk = disk_of(made)
    assert read(disk) == []
    assert "does not hold messages" in disk.refused[0].message


def test_a_disk_gives_its_whole_exports_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    ids = [mint_id(now_ms) for now_ms in (3000, 1000, 2000)]
    for name in (f"sonovan-van-a-{ids[0]}", f"sonovan-van-b-{ids[1]}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST).touch()
    (tmp_path / f"sonovan-van-a-{ids[2]}").mkdir()  # it was not finished
    made = [tmp_path / f"sonovan-van-b-{ids[1]}", tmp_path / f"sonovan-van-a-{ids[0]}"]
    assert exports_on(tmp_path) == made
    assert exports_on(made[0]) == [made[0]]
    (tmp_path / "loop").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop" / MANIFEST).symlink_to(MANIFEST)  # a manifest that the disk does not give
    assert exports_on(tmp_path) == [*made, tmp_path / "loop"]
    assert exports_on(tmp_path / "empty") == [tmp_path / "empty"]


def test_nothing_that_waits_is_no_export_and_a_full_disk_is_named(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Transient, match="does not answer"):
        export(spool, SIGNER, centre_public_key(KEY), tmp_path / "file")
    assert spool.status().exported == 0
    store_all(spool)
    with pytest.raises(InvalidRecord) as caught:
        exported(spool, tmp_path)
    assert caught.value.reason == "nothing_waits"


def test_the_centres_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    assert centre_key(tmp_path) == centre_key(tmp_path)
    assert (tmp_path / "depot" / "key").stat().st_mode & 0o077 == 0
