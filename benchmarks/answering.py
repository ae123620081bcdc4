"""Something that answers vans as the centre's stages do, without computing anything."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from sonovan.centre import Centre
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.receipts import ReceiptSigner, key_bytes
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.van import FrameCaptured
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import Message, Tail

_TOPICS: Final = (
    Topic.SCREENING_OPENED,
    Topic.FEATURES_RECORDED,
    Topic.FRAME_CAPTURED,
    Topic.SEQUENCE_CLOSED,
    Topic.SCREENING_CLOSED,
)

Reply = Callable[[VanAnswered], VanAnswered | None]
Sign = Callable[[VanAnswered], VanAnswered]


def _as_it_is(receipt: VanAnswered) -> VanAnswered:
    return receipt


class Answering:
    """Stands for `segment` and `assess` while a `with` block runs: answers each record of a van, so that its spool lets
    go of it.

    van_id: the only van that is answered; None answers all. reply: what is said instead of the receipt, None nothing.
    sign: None signs with the centre's key, as its stages do.
    seen: the ids of the items that came, those of other vans left out. What nobody can read is passed over.
    """

    def __init__(
        self, centre: Centre, van_id: str | None = None, reply: Reply = _as_it_is, sign: Sign | None = None
    ) -> None:
        self._centre, self._van_id, self._reply = centre, van_id, reply
        self._sign = sign or ReceiptSigner(key_bytes(centre.receipt_keys().key)).sign
        self._stop = Event()
        self.seen: list[str] = []
        self._threads = [Thread(target=self._answer, args=(topic,)) for topic in _TOPICS]

    def __enter__(self) -> "Answering":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _answer(self, topic: Topic) -> None:
        with BoundedProducer(self._centre.kafka("segment")) as producer, Tail(self._centre.kafka(), topic) as tail:
            while not self._stop.is_set():
                for message in tail.messages(deadline_s=0.3):
                    receipt = _receipt(message)
                    if receipt is None or self._van_id not in (None, receipt.van_id):
                        continue
                    self.seen.append(receipt.item_id)
                    answer = self._reply(receipt)
                    if answer is not None:
                        producer.send(
                            van_answered_topic(receipt.van_id).name, b"a", self._sign(answer).encode()
                        ).result(30)


def _receipt(message: Message) -> VanAnswered | None:
    try:
        record, envelope = message.decode(), open_envelope(message.value or b"")
    except InvalidRecord:
        return None
    frame = isinstance(record, FrameCaptured)
    return VanAnswered.model_validate(
        {
            "van_id": record.van_id, "kind": "stored", "screening_id": record.screening_id, "item_id": record.item_id,  # type: ignore[union-attr]
            "content_sha256": record.pixels_sha256 if frame else envelope.header_sha256,  # type: ignore[union-attr]
        }
    )  # fmt: skip
