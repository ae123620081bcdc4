"""A stage's Faust tables behind the seam of `stage.Tables`, and when the broker has what was written to them.

No faust here: the tables are handed in.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from sonovan.stream_apps.stage import Rows


class ChangelogTables:
    """Reads and writes rows, keys as UTF-8; used in the agent's own loop alone."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        """tables: Faust's tables of bytes by name.

        Faust 0.15.3 writes a row and sends its changelog record in the background; one that fails is a line in the log.
        So each sending is noted here, for `durable` to wait for.
        """
        self._tables = dict(tables)
        self._pending: list[Awaitable[Any]] = []
        for table in self._tables.values():
            self._note_sendings(table)

    def get(self, table: str, key: str) -> bytes | None:
        """The row, or None where there is none."""
        row: bytes | None = self._tables[table].get(key.encode())
        return row

    def items(self, table: str) -> Iterable[tuple[str, bytes]]:
        """Every row of the partitions that this worker holds."""
        return [(key.decode(), row) for key, row in self._tables[table].items()]

    def write(self, rows: Rows) -> None:
        """Write rows of the partition whose message the loop is at; None deletes.

        A row that is not here is deleted in the changelog all the same: after a crash the table on this machine may
        lack what its changelog still has.
        """
        for (table, key), row in rows.items():
            name, rows_here = key.encode(), self._tables[table]
            if row is not None:
                rows_here[name] = row
            elif name in rows_here:
                del rows_here[name]
            else:
                rows_here.on_key_del(name)

    async def durable(self) -> None:
        """Return when the changelogs have every row written so far. Raises KafkaError where one did not get there."""
        waited_for, self._pending[:] = list(self._pending), []
        await asyncio.gather(*waited_for)

    def _note_sendings(self, table: Any) -> None:
        send = table.send_changelog

        def send_changelog(*arguments: Any, **options: Any) -> Any:
            sending = send(*arguments, **options)
            self._pending.append(sending)
            return sending

        table.send_changelog = send_changelog
