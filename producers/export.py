"""Export what waits in the spool to a disk that somebody carries to the centre: encrypted to the centre, signed.

Nothing leaves the spool by that: an item's bytes go on the centre's receipt, which comes once there is a link again.
Whatever is imported and uploaded as well is the same twice, which the centre takes once.
"""

import errno
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sonovan.contracts.depot import (
    FILE_BYTES,
    MANIFEST,
    MAX_FILES,
    DiskMessage,
    ExportedFile,
    Manifest,
    seal_file,
    seal_manifest,
)
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.producers.items import Signer
from sonovan.producers.private_files import sync_folder
from sonovan.producers.spool import ITEM_DAMAGED, Disk, ItemDamaged, Spool

_EVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Exported:
    """One export. folder: that holds it. left: how many items found no place in it, of those that wait."""

    folder: Path
    items: int
    size: int
    left: int


def export(
    spool: Spool,
    signer: Signer,
    centre_key: bytes,
    where: Path,
    *,
    progress: Callable[[int], None] = lambda _items: None,
    file_bytes: int = FILE_BYTES,
) -> Exported:
    """Write everything that waits, sent or not, in the order of sending, into a new folder in `where`.

    centre_key: the centre's public key. progress: called with the number of items written since the last call. The
    manifest is written last, once everything else is durable; only then the spool notes what was exported.
    Raises InvalidRecord `nothing_waits`, Transient where the disk is full or away; the spool is as it was then.
    """
    export_id = mint_id()
    folder = where / f"sonovan-{signer.van_id}-{export_id}"
    files: list[ExportedFile] = []
    done: list[str] = []
    disk = Disk()
    waiting = spool.pending(10**9, _EVER)
    if not waiting:
        raise InvalidRecord("nothing_waits", f"van {signer.van_id}: nothing waits to be exported")
    try:
        folder.mkdir(parents=True)
        for messages in _portions(spool, waiting, file_bytes):
            data = seal_file(messages, centre_key, signer.van_id, export_id)
            name = secrets.token_hex(16)
            disk.write(folder / name, data)
            disk.sync(folder / name)
            sha256 = hashlib.sha256(data).hexdigest()
            files.append(ExportedFile(name=name, sha256=sha256, size=len(data), messages=len(messages)))
            done += [each.item_id for each in messages]
            progress(len(messages))
            if len(files) == MAX_FILES:
                break
        if not files:
            raise InvalidRecord("nothing_waits", f"van {signer.van_id}: nothing waits any more")
        manifest = Manifest(
            export_id=export_id,
            van_id=signer.van_id,
            centre_key=centre_key.hex(),
            exported_at=datetime.now(UTC),
            files=tuple(files),
        )
        sync_folder(folder)
        disk.write(folder / MANIFEST, seal_manifest(manifest, signer.private_key))
        disk.sync(folder / MANIFEST)
        sync_folder(folder)
        sync_folder(where)
    except OSError as error:
        what = "is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"does not answer ({error.strerror})"
        raise Transient(f"the disk of {where} {what}: the export is not whole, delete {folder.name}") from error
    spool.mark_exported(done)
    aside = {each.item_id for each in spool.rejected() if each.reason == ITEM_DAMAGED}
    return Exported(folder, len(done), sum(each.size for each in files), len(set(waiting) - {*done} - aside))


def _portions(spool: Spool, item_ids: list[str], file_bytes: int) -> Iterator[list[DiskMessage]]:
    portion: list[DiskMessage] = []
    size = 0
    for item_id in item_ids:
        try:
            message = spool.load(item_id)
        except ItemDamaged:
            spool.set_aside(item_id)
            continue
        if message is None:  # its receipt came meanwhile
            continue
        portion.append(DiskMessage(item_id, message.topic, message.key, message.value, message.headers))
        size += len(message.value)
        if size >= file_bytes:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
