from sonovan.contracts.ids import mint_id
from sonovan.storage.keys import Bucket, image_key, mask_key, quarantine_key, quarantined_sha256, report_key

SEQUENCE = mint_id()


def test_keys_are_pure_functions_of_identities() -> None:
    assert image_key("van-1", SEQUENCE, 7, "jpegls") == f"van-1/{SEQUENCE}/000007.jpegls"
    assert report_key("van-1", "screening", "revision", "2" * 64, "html") == f"van-1/screening/revision-{'2' * 32}.html"
    assert quarantine_key("ab" * 32) == f"ab/{'ab' * 32}"
    assert quarantined_sha256(quarantine_key("ab" * 32)) == "ab" * 32


def test_masks_of_other_weights_other_arithmetic_or_a_replay_stand_beside_each_other() -> None:
    live = mask_key("van-1", SEQUENCE, 7, "1" * 64, "2" * 64)
    others = {
        mask_key("van-1", SEQUENCE, 7, "3" * 64, "2" * 64),
        mask_key("van-1", SEQUENCE, 7, "1" * 64, "4" * 64),
        mask_key("van-1", SEQUENCE, 7, "1" * 64, "2" * 64, shadow="shadow/run-1"),
    }
    assert len({live, *others}) == 4


def test_a_mask_never_takes_the_name_of_a_frame() -> None:
    assert Bucket.FRAMES != Bucket.MASKS
    assert mask_key("van-1", SEQUENCE, 7, "1" * 64, "2" * 64) != image_key("van-1", SEQUENCE, 7, "png")


def test_nothing_of_one_van_has_a_name_of_another_vans() -> None:
    assert image_key("van-1", SEQUENCE, 7, "png") != image_key("van-2", SEQUENCE, 7, "png")
    assert mask_key("van-1", SEQUENCE, 7, "1" * 64, "2" * 64) != mask_key("van-2", SEQUENCE, 7, "1" * 64, "2" * 64)
    assert report_key("van-1", SEQUENCE, "r", "2" * 64, "html") != report_key("van-2", SEQUENCE, "r", "2" * 64, "html")
