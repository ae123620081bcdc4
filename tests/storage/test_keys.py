from sonovan.contracts.ids import mint_id
from sonovan.storage.keys import Bucket, image_key, mask_key, quarantine_key, report_key

SEQUENCE = mint_id()


def test_keys_are_pure_functions_of_identities() -> None:
    assert image_key(SEQUENCE, 7, "jpegls") == f"{SEQUENCE}/000007.jpegls"
    assert report_key("screening", "revision", "html") == "screening/revision.html"
    assert quarantine_key("ab" * 32) == f"ab/{'ab' * 32}"


def test_masks_of_other_weights_other_arithmetic_or_a_replay_stand_beside_each_other() -> None:
    live = mask_key(SEQUENCE, 7, "1" * 64, "2" * 64)
    others = {
        mask_key(SEQUENCE, 7, "3" * 64, "2" * 64),
        mask_key(SEQUENCE, 7, "1" * 64, "4" * 64),
        mask_key(SEQUENCE, 7, "1" * 64, "2" * 64, shadow="shadow/run-1"),
    }
    assert len({live, *others}) == 4


def test_a_mask_never_takes_the_name_of_a_frame() -> None:
    assert Bucket.FRAMES != Bucket.MASKS
    assert mask_key(SEQUENCE, 7, "1" * 64, "2" * 64) != image_key(SEQUENCE, 7, "png")
