"""The centre's side of a disk that a van exported to: its key, and the import.

Every message is looked at as if it came by the van's own link: the manifest and each record must be signed by a key of
that van that holds now. Then the messages go into the van's topics, where the stages verify them again. The same disk
again, or the same items by link, is the same twice: stages take it once, and the van gets its receipts, by its topic
and on the disk.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.depot import (
    MANIFEST,
    RECEIPTS,
    DiskMessage,
    centre_public_key,
    generate_centre_key,
    open_file,
    read_manifest,
)
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.limits import MAX_CONTROL_BYTES, MIB
from sonovan.contracts.topics import TOPICS, Topic, Writer, van_answered_topic
from sonovan.contracts.van import VanEnrolled
from sonovan.producers.enrol import registered
from sonovan.producers.private_files import sync_folder, write_private
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Tail

_IN_FLIGHT_BYTES: Final = 8 * MIB
_SENT_WITHIN_S: Final = 120.0
_READ_FOR_S: Final = 0.3
RECEIPTS_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Importing:
    """A centre, as whoever imports a disk needs it (`sonovan.importing` gives it).

    registrar reads the keys of vans, reader their answers, retrier sends what the disk holds. key: the private one for
    disks, 32 bytes.
    """

    registrar: BrokerSettings
    reader: BrokerSettings
    retrier: BrokerSettings
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a disk. refused: files and records that could not be used, each with its reason.

    answered: for how many of the items the centre's stages answered meanwhile; their receipts lie on the disk.
    """

    van_id: str
    export_id: str
    items: int
    refused: tuple[InvalidRecord, ...]
    answered: int = 0


def centre_key(state: Path) -> bytes:
    """The private key for disks of a state folder's centre, 32 bytes, in `<state>/depot/key`; as `key_in`."""
    return key_in(state / "depot" / "key")


def key_in(path: Path) -> bytes:
    """A centre's private key for disks, 32 bytes, made at first use.

    Keep a copy: without it nobody opens a disk that is under way. Raises Fatal where the file is damaged.
    """
    if not path.exists():
        write_private(path, generate_centre_key().hex())
    try:
        key = bytes.fromhex(path.read_text(encoding="utf-8").strip())
    except (ValueError, OSError) as error:
        raise Fatal(f"{path} is not a centre's key; put its copy back") from error
    if len(key) != 32:
        raise Fatal(f"{path} is not a centre's key; put its copy back")
    return key


class ExportedDisk:
    """A folder that a van exported, its manifest verified; `messages` gives what it holds.

    refused: the files and records that could not be used, once they were come to.
    """

    def __init__(self, folder: Path, key: bytes, enrolled: Callable[[str], VanEnrolled | None]) -> None:
        """key: the centre's private one. enrolled: what the registry says of a van.

        Raises InvalidRecord `export_invalid` where the folder holds no whole export or one for another centre,
        `van_unknown` and `signature_invalid` where its van has no key that holds.
        """
        self._folder, self._key = folder, key
        data = _read(folder / MANIFEST, MAX_CONTROL_BYTES)
        claimed = read_manifest(data)
        van = enrolled(claimed.van_id)
        if van is None:
            raise InvalidRecord("van_unknown", f"van {claimed.van_id} is not enrolled at this centre")
        now = datetime.now(UTC)
        self._keys = [each.public_key for each in van.keys if each.counts_at(now)]
        self.manifest = read_manifest(data, self._keys)
        if self.manifest.centre_key != centre_public_key(key).hex():
            raise InvalidRecord("export_invalid", "this disk was encrypted for another centre, or an earlier key of it")
        self.refused: list[InvalidRecord] = []

    def messages(self) -> Iterator[list[DiskMessage]]:
        """The messages of each file that this van may send, in its order."""
        van_id, export_id = self.manifest.van_id, self.manifest.export_id
        for file in self.manifest.files:
            try:
                data = _read(self._folder / file.name, file.size)
                found = open_file(data, file, self._key, van_id, export_id)
            except InvalidRecord as error:
                self.refused.append(error)
                continue
            yield [each for each in found if self._may_be_sent(each)]

    def _may_be_sent(self, message: DiskMessage) -> bool:
        try:
            _check(message, self.manifest.van_id, self._keys)
        except InvalidRecord as error:
            self.refused.append(error)
            return False
        return True


def import_disk(centre: Importing, folder: Path, *, receipts_within_s: float = RECEIPTS_WITHIN_S) -> Imported:
    """Send what a van exported, and leave its receipts on the disk: the stages' own answers, as they signed them.

    receipts_within_s: without a further receipt for so long no more are waited for.
    Raises InvalidRecord as `ExportedDisk`; Transient where the broker is away: import the disk again then.
    """
    disk = ExportedDisk(folder, centre.key, lambda van_id: registered(centre.registrar, van_id))
    van_id, sent = disk.manifest.van_id, set[str]()
    with Tail(centre.reader, van_answered_topic(van_id).name, "now") as answers:
        with BoundedProducer(centre.retrier, in_flight_bytes=_IN_FLIGHT_BYTES) as producer:
            for messages in disk.messages():
                pending = [
                    producer.send(each.topic, each.key, each.value, each.headers, deadline_s=_SENT_WITHIN_S)
                    for each in messages
                ]
                for each in pending:
                    each.result(_SENT_WITHIN_S)
                sent.update(each.item_id for each in messages)
        receipts = _receipts(answers, sent, receipts_within_s)
    if receipts:
        _leave(folder / RECEIPTS, receipts)
    return Imported(van_id, disk.manifest.export_id, len(sent), tuple(disk.refused), len(receipts))


def _receipts(answers: Tail, item_ids: Collection[str], within_s: float) -> dict[str, bytes]:
    """The newest answer for each of the items, by its id, as it stands in the van's topic."""
    found: dict[str, bytes] = {}
    give_up_at = time.monotonic() + within_s
    while len(found) < len(item_ids) and time.monotonic() < give_up_at:
        for message in answers.messages(deadline_s=_READ_FOR_S):
            answer = _answer(message.value)
            if answer is not None and answer.kind != "report" and answer.item_id in item_ids and message.value:
                found[answer.item_id] = message.value
                give_up_at = time.monotonic() + within_s
            if len(found) == len(item_ids):
                break
    return found


def _leave(path: Path, receipts: Mapping[str, bytes]) -> None:
    """Write the receipts beside the export, one a line. Raises Transient where the disk does not take them."""
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as stream:
            stream.write(b"".join(each + b"\n" for each in receipts.values()))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        message = f"everything is at the centre, but the receipts cannot be written to {path} ({error.strerror})"
        raise Transient(f"{message}; import the disk again when it can be") from error


def _answer(value: bytes | None) -> VanAnswered | None:
    try:
        return None if value is None else VanAnswered.decode(value)
    except InvalidRecord:
        return None


def _check(message: DiskMessage, van_id: str, keys: list[str]) -> None:
    """Raises InvalidRecord for a message that this van may not send."""
    if message.topic not in set(Topic) or Writer.VAN not in TOPICS[Topic(message.topic)].writers:
        raise InvalidRecord("export_invalid", f"{message.item_id}: a van does not write into that topic")
    envelope = open_envelope(message.value)
    if not any(envelope.is_signed_by(each) for each in keys):
        raise InvalidRecord("signature_invalid", f"{message.item_id}: not signed by a key of van {van_id} that holds")
    record = TOPICS[Topic(message.topic)].value.decode(envelope.header)
    if getattr(record, "van_id", None) != van_id or getattr(record, "item_id", None) != message.item_id:
        raise InvalidRecord("export_invalid", f"{message.item_id}: a record of another van, or of another name")


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except FileNotFoundError:
        detail = "the export was not finished, or its files were moved" if path.name == MANIFEST else "it is missing"
        raise InvalidRecord("export_invalid", f"there is no {path.name} in {path.parent}: {detail}") from None
    except OSError as error:
        raise InvalidRecord("export_invalid", f"{path} cannot be read ({error.strerror})") from error
    if len(data) > most:
        raise InvalidRecord("export_invalid", f"{path.name} is larger than it can be")
    return data
