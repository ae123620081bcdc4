"""The van against a real broker: enrolment, upload, receipts, a link that fails, the commands."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.answering import Answering
from sonovan.centre import Centre, down, up
from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.answers import VanAnswered
from sonovan.contracts.broker import BrokerSettings
from sonovan.contracts.errors import Fatal, InvalidRecord, Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.receipts import ReceiptSigner, key_bytes
from sonovan.contracts.signatures import generate_key
from sonovan.contracts.topics import Topic, van_answered_topic
from sonovan.contracts.van import VanEnrolled
from sonovan.deploy import services
from sonovan.deploy.state import StateFolder
from sonovan.producers import enrol as enrolment
from sonovan.producers import receipts
from sonovan.producers.items import Signer
from sonovan.producers.reporting import Reporter
from sonovan.producers.screening import compose_sequence
from sonovan.producers.simulate import simulated_sources
from sonovan.producers.spool import QUEUED, SENT, STORED, Spool
from sonovan.producers.upload import Uploader, all_sent, all_settled, reported
from sonovan.stream_apps.alert.van_faults import USUAL
from sonovan.transport.producer import BoundedProducer
from sonovan.transport.tail import read_all
from tests.producers.files import grey, write_dicom
from tests.producers.visits import VISIT, vault_at, vault_of

pytestmark = pytest.mark.services

AGREED = ("--consent", "screening,ai")


def enrolled(centre: Centre, state: Path, van_id: str) -> tuple[BrokerSettings, Signer]:
    vault = vault_of(state, van_id)
    enrolment.enrol(vault, van_id, centre.enrol_van(van_id), centre.kafka("registrar"))
    return enrolment.load_kafka(vault, van_id), enrolment.load_signer(vault, van_id)


def spooled(spool: Spool, signer: Signer, frames: int = 6) -> str:
    (source,) = simulated_sources("breast", 1, frames, 0)
    screening = spool.open_screening(VISIT, signer, [source])
    compose_sequence(screening, source, mint_id())
    return screening.close().screening_id


def report(centre: Centre, van_id: str, screening_id: str, status: str) -> None:
    word = VanAnswered.model_validate(
        {
            "van_id": van_id, "kind": "report", "screening_id": screening_id, "item_id": f"{screening_id}/report",
            "content_sha256": "a" * 64, "status": status, "revision_id": "a" * 64, "revision_number": 1, "findings": 2,
        }
    )  # fmt: skip
    with BoundedProducer(centre.kafka("assess")) as producer:
        signed = ReceiptSigner(key_bytes(centre.receipt_keys().key)).sign(word)
        producer.send(van_answered_topic(van_id).name, screening_id.encode(), signed.encode()).result(30)


def test_enrolment_twice_keeps_the_key_and_revoking_ends_it(centre: Centre, tmp_path: Path) -> None:
    kafka, registrar = centre.enrol_van("enrol-1"), centre.kafka("registrar")
    vault = vault_of(tmp_path, "enrol-1")
    first = enrolment.enrol(vault, "enrol-1", kafka, registrar)
    assert enrolment.enrol(vault, "enrol-1", kafka, registrar) == first
    folder = tmp_path / "vans" / "enrol-1"
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.iterdir()))
    mine = [message for message in read_all(registrar, Topic.VAN_ENROLLED) if message.key == b"enrol-1"]
    assert [VanEnrolled.decode(message.value or b"") for message in mine] == [first]

    revoked = enrolment.revoke(tmp_path, "enrol-1", registrar)
    assert revoked is not None
    assert revoked.newest.revoked_at is not None
    with pytest.raises(InvalidRecord) as caught:
        enrolment.load_signer(vault, "enrol-1")
    assert caught.value.reason == "van_not_enrolled"
    again = enrolment.enrol(vault, "enrol-1", kafka, registrar)
    assert again.keys[:-1] == revoked.keys
    assert again.newest.public_key != first.newest.public_key


def test_revoking_a_van_that_never_was_says_so(centre: Centre, tmp_path: Path) -> None:
    assert enrolment.revoke(tmp_path, "never", centre.kafka("registrar")) is None


def test_everything_arrives_and_leaves_the_spool_on_receipts(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-1")
    with (
        Spool(tmp_path / "spool", vault_at(tmp_path)) as spool,
        Answering(centre, "upload-1", lambda answer: answer) as answering,
    ):
        screening = spooled(spool, signer)
        Uploader(spool, kafka, "upload-1").run(lambda: all_settled(spool, None), give_up_s=60)
        assert spool.status(screening).counts[STORED] == 9
        assert len(set(answering.seen)) == 9


def test_without_receipts_nothing_leaves_and_a_later_run_takes_them(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-2")
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        screening = spooled(spool, signer)
        Uploader(spool, kafka, "upload-2").run(lambda: all_sent(spool, None), give_up_s=60)
        assert spool.status(screening).counts[SENT] == 9
        assert all(spool.load(name) is not None for name in spool.pending(99, 1e12))
    with Answering(centre, "upload-2", lambda answer: answer), Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        Uploader(spool, kafka, "upload-2").run(lambda: all_settled(spool, None), give_up_s=60)
        assert spool.status(screening).counts[STORED] == 9


def test_a_clinical_record_is_corrected_by_a_command(
    centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = centre.path
    _, signer = enrolled(centre, state, "upload-corrects")
    vault = vault_of(state, "upload-corrects")
    with Spool(vault.folder / "spool", vault) as spool:
        screening = spooled(spool, signer)
    record = tmp_path / "record.json"
    record.write_text('{"age_years": 54}')
    command = [
        "van",
        "correct",
        screening,
        "--features",
        str(record),
        "--van",
        "upload-corrects",
        "--state",
        str(state),
    ]
    with Answering(centre, "upload-corrects", lambda answer: answer) as answering:
        assert run(build(), command) == 0
        assert run(build(), command) == 0
    assert [name for name in answering.seen if "/features/" in name] == [f"{screening}/features/{n}" for n in (1, 2)]
    assert f"screening {screening}: clinical record 2 is stored" in capsys.readouterr().out
    assert run(build(), ["van", "correct", mint_id(), *command[3:]]) == 2


def test_a_receipt_that_the_centre_did_not_sign_deletes_nothing_and_the_van_says_so(
    centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka, signer = enrolled(centre, centre.path, "upload-forged")
    vault = vault_of(centre.path, "upload-forged")
    receipts.pin(vault, centre.receipt_keys().public)
    stranger = ReceiptSigner(generate_key())
    status = ["van", "spool", "status", "--van", "upload-forged", "--state", str(centre.path)]
    for sign in (lambda answer: answer, stranger.sign):
        with Spool(vault.folder / "spool", vault) as spool, Answering(centre, "upload-forged", sign=sign):
            screening = spooled(spool, signer, 2)
            with pytest.raises(Transient, match="not the centre's"):
                Uploader(spool, kafka, "upload-forged").run(lambda: False, give_up_s=3)
            found = spool.status(screening)
            assert (found.counts[SENT], found.counts[STORED], found.doubted) == (5, 0, 5)
            assert all(spool.load(name) is not None for name in spool.pending(99, 1e12))
            assert spool.purge() == 0
    assert run(build(), status) == 0
    assert "doubted: 10 items" in capsys.readouterr().out
    with Spool(vault.folder / "spool", vault) as spool, Answering(centre, "upload-forged"):
        Uploader(spool, kafka, "upload-forged", resend_after_s=0.1).run(lambda: all_settled(spool, None), give_up_s=60)
        assert (spool.status().counts[STORED], spool.status().doubted) == (10, 0)


class BusySpool(Spool):
    """A spool that cannot note the first answer."""

    noted = False

    def take_answer(self, answer: VanAnswered, partition: int, next_offset: int) -> bool:
        if not self.noted:
            self.noted = True
            raise Transient("the disk did not answer")
        return super().take_answer(answer, partition, next_offset)


def test_an_answer_that_could_not_be_noted_is_read_again(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-6")
    with (
        BusySpool(tmp_path / "spool", vault_at(tmp_path)) as spool,
        Answering(centre, "upload-6", lambda answer: answer),
    ):
        spooled(spool, signer, 1)
        Uploader(spool, kafka, "upload-6").run(lambda: all_settled(spool, None), give_up_s=20)
        assert spool.noted


def test_what_gets_no_receipt_is_sent_again(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-3")
    ignored: set[str] = set()

    def forgetful(answer: VanAnswered) -> VanAnswered | None:
        if answer.item_id in ignored:
            return answer
        ignored.add(answer.item_id)
        return None

    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool, Answering(centre, "upload-3", forgetful):
        spooled(spool, signer, 2)
        Uploader(spool, kafka, "upload-3", resend_after_s=1).run(lambda: all_settled(spool, None), give_up_s=60)


def test_a_rejection_is_kept_and_the_report_ends_the_waiting(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-4")

    def refusing(answer: VanAnswered) -> VanAnswered:
        if not answer.item_id.endswith("/000001"):
            return answer
        return answer.model_copy(update={"kind": "rejected", "reason": "pixels_corrupt"})

    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool, Answering(centre, "upload-4", refusing):
        screening = spooled(spool, signer, 3)
        report(centre, "upload-4", screening, "incomplete")
        Uploader(spool, kafka, "upload-4").run(lambda: reported(spool, screening), give_up_s=60)
        assert [item.reason for item in spool.rejected(screening)] == ["pixels_corrupt"]


def test_an_account_that_was_revoked_is_fatal(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-5")
    centre.revoke_van("upload-5")
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        spooled(spool, signer, 1)
        with pytest.raises(Fatal):
            Uploader(spool, kafka, "upload-5").run(lambda: all_sent(spool, None), give_up_s=60)
        assert spool.status().counts[QUEUED] == 4


@pytest.fixture
def own_centre(service_tools: None, tmp_path: Path) -> Iterator[Centre]:
    """Services that a test may stop."""
    try:
        yield up(tmp_path / "state", apps=())
    finally:
        down(tmp_path / "state")


def test_a_broker_that_goes_away_is_waited_for(own_centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(own_centre, tmp_path / "state", "upload-6")
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool:
        screening = spooled(spool, signer, 4)
        services.stop(StateFolder(own_centre.path), lambda _line: None)
        told: list[str] = []
        reporter = Reporter(spool, signer)
        uploader = Uploader(spool, kafka, "upload-6", reporter=reporter)
        with pytest.raises(Transient) as caught:
            uploader.run(lambda: all_sent(spool, None), give_up_s=3, troubled=told.append)
        assert reporter.link.silent_s is not None
        assert len(told) == 1  # not at every attempt
        assert "7 items wait" in str(caught.value)
        assert spool.status(screening).counts[QUEUED] == 7
        back = threading.Thread(target=up, args=(own_centre.path,), kwargs={"apps": ()})
        back.start()
        Uploader(spool, kafka, "upload-6", reporter=reporter).run(lambda: all_sent(spool, None), give_up_s=240)
        back.join()
        assert reporter.link.silent_s is None
        assert spool.status(screening).counts[SENT] == 7


@dataclass(frozen=True)
class Done:
    """What a command printed and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def van(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`sonovan van …` in this process: starting one for each costs more than the command."""

    def typed(state: Path, *arguments: str) -> Done:
        capsys.readouterr()
        code = run(build(), ["van", *arguments, "--state", str(state)])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return typed


def test_the_commands_from_enrolment_to_the_report(centre: Centre, tmp_path: Path, van: Callable[..., Done]) -> None:
    state, van_id = centre.path, f"cli-{mint_id()[-8:]}"
    assert van(state, "enrol", van_id).returncode == 0
    if "none yet" in van(state, "enrol", van_id).stdout:  # another test's van was the centre's first
        assert van(state, "site", "new", "--van", van_id).returncode == 0
    good = write_dicom(tmp_path / "good.dcm", [grey(seed=seed) for seed in range(3)], Laterality="L")
    bad = write_dicom(tmp_path / "bad.dcm", [grey()], Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")

    def reporting(answer: VanAnswered) -> VanAnswered:
        if answer.item_id.endswith("/000002"):
            report(centre, van_id, str(answer.screening_id), "complete")
        return answer

    with Answering(centre, van_id, reporting):
        done = van(
            state, "send", *AGREED, str(good), str(bad), "--organ", "breast", "--wait", "--json", "--van", van_id,
            "--person", "4711",
        )  # fmt: skip
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert (document["status"], document["items"]["stored"], document["signed"]) == ("complete", 6, False)
    assert [refused["reason"] for refused in document["refused"]] == ["not_ultrasound"]
    assert [line for line in done.stderr.splitlines() if "CT" in line] == [
        f"{bad}: modality CT, CT Image Storage; send ultrasound only"
    ]
    assert "4711" not in done.stdout
    status = json.loads(van(state, "spool", "status", "--json", "--van", van_id).stdout)
    assert (status["stored"], status["queued"], status["waiting_bytes"]) == (6, 0, 0)
    assert "6 items purged" in van(state, "spool", "purge", "--van", van_id).stdout
    assert van(state, "revoke", van_id).returncode == 0
    assert van(state, "send", *AGREED, str(good), "--organ", "breast", "--van", van_id).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("send", *AGREED, "{bad}", "--organ", "breast"), "modality CT"),
        (("send", *AGREED, "{good}", "--organ", "liver"), "--organ liver"),
        (("send", *AGREED, "{good}", "--organ", "breast", "--side", "right"), "the file says left, --side says right"),
        (("send", *AGREED, "{good}"), "--organ"),
        (("send", *AGREED, "none.dcm", "--organ", "breast"), "no such file"),
        (("send", *AGREED, "{good}", "--organ", "breast", "--features", "none.json"), "no such file"),
        (("send", *AGREED, "{good}", "--organ", "breast", "--slip", "Li Mei"), "--slip"),
        (("send", *AGREED, "{good}", "--organ", "breast", "--van", "nobody"), "sonovan van enrol nobody"),
        (("send", "{good}", "--organ", "breast"), "--consent"),
        (("send", "--consent", "screening", "{good}", "--organ", "breast"), "she must agree"),
        (("simulate", "--sweeps", "0"), "--sweeps"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], said: str, centre: Centre, tmp_path: Path, van: Callable[..., Done]
) -> None:
    enrolled(centre, centre.path, "usage-1")
    paths = {
        "{good}": str(write_dicom(tmp_path / "good.dcm", [grey()], Laterality="L")),
        "{bad}": str(
            write_dicom(tmp_path / "bad.dcm", [grey()], Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
        ),
    }
    named = () if "--van" in arguments else ("--van", "usage-1")
    done = van(centre.path, *(paths.get(word, word) for word in arguments), *named)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_doctor_of_a_van_finds_it_well_and_says_what_is_wrong(
    centre: Centre, tmp_path: Path, van: Callable[..., Done]
) -> None:
    state, van_id = centre.path, f"doctor-{mint_id()[-8:]}"
    assert van(state, "enrol", van_id).returncode == 0
    van(state, "site", "new", "--van", van_id)

    def looked(code: int) -> dict[str, bool]:
        done = van(state, "doctor", "--json", "--van", van_id)
        assert done.returncode == code, done.stdout + done.stderr
        lines = json.loads(done.stdout)["lines"]
        return {line["about"]: line["well"] for line in lines if line["subject"] != "van_disk"}

    looked_at = {"version", "weights", "settings", "spool", "key of the centre", "secret of the site", "certificate"}
    roomy = shutil.disk_usage(state).free >= USUAL.disk_free_gib * 2**30  # as the programme wants a van's disk
    assert looked(0 if roomy else 3).keys() - {"van"} == looked_at | {"centre"}
    assert all(looked(0 if roomy else 3).values())
    (state / "vans" / van_id / "van.toml").write_text("port = 'no port'\n")
    assert {about for about, well in looked(3).items() if not well} == {"settings"}


def test_without_a_broker_everything_stays_and_the_exit_code_is_4(
    centre: Centre, tmp_path: Path, van: Callable[..., Done]
) -> None:
    kafka, _ = enrolled(centre, tmp_path, "away-1")
    nowhere = {"bootstrap": "127.0.0.1:9", "username": kafka.username, "password": kafka.password.get_secret_value()}
    vault_of(tmp_path, "away-1").write("kafka", json.dumps(nowhere).encode())
    done = van(tmp_path, "simulate", "--frames", "2", "--give-up-s", "2")
    assert done.returncode == 4, done.stderr
    assert "5 items wait" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(van(tmp_path, "spool", "status", "--json").stdout)["queued"] == 5
