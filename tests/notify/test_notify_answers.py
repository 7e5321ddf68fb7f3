"""When a service may be asked again, in all the ways in which it is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.notify.answers import LONGEST, hearing, wait_of

DATE = "Wed, 25 Nov 2026 21:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"", None),
        ({"Retry-After": "7"}, b"", 7.0),
        ({"retry-after": " 0.5 "}, b"", 0.5),
        ({"RETRY-AFTER": "-5"}, b"", 0.0),
        ({"Retry-After": "1e30"}, b"", LONGEST),
        ({"Retry-After": "nan"}, b"", None),
        ({"Retry-After": "soon"}, b"", None),
        ({"Retry-After": ""}, b'{"retry_after": 3}', 3.0),
        ({"Retry-After": "Wed, 25 Nov 2026 21:02:00 GMT", "Date": DATE}, b"", 120.0),
        ({"Retry-After": "Wed, 25 Nov 2026 20:02:00 GMT", "Date": DATE}, b"", 0.0),
        ({"Retry-After": "Wed, 25 Nov 2026 21:02:00 GMT"}, b"", None),
        ({"Retry-After": "Wed, 99 Nov 2026 21:02:00 GMT", "Date": DATE}, b"", None),
        ({}, b'{"retry_after": 64.57}', 64.57),
        ({}, b'{"retry_after": true}', None),
        ({}, b'{"retry_after": "9"}', 9.0),
        ({}, b'{"parameters": {"retry_after": 35}}', 35.0),
        ({}, b'{"parameters": [1]}', None),
        ({}, b'{"retry_after_ms": 2500}', 2.5),
        ({"Retry-After": "4"}, b'{"retry_after": 64.57}', 4.0),
        ({}, b"[" * 5_000, None),
        ({}, b"<html>", None),
        ({}, b'"retry_after"', None),
        ({}, b"\xff\xfe", None),
    ],
)
def test_when_it_may_be_asked_again(headers: dict[str, str], body: bytes, expected: float | None) -> None:
    assert wait_of(headers, body) == expected


@given(st.dictionaries(st.sampled_from(["Retry-After", "Date"]), st.text(max_size=40)), st.binary(max_size=60))
def test_nonsense_is_no_wait_or_a_sensible_one(headers: dict[str, str], body: bytes) -> None:
    wait = wait_of(headers, body)
    assert wait is None or 0.0 <= wait <= LONGEST


@given(st.recursive(st.none() | st.floats() | st.text() | st.integers(), lambda x: st.dictionaries(
    st.sampled_from(["retry_after", "parameters", "retry_after_ms"]), x) | st.lists(x)))  # fmt: skip
def test_any_json_is_read(value: object) -> None:
    wait = wait_of({}, json.dumps(value).encode())
    assert wait is None or 0.0 <= wait <= LONGEST


class Response:
    def __init__(self, status: int) -> None:
        self.status_code = status
        self.headers = {"Retry-After": "7"}

    @property
    def content(self) -> bytes:
        raise ValueError("a body that cannot be read")


class Requests:
    """The module, as far as it is listened to."""

    class Session:
        def send(self, status: int, **_: object) -> Response:
            return Response(status)


def test_an_answer_is_heard_only_while_somebody_hears_and_is_never_harmed() -> None:
    session = Requests.Session()
    assert session.send(200).status_code == 200
    with hearing(Requests) as outer:
        session.send(200)
        with hearing(Requests) as inner:
            session.send(429, stream=True)
            session.send(500)
        session.send(204)
    assert session.send(429).status_code == 429
    assert [(one.status, one.wait) for one in outer] == [(200, None), (204, None)]
    assert [(one.status, one.wait) for one in inner] == [(429, 7.0), (500, None)]
