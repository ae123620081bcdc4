"""A real browser for tests: Chromium without a window, driven by its own protocol (DevTools) over a web socket."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.waiting import until

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE_S: Final = 60.0
_CODES: Final = {
    "Enter": 13, "Tab": 9, "Escape": 27, "Backspace": 8, "Delete": 46, "Home": 36, "End": 35, "PageUp": 33,
    "PageDown": 34, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}  # fmt: skip
"""What Windows calls the keys that write nothing."""
_CTRL: Final = 2


def found_program() -> str | None:
    """The browser of this machine; None where there is none."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def _code(key: str) -> int:
    if len(key) == 1:  # the codes of signs are those of other keys: 93, for example, opens a menu
        return ord(key.upper()) if key.isalnum() else 0
    return _CODES[key]


class Refused(Exception):
    """The browser does not do what it was asked."""


class Tab:
    """One tab. Every method waits until it is done."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._loop, self._socket, self._session, self._number = loop, socket, session, 0
        self.errors: list[str] = []

    def go(self, url: str) -> None:
        """Load an address."""
        self._call("Page.navigate", url=url)
        self.until("location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"].get("description", "?"))
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true of a page that is loaded; fails where it never is."""
        script = f"document.readyState === 'complete' && ({script})"

        def holds() -> bool:
            with suppress(Refused):  # between two pages there is nothing to ask
                answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
                return bool(answer.get("result", {}).get("value"))
            return False

        until(holds, script, deadline_s=_PATIENCE_S)

    def press(self, key: str, *, ctrl: bool = False) -> None:
        """Press and release a key, as a keyboard does, once the page is there. ctrl: while that key is held."""
        self.until("true")
        self.hold(key, ctrl=ctrl)
        self.release(key)

    def hold(self, key: str, *, ctrl: bool = False, again: bool = False) -> None:
        """Press a key and keep it down. again: it is down already, and the keyboard repeats it."""
        text = "" if ctrl else key if len(key) == 1 else {"Enter": "\r"}.get(key, "")
        self._call(
            "Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", key=key, text=text,
            windowsVirtualKeyCode=_code(key), modifiers=_CTRL if ctrl else 0, autoRepeat=again,
        )  # fmt: skip

    def release(self, key: str) -> None:
        """Let go of a key."""
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=_code(key))

    def drag(self, *places: tuple[float, float]) -> None:
        """Press the left button at the first place of the window, move over the others, and let go at the last one."""
        for kind, (x, y) in (("mousePressed", places[0]), *(("mouseMoved", each) for each in places[1:])):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        x, y = places[-1]
        self._call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", buttons=0, clickCount=1)

    def link(self, *, offline: bool = False, bits_per_s: float = -8, latency_ms: float = 0) -> None:
        """What the network is like from now on; without a bound where nothing is said."""
        self._call("Network.enable")
        self._call(
            "Network.emulateNetworkConditions", offline=offline, latency=latency_ms,
            downloadThroughput=bits_per_s / 8, uploadThroughput=bits_per_s / 8,
        )  # fmt: skip

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._call("Input.insertText", text=text)

    def sized(self, width: int, height: int) -> None:
        """The size of the window from now on, in pixels."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path: Path, width: int, height: int) -> None:
        """Write what is seen at this size as PNG."""
        self.sized(width, height)
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"]))

    def _call(self, method: str, **values: Any) -> dict[str, Any]:
        return self._loop.run_until_complete(asyncio.wait_for(self._asked(method, values), _PATIENCE_S))

    async def _asked(self, method: str, values: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json(
            {"id": self._number, "method": method, "params": values, "sessionId": self._session}
        )
        while True:
            message = json.loads(await self._socket.receive_str())
            if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.errors.append(json.dumps(message["params"]))
            if message.get("id") == self._number:
                if "error" in message:
                    raise Refused(f"{method}: {message['error']['message']}")
                return dict(message["result"])


@contextmanager
def chromium(program: str) -> Iterator[Tab]:
    """A tab of a browser of its own, which knows nothing of any other; ended with the block."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        command = [program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}",
                   "--no-first-run", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
                   *(["--no-sandbox"] if os.getuid() == 0 else []), "about:blank"]  # fmt: skip
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            loop = asyncio.new_event_loop()
            try:
                assert process.stderr is not None
                address = next(line.split()[-1] for line in process.stderr if "DevTools listening on" in line)
                client = loop.run_until_complete(_client())
                socket = loop.run_until_complete(client.ws_connect(address, max_msg_size=0))
                target = loop.run_until_complete(_plain(socket, 1, "Target.createTarget", {"url": "about:blank"}))
                attached = loop.run_until_complete(
                    _plain(socket, 2, "Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
                )
                tab = Tab(loop, socket, attached["sessionId"])
                for domain in ("Page", "Runtime", "Log"):
                    tab._call(f"{domain}.enable")
                try:
                    yield tab
                finally:
                    loop.run_until_complete(client.close())
            finally:
                process.terminate()
                process.wait()
                loop.close()


async def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


async def _plain(
    socket: aiohttp.ClientWebSocketResponse, number: int, method: str, values: dict[str, Any]
) -> dict[str, Any]:
    await socket.send_json({"id": number, "method": method, "params": values})
    while True:
        message = json.loads(await socket.receive_str())
        if message.get("id") == number:
            return dict(message["result"])
