"""The table of rights and the policies that follow from it."""

from sonovan.contracts.topics import STAGES, Writer
from sonovan.storage.access import ACCOUNTS, access_key, account_of, policy, rights
from sonovan.storage.keys import Bucket


def allowed(account: Writer) -> set[tuple[str, str]]:
    return {
        (action, resource.removeprefix("arn:aws:s3:::"))
        for statement in policy(account)["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_each_stage_writes_what_is_its_own_and_no_more() -> None:
    def writes(account: Writer) -> set[str]:
        return {resource for action, resource in allowed(account) if action == "s3:PutObject"}

    quarantine = f"{Bucket.QUARANTINE}/*"
    assert writes(Writer.SEGMENT) == {f"{Bucket.FRAMES}/*", f"{Bucket.MASKS}/*", quarantine}
    assert writes(Writer.ASSESS) == {f"{Bucket.REPORTS}/*", quarantine}
    assert allowed(Writer.ALERT) == {("s3:PutObject", quarantine), ("s3:GetObject", quarantine)}
    reads = {resource for action, resource in allowed(Writer.ASSESS) if action == "s3:GetObject"}
    assert reads == {
        f"{bucket}/*" for bucket in (Bucket.FRAMES, Bucket.REPORTS, Bucket.QUARANTINE)
    }  # masks: nobody asks
    assert writes(Writer.READER) == writes(Writer.RETRIER) == set()
    assert writes(Writer.CONSOLE) == {f"{Bucket.MASKS}/reviews/*", f"{Bucket.MASKS}/shadow/*"}
    deletes = {("s3:DeleteObject", f"{bucket}/*") for bucket in Bucket}
    listed = (bucket for bucket in Bucket if bucket is not Bucket.QUARANTINE)
    lists = {(action, str(bucket)) for bucket in listed for action in ("s3:GetBucketLocation", "s3:ListBucket")}
    packs = {
        (action, f"{bucket}/{what}")
        for bucket in (Bucket.FRAMES, Bucket.MASKS)
        for action, what in (("s3:GetObject", "*"), ("s3:PutObject", "*/pack-*"))
    }
    assert allowed(Writer.CATALOG) == {*allowed(Writer.ALERT), *packs, *deletes, *lists}


def test_only_the_catalogue_deletes_and_only_it_and_people_list() -> None:
    actions = {account: {action for action, _ in allowed(account)} for account in ACCOUNTS}
    asked = {"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:DeleteObject"}
    assert set().union(*actions.values()) == asked
    assert [account for account, held in actions.items() if "s3:DeleteObject" in held] == [Writer.CATALOG]
    lists = [account for account, held in actions.items() if "s3:ListBucket" in held]
    assert lists == [Writer.CATALOG, Writer.RETRIER, Writer.READER]
    assert Bucket.QUARANTINE not in rights(Writer.READER)
    assert rights(Writer.RETRIER).keys() == {Bucket.QUARANTINE}


def test_every_stage_may_put_into_quarantine_and_vans_have_no_account() -> None:
    assert all(Bucket.QUARANTINE in rights(stage) for stage in STAGES)
    assert not {Writer.VAN, Writer.REGISTRAR, Writer.OPERATOR} & set(ACCOUNTS)
    assert rights(Writer.VAN) == {}


def test_a_key_names_its_account_and_never_the_random_part() -> None:
    assert account_of(access_key("segment", "random")) == "segment"
    assert account_of("somebody-elses") == "unnamed"
