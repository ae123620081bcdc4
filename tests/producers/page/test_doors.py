"""Who may use the page: codes, sessions, hosts and origins."""

import pytest

from sonovan.producers.page.doors import CODE_SIGNS, MOST_WRONG, SESSION_S, SESSIONS, Doors, stranger

PORT = 11_180
HERE = {"Host": f"127.0.0.1:{PORT}"}
ORIGIN = {"Origin": f"http://127.0.0.1:{PORT}"}


def test_a_code_opens_one_session_and_is_spent() -> None:
    told: list[str] = []
    doors = Doors(told.append)
    code = doors.code
    session = doors.enter(code.lower()[:4] + "-" + code.lower()[4:])
    assert session is not None
    assert doors.knows(session)
    assert doors.enter(code) is None
    assert told == [code, doors.code]
    assert doors.code != code
    assert len(code) == CODE_SIGNS


def test_wrong_codes_open_nothing_and_make_a_new_one() -> None:
    doors = Doors()
    code = doors.code
    for _ in range(MOST_WRONG):
        assert doors.enter("") is None
    assert doors.code != code
    assert doors.enter(code) is None


def test_a_session_ends_by_leaving_by_time_and_by_newer_ones() -> None:
    now = [0.0]
    doors = Doors(clock=lambda: now[0])
    first, second = (str(doors.enter(doors.code)) for _ in range(2))
    doors.leave(first)
    assert not doors.knows(first)
    assert doors.knows(second)
    now[0] = SESSION_S
    assert not doors.knows(second)
    third = str(doors.enter(doors.code))
    for _ in range(SESSIONS):
        doors.enter(doors.code)
    assert not doors.knows(third)
    assert not doors.knows("")


def test_a_form_fits_its_own_session_alone() -> None:
    doors = Doors()
    one, other = (str(doors.enter(doors.code)) for _ in range(2))
    assert doors.fits(one, doors.token(one))
    assert not doors.fits(one, doors.token(other))
    assert not doors.fits(one, "")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", HERE, None),
        ("GET", {"Host": f"localhost:{PORT}"}, None),
        ("GET", {}, 421),
        ("GET", {"Host": f"evil.example:{PORT}"}, 421),
        ("GET", {"Host": "127.0.0.1"}, 421),
        ("GET", {"Host": f"127.0.0.1:{PORT + 1}"}, 421),
        ("GET", {**HERE, "Sec-Fetch-Site": "none"}, None),
        ("GET", {**HERE, "Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {**HERE, "Sec-Fetch-Site": "same-site"}, 403),
        ("GET", {**HERE, "Origin": "null"}, 403),
        ("POST", HERE, 403),
        ("POST", {**HERE, **ORIGIN}, None),
        ("POST", {**HERE, **ORIGIN, "Sec-Fetch-Site": "same-origin"}, None),
        ("POST", {**HERE, "Origin": "null"}, 403),
        ("POST", {**HERE, "Origin": f"http://127.0.0.1:{PORT + 1}"}, 403),
        ("POST", {**HERE, "Origin": f"https://127.0.0.1:{PORT}"}, 403),
        ("POST", {"Host": f"evil.example:{PORT}", "Origin": f"http://evil.example:{PORT}"}, 421),
    ],
)
def test_what_another_site_sends_is_refused(method: str, headers: dict[str, str], status: int | None) -> None:
    assert stranger(method, headers, PORT) == status
