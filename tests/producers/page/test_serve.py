"""`sonovan van serve` with its page, as a process of its own."""

import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

from sonovan.cli.van_page import DOOR_FILE
from tests.producers.gateway.test_kills import enrolled


def test_van_serve_serves_the_page_and_keeps_its_code_to_its_owner(tmp_path: Path) -> None:
    folder = enrolled(tmp_path).folder
    command = [sys.executable, "-m", "sonovan", "van", "serve", "--port", "0", "--page-port", "0", "--no-upload"]
    with subprocess.Popen([*command, "--state", str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(2)]
        door = folder / DOOR_FILE
        shown = subprocess.run(
            [sys.executable, "-m", "sonovan", "van", "page", "--state", str(tmp_path)],
            capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        address, _, code = shown.strip().partition("#")
        assert address in said[1]
        assert code
        assert code not in "".join(said), "what is no terminal may be a log"
        assert door.stat().st_mode & 0o077 == 0
        connection = HTTPConnection(address.split("/")[2], timeout=30)
        headers = {"Origin": address.removesuffix("/enter"), "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/enter", f"code={code}", headers)
        assert connection.getresponse().status == 303
        connection.close()
        assert code not in door.read_text(encoding="utf-8"), "a code is good once"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not door.exists()
