"""The spool: what the van composed and the centre has not confirmed yet, durable and encrypted item by item.

vault = Vault.unlock(folder, passphrase)
with Spool(folder / "spool", vault) as spool:
    screening = spool.open_screening(visit, signer)          # durable; sent from its first frame on
    sequence = screening.begin(source, mint_id())
    sequence.add(frame, origin=instance_uid)                 # fsynced and encrypted when this returns
    sequence.end()
    screening.close()
# after a kill, or after lunch
    screening = spool.resume_screening(screening_id, signer)
"""

from sonovan.producers.spool.bodies import ItemDamaged, SpoolFull
from sonovan.producers.spool.database import SpoolDamaged
from sonovan.producers.spool.disk import Disk
from sonovan.producers.spool.earlier import EarlierPlace
from sonovan.producers.spool.spool import Spool
from sonovan.producers.spool.states import (
    HELD,
    ITEM_DAMAGED,
    QUEUED,
    REJECTED,
    SENT,
    STATES,
    STORED,
    WITHHELD,
    HeldFrame,
    Message,
    Refused,
    SpooledScreening,
    SpoolStatus,
    Sweep,
)

__all__ = [
    "HELD",
    "ITEM_DAMAGED",
    "QUEUED",
    "REJECTED",
    "SENT",
    "STATES",
    "STORED",
    "WITHHELD",
    "Disk",
    "EarlierPlace",
    "HeldFrame",
    "ItemDamaged",
    "Message",
    "Refused",
    "Spool",
    "SpoolDamaged",
    "SpoolFull",
    "SpoolStatus",
    "SpooledScreening",
    "Sweep",
]
