"""The log of a process that complains without end fills no disk."""

from sonovan.deploy import processes
from sonovan.deploy.launches import log_path
from sonovan.deploy.logs import LOG_BYTES, LOGS_KEPT
from sonovan.deploy.state import StateFolder
from tests.deploy.test_supervisor import Rounds, state
from tests.waiting import until

__all__ = ["state"]


def test_the_log_of_a_running_process_stays_bounded_and_goes_on(state: StateFolder) -> None:
    """A worker whose broker is away writes more than a gigabyte a day."""
    talker = ("/bin/sh", "-c", "while sleep 0.05; do head -c 1000000 /dev/zero | tr '\\0' x; echo; done")
    processes.start_app(state, "worker", talker, {})
    log, rounds = log_path(state, "worker"), Rounds(state)
    asides = [log.with_name(f"{log.name}.{number}") for number in range(1, LOGS_KEPT + 1)]
    oldest = asides[-1]

    def all_were_put_aside() -> bool:
        rounds.look(0.5)
        return oldest.exists()

    until(all_were_put_aside, "the log was put aside as often as logs are kept", deadline_s=60.0)
    before = log.stat().st_size
    until(lambda: log.stat().st_size > before, "it goes on writing", deadline_s=20.0)
    processes.stop(state, "worker")
    assert not log.with_name(f"{log.name}.{LOGS_KEPT + 1}").exists()
    assert all(aside.stat().st_size <= LOG_BYTES for aside in asides)
    assert log.with_name(f"{log.name}.1").stat().st_mode & 0o777 == 0o600
