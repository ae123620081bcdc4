"""What a reader adds to the machine's findings, and the key frames of what was signed."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.ids import mint_id
from sonovan.contracts.results import SequenceAssessed
from sonovan.contracts.reviews import FrameReviewed
from sonovan.models.masks import encode_mask
from sonovan.storage.catalogue.cine import pictures_between
from sonovan.storage.keys import Bucket
from sonovan.storage.reviews import Drawn, review_of, store_mask
from tests.clinical.records import assessed, sha
from tests.console.signing_scene import LEFT, SHE, Signing, findings, signing, with_pictures
from tests.console.test_signing import PAGE, WORDS, derived, form_of, look
from tests.contracts.conclusions import concluded, lesion


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Signing]:
    with signing(tmp_path) as made:
        yield made


OWN = {
    "f.own1.frame": f"{LEFT.sequence_id}/000009",
    "f.own1.side": "left",
    "f.own1.position": "10h",
    "f.own1.mm": "7.5",
    "f.own1.w.shape": "irregular",
    "f.own1.c.BI-RADS": "4A",
}


def test_a_finding_of_ones_own_is_signed_with_its_frame_place_size_and_words(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    assert reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS, **OWN}).status == 303
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    own = made.findings[-1]
    assert (own.finding_id, own.verdict, own.organ, own.laterality) == (None, "lesion", "breast", "left")
    assert (own.frame_id, own.position, own.largest_mm) == (OWN["f.own1.frame"], "10h", 7.5)
    assert [(each.term, each.verdict, each.words) for each in own.words] == [("shape", "entered", ("irregular",))]
    assert [(each.scheme, each.value) for each in own.categories] == [("BI-RADS", "4A")]
    shown = reader.get(f"/signed/{SHE}/{made.conclusion_id}/page/zh").text
    assert "10 点" in shown
    amending = reader.get(PAGE).text
    assert f'name="f.own1.frame" value="{OWN["f.own1.frame"]}"' in amending
    assert re.search('name="f.own1.position" value="10h" checked', amending), "what was signed is where one begins"


def test_what_the_words_of_ones_own_nodule_come_to_is_told_while_choosing_as_the_readers_own(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    words = {"composition": "solid", "echogenicity": "hypoechoic", "shape": "taller_than_wide", "margin": "smooth",
             "echogenic_foci": "none"}  # fmt: skip
    nodule = {"f.own3.frame": "0192f0c1-2345-7abc-8def-000000000002/000005", "f.own3.side": "left",
              **{f"f.own3.w.{term}": word for term, word in words.items()}}  # fmt: skip
    told = derived(reader, **WORDS, **nodule)["findings"]["own3"]
    assert told[0].startswith("TI-RADS TR5 (points: 7) (")
    assert not any("suggested" in each or "software" in each for each in told), "nobody suggested what a reader chose"
    alone = derived(reader, **nodule)
    assert "Left thyroid lobe: a conclusion, for you found something there" in alone["lacking"]


def test_a_side_that_is_corrected_while_the_form_is_open_is_not_signed_before_it_was_shown(desk: Signing) -> None:
    """A revision without a report names another side: the form, which is of the newest report, shows the one before."""
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form = {**form_of(reader), **WORDS, **OWN}
    corrected = assessed(screening_id=SHE, revision_number=3, revision_id=sha("corrected"), status="preliminary")
    desk.write(
        corrected,
        SequenceAssessed(
            screening_id=SHE, sequence_id=LEFT.sequence_id, revision_id=corrected.revision_id, organ="breast",
            laterality="right", frames=12, assessable_frames=12, findings=(),
        ),
    )  # fmt: skip
    told = json.loads(reader.post(f"{PAGE}/derive", form).text)
    assert "Right breast: look at your own finding again, which lies here by now" in told["lacking"]
    answer = reader.post(f"{PAGE}/sign", form)
    assert (answer.status, desk.published) == (409, [])
    assert "lies on another side than was shown" in answer.text
    assert "the side of its sweep was corrected" in answer.text
    assert 'name="f.own1.side" value="right"' in answer.text
    again = reader.post(f"{PAGE}/sign", {**form, "f.own1.side": "right"})
    despite = re.search(r'name="despite" value="(\w+)"', again.text)
    if despite is not None:
        again = reader.post(f"{PAGE}/sign", {**form, "f.own1.side": "right", "despite": despite[1]})
    assert again.status == 303
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    assert made.findings[-1].laterality == "right", "as it was shown"


@pytest.mark.parametrize(
    "field",
    [
        {"f.own1.frame": "0192f0c1-2345-7abc-8def-00000000ffff/000001"},
        {"f.own1.frame": f"{LEFT.sequence_id}/000099"},
        {"f.own1.frame": f"{LEFT.sequence_id}/1"},
        {"f.own1.position": "lower"},
        {"f.own1.w.margin": "jagged"},
        {"f.own1.c.BI-RADS": "TR4"},
    ],
)
def test_a_finding_of_ones_own_is_on_a_frame_of_hers_and_speaks_the_lexicon(
    desk: Signing, field: dict[str, str]
) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    answer = reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS, **OWN, **field})
    assert (answer.status, desk.published) == (400, [])


def test_the_signed_page_has_the_key_frames_plain_and_outlined_after_they_were_checked(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    found = with_pictures(desk, findings())
    desk.revise(3, found)
    look(reader)
    reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS})
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    address = f"/signed/{SHE}/{made.conclusion_id}/page/en"
    page = reader.get(address)
    assert "http" not in re.sub(r"data:[^\"]*", "", page.text.split("<body")[1]), "nothing is fetched from anywhere"
    pictures = [base64.b64decode(each) for each in re.findall(r'src="data:image/png;base64,([^"]+)"', page.text)]
    assert len(pictures) == 4
    for plain, outlined in (pictures[:2], pictures[2:]):
        assert imagecodecs.png_decode(plain).shape == imagecodecs.png_decode(outlined).shape
        assert plain != outlined
    printed = reader.get(f"{address}.pdf").body
    without = len(printed)
    mask = desk.console.images.path(Bucket.MASKS, found[0].best.mask_key or "")
    mask.write_bytes(b"another mask")
    left = reader.get(address)
    assert left.text.count("data:image/png") == 2, "what was replaced is not shown"
    assert len(reader.get(f"{address}.pdf").body) < without
    assert len(desk.console.told) == 2
    assert desk.console.browser("dr-2", "reader", sites=["elsewhere"]).get(address).status == 404


def pictures_on(page: str) -> list[bytes]:
    """The pictures among what the reader says, not among what software suggested."""
    reader = page.split('<section class="machine">')[0]
    return [base64.b64decode(each) for each in re.findall(r'src="data:image/png;base64,([^"]+)"', reader)]


def draw(desk: Signing, reader: str, before_signing_s: float, *, size: int, number: int) -> FrameReviewed:
    """A review of the frame of OWN whose mask is a square of so many pixels, 0 for nothing outlined."""
    with desk.console.console.catalogue.reading() as connection:
        (stored,) = pictures_between(connection, SHE, LEFT.sequence_id, 9, 1)
    labels = np.zeros((stored.rows, stored.columns), np.uint8)
    labels[60 : 60 + size, 80 : 80 + size] = 1
    mask = encode_mask(labels) if size else None
    at = desk.console.console.now - timedelta(seconds=before_signing_s)
    made = review_of(
        stored, Drawn(reader, False, "drawn", mask, "console"), weights_sha256=stored.weights_sha256,
        predicted_dice=None, review_id=mint_id(1_700_000_000_000 + number), at=at,
    )  # fmt: skip
    store_mask(desk.console.images, made, mask)
    desk.write(made)
    return made


def test_the_signed_page_has_the_frame_of_a_finding_of_ones_own_with_what_its_reader_drew_before_signing(
    desk: Signing,
) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    assert reader.post(f"{PAGE}/sign", {**form_of(reader), **WORDS, **OWN}).status == 303
    (made,) = desk.published
    assert isinstance(made, ScreeningConcluded)
    address = f"/signed/{SHE}/{made.conclusion_id}/page/en"
    (plain,) = pictures_on(reader.get(address).text)
    printed = len(reader.get(f"{address}.pdf").body)
    draw(desk, "dr-2", 5, size=40, number=1)
    draw(desk, "dr-1", -5, size=40, number=2)
    assert pictures_on(reader.get(address).text) == [plain], "another reader's, and one that was drawn after signing"
    draw(desk, "dr-1", 60, size=20, number=3)
    first = pictures_on(reader.get(address).text)
    large = draw(desk, "dr-1", 30, size=60, number=4)
    page = reader.get(address).text
    shown = pictures_on(page)
    assert [len(first), len(shown), first[0], shown[0]] == [2, 2, plain, plain]
    assert len({plain, first[1], shown[1]}) == 3, "the newer mask counts"
    assert imagecodecs.png_decode(shown[1]).shape == imagecodecs.png_decode(plain).shape
    assert "Left breast · frame 10, seen by the reader alone" in page
    assert "data:image/png" not in page.split('<section class="machine">')[1], "no key frame is stored here"
    assert len(reader.get(f"{address}.pdf").body) > printed
    desk.console.images.path(Bucket.MASKS, large.mask_key or "").write_bytes(b"another mask")
    assert pictures_on(reader.get(address).text) == [], "what was replaced is not shown"
    draw(desk, "dr-1", 20, size=0, number=5)
    assert pictures_on(reader.get(address).text) == [plain], "outlined nothing, last"


def test_who_has_yet_to_draw_blind_is_shown_no_outline_on_a_signed_page(tmp_path: Path) -> None:
    with signing(tmp_path, blind_share=1.0) as desk:
        made = desk.revise(3, with_pictures(desk, findings()))
        own = lesion(finding_id=None, frame_id=OWN["f.own1.frame"], words=(), categories=())
        signed = concluded(screening_id=SHE, revision_id=made.revision_id, by="dr-9", findings=(own,))
        desk.write(signed)
        address = f"/signed/{SHE}/{signed.conclusion_id}/page/en"
        assert "data:image/png" not in desk.console.browser("dr-1", "reader").get(address).text
        assert "data:image/png" in desk.console.browser("ld-1", "lead").get(address).text
