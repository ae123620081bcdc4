"""What small objects cost the object store, and what packs save: benchmarks/results/objects.json.

    python -m benchmarks.objects                                    # packs: a few sweeps, packed and read
    python -m benchmarks.objects --many 1000000 --seconds 240 --state FOLDER

Without `--many`: sweeps of 300 frames of 120 KiB, each with a mask of 2 KiB, are stored as `segment` stores them, read
alone, packed (`storage.packs.packing`), and read from their packs; reads of what lies alone and of what is packed take
turns, on other sweeps of the same run, so that both meet the same machine.

With `--many`: so many masks of 2 KiB, in sweeps of 300. After each hundred thousand it is measured how long a put, a
get and a listing take. It stops after `--seconds` and goes on with the same state folder when it is called again, so
that a machine that others use is not held for long. MinIO runs alone, as `sonovan up` starts it.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from benchmarks.shared import say
from sonovan.contracts.ids import mint_id
from sonovan.deploy import minio, processes
from sonovan.deploy.cache import ensure_cached
from sonovan.deploy.state import StateFolder
from sonovan.storage.buckets import create_buckets
from sonovan.storage.keys import Bucket, image_key, mask_key, sweep_folder
from sonovan.storage.minio_store import MinioStore
from sonovan.storage.packs.packing import delete_alone, pack_sweep
from sonovan.storage.settings import ObjectStoreSettings

RESULTS: Final = Path(__file__).parent / "results" / "objects.json"
VAN: Final = "bench"
FRAMES: Final = 300
FRAME_BYTES: Final = 120 * 1024
MASK_BYTES: Final = 2 * 1024
SWEEPS: Final = 6
LOOKS: Final = 200
CHECKPOINT: Final = 100_000
THREADS: Final = 8
FINGERPRINT: Final = "f" * 64
BYTES: Final = "application/octet-stream"


@contextmanager
def running_store(folder: Path) -> Iterator[ObjectStoreSettings]:
    """MinIO alone, with buckets; as root. folder: its state folder, which stays."""
    state = StateFolder(folder)
    with state.lock():
        _, _, binary = ensure_cached(say)
        launch = minio.prepare(state, binary)
        record = processes.start(state, launch)
        try:
            processes.wait_healthy(state, record, lambda: minio.healthy(state), deadline_s=120, progress=say)
            root = ObjectStoreSettings(
                endpoint=f"127.0.0.1:{launch.port}",
                access_key=minio.root_access_key(state),
                secret_key=SecretStr(state.secret(minio.ROOT_CREDENTIAL)),
                timeout_s=60,
            )
            create_buckets(root)
            yield root
        finally:
            processes.stop(state, minio.NAME)


def sweep_id(number: int) -> str:
    """The id of a sweep, the same in every call."""
    return mint_id(number + 1, lambda size: number.to_bytes(size, "big"))


def a_mask_key(number: int) -> str:
    """The key of mask `number`, 300 to a sweep."""
    sweep, index = divmod(number, FRAMES)
    return mask_key(VAN, sweep_id(sweep), index, FINGERPRINT, f"{number:064d}")


def took_ms(what: Callable[..., object], *given: object) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    what(*given)
    return 1000 * (time.perf_counter() - began)


def told(times_ms: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, in ms."""
    return {
        "p50_ms": round(statistics.median(times_ms), 2),
        "p95_ms": round(statistics.quantiles(times_ms, n=20)[18], 2),
    }


def fill_sweep(store: MinioStore, number: int, chance: random.Random) -> list[tuple[Bucket, str]]:
    """Frames and masks of one sweep; their keys."""
    found: list[tuple[Bucket, str]] = []
    for index in range(FRAMES):
        frame = (Bucket.FRAMES, image_key(VAN, sweep_id(number), index, "jls"))
        mask = (Bucket.MASKS, mask_key(VAN, sweep_id(number), index, FINGERPRINT, f"{index:064d}"))
        for (bucket, key), size in ((frame, FRAME_BYTES), (mask, MASK_BYTES)):
            store.put(bucket, key, chance.randbytes(size), BYTES)
        found += [frame, mask]
    return found


def measure_packs(settings: ObjectStoreSettings) -> dict[str, Any]:
    """Half of the sweeps are packed; both halves are read in turns."""
    store, chance = MinioStore(settings), random.Random(0)
    began = time.perf_counter()
    sweeps = [fill_sweep(store, number, chance) for number in range(SWEEPS)]
    put_s = (time.perf_counter() - began) / SWEEPS
    say(f"{SWEEPS} sweeps stored, {put_s:.1f} s each")
    packed, alone = range(SWEEPS // 2), range(SWEEPS // 2, SWEEPS)
    pack_s, delete_s, packs = list[float](), list[float](), 0
    for number in packed:
        began = time.perf_counter()
        done = [
            (bucket, pack_sweep(store, bucket, sweep_folder(VAN, sweep_id(number)), lambda: None))
            for bucket in (Bucket.FRAMES, Bucket.MASKS)
        ]
        pack_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        for bucket, sweep in done:
            delete_alone(store, bucket, sweep.deletable)
        delete_s.append(time.perf_counter() - began)
        packs += sum(sweep.packs for _, sweep in done)
    say(f"packed in {statistics.mean(pack_s):.1f} s, deleted in {statistics.mean(delete_s):.1f} s a sweep")
    times: dict[str, list[float]] = {name: [] for name in ("alone", "packed", "packed_first", "range_of_a_pack")}
    for _ in range(LOOKS):
        each = chance.randrange(FRAMES)
        for name, numbers in (("alone", alone), ("packed", packed)):
            bucket, key = sweeps[chance.choice(numbers)][2 * each]
            times[name].append(took_ms(store.get, bucket, key))
        bucket, key = sweeps[chance.choice(packed)][2 * each]
        fresh = MinioStore(settings)
        fresh.exists(Bucket.REPORTS, "a-connection")
        times["packed_first"].append(took_ms(fresh.get, bucket, key))
        pack = f"{sweep_folder(VAN, sweep_id(chance.choice(packed)))}pack-000000"
        start = 100_000 + each * FRAME_BYTES // 2
        times["range_of_a_pack"].append(took_ms(store.read_range, Bucket.FRAMES, pack, start, FRAME_BYTES))
    return {
        "sweeps": SWEEPS, "frames_of_a_sweep": FRAMES, "frame_bytes": FRAME_BYTES, "mask_bytes": MASK_BYTES,
        "objects_of_a_sweep_before": 2 * FRAMES, "objects_of_a_sweep_after": packs / len(packed),
        "store_a_sweep_s": round(put_s, 2), "pack_a_sweep_s": round(statistics.mean(pack_s), 2),
        "delete_what_lay_alone_s": round(statistics.mean(delete_s), 2),
        "get": {name: told(each) for name, each in times.items()},
    }  # fmt: skip


def measure_many(settings: ObjectStoreSettings, many: int, seconds: float, notes: Path) -> dict[str, Any]:
    """Go on storing masks; figures after each CHECKPOINT. notes: a file that says how far earlier calls came."""
    store, data = MinioStore(settings), random.Random(1).randbytes(MASK_BYTES)
    found: dict[str, Any] = (
        json.loads(notes.read_text()) if notes.exists() else {"stored": 0, "put_s": 0.0, "after": []}
    )
    give_up_s = time.monotonic() + seconds
    with ThreadPoolExecutor(THREADS) as pool:
        while found["stored"] < many and time.monotonic() < give_up_s:
            first, began = found["stored"], time.perf_counter()
            some = range(first, min(first + 2000, many))
            list(pool.map(lambda number: store.put(Bucket.MASKS, a_mask_key(number), data, BYTES), some))
            found["stored"], found["put_s"] = some.stop, found["put_s"] + time.perf_counter() - began
            if some.stop // CHECKPOINT > first // CHECKPOINT or some.stop == many:
                found["after"].append(figures(store, found))
                say(json.dumps(found["after"][-1]))
            notes.write_text(json.dumps(found))
    say(f"{found['stored']} objects stored")
    return found


def figures(store: MinioStore, found: dict[str, Any]) -> dict[str, Any]:
    """How long a put, a get and listings take with what stands there now."""
    chance, stored = random.Random(2), int(found["stored"])
    before = found["after"][-1] if found["after"] else {"objects": 0, "put_s": 0.0}
    put_s = found["put_s"] - before["put_s"]
    data = chance.randbytes(MASK_BYTES)
    others = [f"other/{chance.randbytes(8).hex()}" for _ in range(LOOKS)]
    keys_of = [a_mask_key(chance.randrange(stored)) for _ in range(LOOKS)]
    folders = [sweep_folder(VAN, sweep_id(chance.randrange(stored // FRAMES))) for _ in range(20)]
    after, pages = "", list[float]()
    for _ in range(20):
        began = time.perf_counter()
        keys = store.below_after(Bucket.MASKS, f"{VAN}/", after)
        pages.append(1000 * (time.perf_counter() - began))
        after = keys[-1]
    return {
        "objects": stored,
        "put_s": round(found["put_s"], 1),
        "puts_per_s": round((stored - before["objects"]) / put_s),
        "put": told([took_ms(store.put, Bucket.MASKS, key, data, BYTES) for key in others]),
        "get": told([took_ms(store.get_alone, Bucket.MASKS, key) for key in keys_of]),
        "list_a_sweep": told([took_ms(store.below, Bucket.MASKS, folder) for folder in folders]),
        "list_a_thousand_of_all": told(pages),
    }  # fmt: skip


def on_disk_of(state: Path) -> dict[str, int]:
    """What a mask of 2 KiB takes of the disk: its file, the folder that is the object, and the folder of its frame."""
    below = (state / "minio" / "data" / Bucket.MASKS / VAN).rglob("xl.meta")
    found = [
        sum(os.stat(each).st_blocks * 512 for each in (path, *list(path.parents)[:2])) for path in islice(below, LOOKS)
    ]
    return {"bytes_on_disk_of_one": round(statistics.mean(found)), "files_and_folders_of_one": 3}


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--many", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    document: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        state = given.state or Path(folder) / "state"
        with running_store(state) as settings:
            if given.many:
                document["many"] = measure_many(settings, given.many, given.seconds, state / "objects.json")
            else:
                document["packs"] = measure_packs(settings)
        if given.many:
            document["many"] |= on_disk_of(state)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(document, indent=1) + "\n")
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
