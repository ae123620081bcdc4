"""A van's link against a real broker: what may go on it, how slow it is, and what the centre is told of the van."""

from pathlib import Path

import pytest

from benchmarks.answering import Answering
from benchmarks.relay import relay
from sonovan.centre import Centre
from sonovan.contracts.envelope import open_envelope
from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import Topic
from sonovan.contracts.van_reports import VanReported
from sonovan.producers.link import LinkOptions
from sonovan.producers.reporting import Reporter
from sonovan.producers.spool import STORED, Spool
from sonovan.producers.upload import Uploader, all_settled
from sonovan.transport.tail import read_all
from tests.producers.visits import vault_at
from tests.services.test_van_upload import enrolled, spooled

pytestmark = pytest.mark.services


def test_on_a_metered_link_records_and_first_frames_go_and_the_rest_on_another(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-m")
    metered = LinkOptions(metered="yes", metered_levels=1)
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool, Answering(centre, "upload-m", lambda answer: answer):
        spooled(spool, signer, 20)
        with pytest.raises(Transient, match="the link is metered: frames wait; 18 items"):
            Uploader(spool, kafka, "upload-m", link=metered).run(lambda: all_settled(spool, None), give_up_s=2)
        assert spool.status().counts[STORED] == 5
        Uploader(spool, kafka, "upload-m").run(lambda: all_settled(spool, None), give_up_s=60)
        assert spool.status().counts[STORED] == 23


def test_an_upload_reports_the_van_when_it_begins_and_when_it_ends(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-r")
    with Spool(tmp_path / "spool", vault_at(tmp_path)) as spool, Answering(centre, "upload-r", lambda answer: answer):
        spooled(spool, signer, 2)
        uploader = Uploader(spool, kafka, "upload-r", reporter=Reporter(spool, signer))
        uploader.run(lambda: all_settled(spool, None), give_up_s=60)
    mine = [each for each in read_all(centre.kafka("reader"), Topic.VAN_REPORTED) if each.key == b"upload-r"]
    reports = [VanReported.decode(open_envelope(each.value or b"").header) for each in mine]
    assert [each.waiting for each in reports] == [5, 0]
    assert reports[-1].clock_ahead_s == pytest.approx(0, abs=5)
    assert (reports[-1].link_bits_per_s or 0) > 0


def test_the_broker_is_reached_through_a_proxy_that_is_as_slow_as_a_vans_link(centre: Centre, tmp_path: Path) -> None:
    kafka, signer = enrolled(centre, tmp_path, "upload-p")
    with (
        relay(50.0) as link,
        Spool(tmp_path / "spool", vault_at(tmp_path)) as spool,
        Answering(centre, "upload-p", lambda answer: answer),
    ):
        spooled(spool, signer, 2)
        through = kafka.model_copy(update={"proxy": link.address})
        Uploader(spool, through, "upload-p").run(lambda: all_settled(spool, None), give_up_s=60)
        assert link.carried["up"] > spool.status().counts[STORED] * 500
        assert spool.status().counts[STORED] == 5
