"""confluent-kafka in a plain loop: a window of frames in flight, results in order, offsets committed behind them."""

import signal
import sys
import time
from collections import deque
from concurrent.futures import Future

from confluent_kafka import Consumer, Message, Producer

from benchmarks.peers.step import CAPTURED, SETTINGS, Record, Step, Threads, consuming, librdkafka, producing

COMMIT_EVERY_S = 1.0


class Leaving:
    """asked: whether this program was told to end."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


def main() -> int:
    """Run until SIGTERM."""
    leaving = Leaving()
    threads = Threads(Step())
    producer, consumer = Producer(librdkafka(**producing())), Consumer(librdkafka(**consuming()))
    window: deque[tuple[Message, Future[list[Record]]]] = deque()
    sent: deque[tuple[Message, list[bool]]] = deque()  # a flag for each record that the broker has

    def moved(*_: object) -> None:
        window.clear()
        sent.clear()
        done.clear()

    done: dict[int, Message] = {}  # the newest of each partition that may be committed
    consumer.subscribe([CAPTURED], on_assign=moved, on_revoke=moved, on_lost=moved)
    committed_s = time.monotonic()
    while not leaving.asked:
        if len(window) < SETTINGS.in_flight:
            message = consumer.poll(0 if window or sent else 0.1)
            if message is not None and message.error() is None:
                window.append((message, threads.begin(message.value(), message.key())))
                continue
        if window and (window[0][1].done() or len(window) >= SETTINGS.in_flight):
            message, future = window.popleft()
            flags: list[bool] = []
            records = future.result()
            for topic, key, value in records:
                producer.produce(topic, value, key, on_delivery=lambda error, _, flags=flags: flags.append(_ok(error)))
            sent.append((message, flags))
        elif window:
            time.sleep(0.001)
        producer.poll(0.001 if sent and not window else 0)
        while sent and len(sent[0][1]) == 2:  # the result and the receipt
            message, _ = sent.popleft()
            done[message.partition()] = message
        if done and time.monotonic() - committed_s >= COMMIT_EVERY_S:
            for each in done.values():
                consumer.commit(message=each, asynchronous=True)
            done.clear()
            committed_s = time.monotonic()
    consumer.close()
    return 0


def _ok(error: object) -> bool:
    if error is not None:
        raise RuntimeError(f"the broker did not take a record: {error}")
    return True


if __name__ == "__main__":
    sys.exit(main())
