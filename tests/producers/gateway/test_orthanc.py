"""Orthanc as a peer: another whole DICOM node, which a clinic may have between its scanners and the van."""

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydicom.uid import generate_uid

from sonovan.producers.gateway.intake import COMPOSED
from sonovan.producers.gateway.settings import ListenerOptions, ScannerEntry
from tests.conftest import skip_unless_ci
from tests.producers.gateway.vans import SLIP, running, study
from tests.waiting import until


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Orthanc:
    """A running Orthanc, asked over its REST interface on loopback."""

    def __init__(self, http_port: int, dicom_port: int) -> None:
        self.address, self.dicom_port = f"http://127.0.0.1:{http_port}", dicom_port

    def ask(self, path: str, body: object | bytes | None = None, *, method: str = "POST") -> Any:
        """What it answers; None where it does not answer yet."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/dicom" if isinstance(body, bytes) else "application/json"}
        request = urllib.request.Request(self.address + path, data, kind, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def answers(self) -> bool:
        try:
            return self.ask("/system", method="GET") is not None
        except OSError:
            return False


@contextmanager
def orthanc(folder: Path, van_port: int, ports: tuple[int, int]) -> Iterator[Orthanc]:
    """An Orthanc that knows the van as `van`, until the block ends. ports: of its REST interface and of DICOM."""
    if shutil.which("Orthanc") is None:
        skip_unless_ci("no Orthanc here (Debian: orthanc)")
    folder.mkdir()
    settings = {
        "Name": "clinic", "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
        "HttpPort": ports[0], "DicomPort": ports[1], "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "DicomModalities": {"van": ["SONOVAN", "127.0.0.1", van_port]},
        "Plugins": [], "DicomAlwaysAllowStore": False, "DicomAlwaysAllowEcho": False,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log, subprocess.Popen(
        ["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log
    ) as process:  # fmt: skip
        try:
            found = Orthanc(*ports)
            until(found.answers, "Orthanc answers", deadline_s=30, evidence=(folder / "log").read_text)
            yield found
        finally:
            process.terminate()


def test_a_clinics_orthanc_echoes_finds_who_is_expected_sends_her_study_and_has_it_committed(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    peer = ScannerEntry(ae_title="ORTHANC", address="127.0.0.1", port=ports[1])
    options = ListenerOptions(port=0, scanner=(peer,))
    with running(tmp_path / "van", options) as van, orthanc(tmp_path / "orthanc", van.port, ports) as clinic:
        van.expect()
        clinic.ask("/modalities/van/echo", {})

        asked = {"PatientID": "", "AccessionNumber": "", "ScheduledProcedureStepSequence": [{"Modality": "US"}]}
        (entry,) = clinic.ask("/modalities/van/find-worklist", asked)
        assert entry["PatientID"] == SLIP

        file = study(tmp_path / "a.dcm", 3, StudyInstanceUID=generate_uid(), SeriesInstanceUID=generate_uid())
        instance = clinic.ask("/instances", file.read_bytes())["ID"]
        sent = clinic.ask("/modalities/van/store", {"Resources": [instance], "StorageCommitment": True})
        assert (sent["InstancesCount"], sent["FailedInstancesCount"]) == (1, 0)
        assert van.fates() == [(COMPOSED, None)]
        assert van.spool.screenings()[0].frames == 3

        report = f"/storage-commitment/{sent['StorageCommitmentTransactionUID']}"
        until(lambda: clinic.ask(report, method="GET")["Status"] != "Pending", "the van answered", deadline_s=30)
        told = clinic.ask(report, method="GET")
        assert (told["Status"], len(told["Success"]), told["Failures"]) == ("Success", 1, [])
