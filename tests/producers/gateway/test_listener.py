"""What a scanner is answered, and what becomes of what it sent."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydicom import dcmread
from pydicom.uid import MPEG4HP41, generate_uid
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frame_codec import decode_pixels
from sonovan.contracts.topics import Topic
from sonovan.contracts.van import FrameCaptured
from sonovan.producers.gateway.intake import COMPOSED, QUARANTINED, TRAY
from sonovan.producers.gateway.settings import ListenerOptions, ScannerEntry, TlsFiles, read_options, tls_context
from sonovan.producers.spool import HELD
from tests.producers.clips import shades, write_clip
from tests.producers.files import grey, region, write_dicom
from tests.producers.gateway.vans import OTHER_SLIP, SLIP, running, scanner, send, study
from tests.producers.spool.test_screenings import sequence_closings


def test_an_echo_is_answered(tmp_path: Path) -> None:
    with running(tmp_path) as van, scanner(van.port) as association:
        assert association.send_c_echo().Status == 0x0000


def test_an_object_of_somebody_expected_becomes_a_sequence_of_her_screening(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        entry = van.expect()
        assert send(van.port, study(tmp_path / "a.dcm", 3)) == [0x0000]
        assert van.fates() == [(COMPOSED, None)]
        (screening,) = van.spool.screenings()
        assert (screening.screening_id, screening.sequences, screening.frames) == (entry.screening_id, 1, 3)
        assert screening.unfinished
        assert list((tmp_path / "van" / "objects").iterdir()) == []


def test_what_a_scanner_sends_is_of_whoever_scanned_when_it_came(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        van.expect()
        for name, operator in (("a", None), ("b", "op-7"), ("c", "op-8")):
            if operator is not None:
                van.desk.duty.begin(operator)
            assert send(van.port, study(tmp_path / f"{name}.dcm", seed=ord(name))) == [0x0000]
            van.settled()
        assert [each.operator for each in sequence_closings(van.spool)] == [None, "op-7", "op-8"]
        arrived = [each.arrived_at for each in van.desk.intake.objects()]
        assert [van.desk.duty.at(each) for each in arrived] == [None, "op-7", "op-8"]
        van.desk.duty.forget(arrived[2])
        assert [van.desk.duty.at(each) for each in arrived] == [None, None, "op-8"], "who scans now is not forgotten"


def test_the_same_study_twice_is_once(tmp_path: Path) -> None:
    files = [study(tmp_path / f"{name}.dcm", seed=seed) for name, seed in (("a", 0), ("b", 9))]
    with running(tmp_path / "van") as van:
        van.expect()
        assert send(van.port, *files, *files) == [0, 0, 0, 0]
        assert van.fates() == [(COMPOSED, None)] * 2
        assert send(van.port, *files) == [0, 0]
        assert van.fates() == [(COMPOSED, None)] * 2
        (screening,) = van.spool.screenings()
        assert (screening.sequences, screening.frames) == (2, 4)


def test_other_bytes_under_one_uid_wait_and_the_first_stay(tmp_path: Path) -> None:
    uid = generate_uid()
    first, second = (study(tmp_path / f"{seed}.dcm", seed=seed, SOPInstanceUID=uid) for seed in (1, 2))
    with running(tmp_path / "van") as van:
        van.expect()
        assert send(van.port, first, second) == [0, 0]
        assert van.fates() == [(COMPOSED, None), (QUARANTINED, "instance_contradicts")]


@pytest.mark.parametrize(
    ("tags", "fate"),
    [
        ({"PatientID": OTHER_SLIP}, (TRAY, "unmatched")),
        ({"PatientID": "", "PatientName": "LI^LIHUA"}, (TRAY, "unmatched")),
        ({"Laterality": ""}, (TRAY, "side_missing")),
        ({"BodyPartExamined": "THYROID"}, (TRAY, "organ_contradicts_file")),
        ({"Modality": "CT"}, (QUARANTINED, "not_ultrasound")),
        ({"Modality": "CT", "PatientID": ""}, (QUARANTINED, "not_ultrasound")),
        ({"PhotometricInterpretation": "HSV"}, (QUARANTINED, "pixels_not_supported")),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_taken_and_waits_with_its_reason(
    tmp_path: Path, tags: dict[str, object], fate: tuple[str, str]
) -> None:
    with running(tmp_path / "van") as van:
        van.expect()
        assert send(van.port, study(tmp_path / "a.dcm", **tags)) == [0x0000]
        assert van.fates() == [fate]
        assert van.spool.screenings() == []
        assert not any("LI^LIHUA" in line for line in van.told)
        named = [path for path in (tmp_path / "van").rglob("*") if path.is_file() and b"LIHUA" in path.read_bytes()]
        assert named == []
        assert b"".join(van.desk.intake.read(1))[128:132] == b"DICM"


def test_numbers_of_two_women_contradict_each_other(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        van.expect()
        van.expect(OTHER_SLIP, accession="ORDER2")
        files = [
            study(tmp_path / "a.dcm", AccessionNumber="ORDER2"),
            study(tmp_path / "b.dcm", AccessionNumber="ORDER2", PatientID=""),
            study(tmp_path / "c.dcm", AccessionNumber="ORDER2", PatientID="SOMEBODYELSE"),
            study(tmp_path / "d.dcm", AccessionNumber="OFTHESCANNER", PatientID=f"{SLIP[0]}-{SLIP[1:]}".lower()),
        ]
        send(van.port, *files)
        contradiction = (TRAY, "identifiers_contradict")
        assert van.fates() == [contradiction, (COMPOSED, None), contradiction, (COMPOSED, None)]


def test_frames_that_privacy_holds_back_are_held_here_too(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        van.expect()
        send(van.port, study(tmp_path / "a.dcm", BurnedInAnnotation="YES"))
        assert van.fates() == [(COMPOSED, None)]
        assert van.spool.status().counts[HELD] == 2


def test_every_sequence_goes_through_what_cleans_it(tmp_path: Path) -> None:
    with running(tmp_path / "van", clean=lambda source: replace(source, burned_in=True)) as van:
        van.expect()
        send(van.port, study(tmp_path / "a.dcm"))
        assert van.fates() == [(COMPOSED, None)]
        assert van.spool.status().counts[HELD] == 2


def test_an_object_of_which_no_frame_can_be_read_is_kept(tmp_path: Path) -> None:
    from pydicom.uid import JPEG2000Lossless

    file = write_dicom(
        tmp_path / "a.dcm", [b"\xff\x4f\xff\x51 no picture"], syntax=JPEG2000Lossless, PatientID=SLIP, Laterality="L"
    )
    with running(tmp_path / "van") as van:
        van.expect()
        with scanner(van.port) as association:
            association.release()
        assert _send_as_it_is(van.port, file) == 0
        ((state, _),) = van.fates()
        assert state == QUARANTINED
        assert list((tmp_path / "van" / "objects").iterdir()) != []


def test_a_moving_picture_becomes_a_sequence_and_outside_its_regions_nothing_of_it_stays(tmp_path: Path) -> None:
    stream = write_clip(tmp_path / "a.mp4", shades(10)).read_bytes()
    file = write_dicom(
        tmp_path / "a.dcm", [stream], syntax=MPEG4HP41, shape=(48, 64, 3), photometric="YBR_PARTIAL_420",
        NumberOfFrames=11, PatientID=SLIP, Laterality="L", SequenceOfUltrasoundRegions=[region(0, 24, 63, 47)],
    )  # fmt: skip
    with running(tmp_path / "van") as van:
        van.expect()
        assert _send_as_it_is(van.port, file) == 0
        assert van.fates() == [(COMPOSED, None)]
        (screening,) = van.spool.screenings()
        assert screening.frames == 11  # one of them is lost: the file counts it, and the stream lacks it
        sent = [van.spool.load(each) for each in van.spool.pending(100, 0.0)]
    frames = [open_envelope(each.value) for each in sent if each is not None and each.topic == Topic.FRAME_CAPTURED]
    assert len(frames) == 10
    for each in frames:
        told = FrameCaptured.decode(each.header)
        pixels = decode_pixels(
            each.payload, codec=told.codec, rows=told.rows, columns=told.columns, channels=told.channels, bits=told.bits
        )
        assert pixels.shape[:2] == (48, 64)
        assert not pixels[:24].any()
        assert pixels[24:].any()


def _send_as_it_is(port: int, file: Path) -> int:
    from pynetdicom import AE

    dataset = dcmread(file)
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", port, ae_title="SONOVAN")
    try:
        return int(association.send_c_store(dataset).Status)
    finally:
        association.release()


def test_without_room_an_object_is_refused_and_nothing_of_it_stays(tmp_path: Path) -> None:
    with running(tmp_path / "van", least_free_bytes=2**60) as van:
        van.expect()
        assert send(van.port, study(tmp_path / "a.dcm")) == [0xA700]
        assert van.desk.intake.objects() == []
        for name in ("objects", "incoming"):
            assert list((tmp_path / "van" / name).iterdir()) == []


def test_a_wrong_title_is_refused_and_so_is_who_is_not_on_the_list(tmp_path: Path) -> None:
    listed = ScannerEntry(ae_title="LOGIQ", address="127.0.0.1")
    with running(tmp_path, ListenerOptions(port=0, scanner=(listed,))) as van:
        for title, called, accepted in (
            ("LOGIQ", "SONOVAN", True), ("LOGIQ", "ANYBODY", False), ("OTHER", "SONOVAN", False)
        ):  # fmt: skip
            with scanner(van.port, title, called) as association:
                assert association.is_established == accepted
                assert association.is_rejected != accepted, "it is told so, and not cut off"
        assert ["calls 'ANYBODY'" in van.told[0], "'OTHER' from 127.0.0.1" in van.told[1]] == [True, True]
    elsewhere = ScannerEntry(ae_title="LOGIQ", address="192.0.2.7")
    with running(tmp_path, ListenerOptions(port=0, scanner=(elsewhere,))) as van:
        with scanner(van.port, "LOGIQ") as association:
            assert not association.is_established
        assert "127.0.0.1" in van.told[0]


def test_two_scanners_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    files = [[study(tmp_path / f"{who}-{n}.dcm", 2, 100 * who + 2 * n) for n in range(5)] for who in range(2)]
    statuses: list[int] = []
    barrier = Barrier(2)
    with running(tmp_path / "van") as van:
        van.expect()

        def scan(who: int) -> None:
            barrier.wait()
            statuses.extend(send(van.port, *files[who], title=f"SCANNER{who}"))

        threads = [Thread(target=scan, args=(who,)) for who in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [0] * 10
        assert van.fates() == [(COMPOSED, None)] * 10
        (screening,) = van.spool.screenings()
        assert (screening.sequences, screening.frames) == (10, 20)


def test_a_screening_that_was_closed_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        entry = van.expect()
        send(van.port, study(tmp_path / "a.dcm"))
        van.settled()
        from tests.producers.visits import SIGNER

        van.spool.resume_screening(entry.screening_id, SIGNER).close()
        assert not van.spool.screenings()[0].unfinished
        send(van.port, study(tmp_path / "b.dcm", seed=50, Laterality="R"))
        van.settled()
        van.spool.resume_screening(entry.screening_id, SIGNER).close()
        assert van.spool.screenings()[0].closing_number == 2


def test_a_large_object_comes_whole_through_many_chunks(tmp_path: Path) -> None:
    pictures = [grey(600, 800, seed) for seed in range(8)]
    file = write_dicom(
        tmp_path / "a.dcm", pictures, shape=(600, 800), PatientID=SLIP, Laterality="L", BodyPartExamined="ABDOMEN"
    )
    with running(tmp_path / "van") as van:
        van.expect()
        assert send(van.port, file) == [0]
        ((state, reason),) = van.fates()
        assert (state, reason) == (TRAY, "organ_contradicts_file")
        path = tmp_path / "back.dcm"
        path.write_bytes(b"".join(van.desk.intake.read(1)))
        back = dcmread(path)
        assert back.PixelData == np.stack(pictures).tobytes()


def test_a_list_of_scanners_is_needed_to_listen_to_more_than_this_machine(tmp_path: Path) -> None:
    (tmp_path / "van.toml").write_text('address = "0.0.0.0"\n')
    with pytest.raises(InvalidRecord, match="say who may send"):
        read_options(tmp_path, None)
    (tmp_path / "van.toml").write_text('[[scanner]]\nae_title = "x y"\naddress = "10.0.0.1"\n')
    with pytest.raises(InvalidRecord, match=r"scanner\.0\.ae_title"):
        read_options(tmp_path, None)
    for below in ('[page]\nsite = "site-1"\nae_title = "X"\n', "[page]\nport = 1\nport = 11112\n"):
        (tmp_path / "van.toml").write_text(below)
        with pytest.raises(InvalidRecord, match=r"stand above the first line in \[brackets\]"):
            read_options(tmp_path, None)
    (tmp_path / "van.toml").write_text('address = "0.0.0.0"\n[[scanner]]\nae_title = "X"\naddress = "10.0.0.1"\n')
    assert read_options(tmp_path, None).allows("X", "10.0.0.1")
    assert not read_options(tmp_path, None).allows("X", "127.0.0.1")


def test_tls_alone_is_spoken_where_it_is_set_up(tmp_path: Path) -> None:
    certificate(tmp_path)
    options = ListenerOptions(port=0, tls=TlsFiles(certificate=Path("own.pem"), key=Path("own.key")))
    with running(tmp_path, options) as van:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "own.pem"))
        entity = AE(ae_title="SCANNER")
        entity.add_requested_context(Verification)
        association = entity.associate(
            "127.0.0.1", van.port, ae_title="SONOVAN", tls_args=(trusting, "sonovan.example")
        )
        assert association.send_c_echo().Status == 0x0000
        association.release()
        with scanner(van.port) as plain:
            assert not plain.is_established
    with pytest.raises(InvalidRecord, match="a file cannot be used"):
        tls_context(TlsFiles(certificate=Path("own.pem"), key=Path("absent.key")), tmp_path)


def certificate(folder: Path) -> None:
    """A certificate for sonovan.example and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sonovan.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("sonovan.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "own.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.key").write_bytes(private)
