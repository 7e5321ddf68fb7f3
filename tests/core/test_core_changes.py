"""Who changed since: for those who keep what they worked out."""

from __future__ import annotations

from allthepoints.base.types import UserId
from allthepoints.core.changes import Changes

A, B, C = UserId("1"), UserId("2"), UserId("3")


def test_who_changed_since_a_count() -> None:
    changes = Changes()
    counts = []
    for change in (changes.of_points, changes.of_channel, changes.of_points):
        change((A, B, C)[len(counts)])
        counts.append(changes.count)
    assert [changes.since(count) for count in (0, *counts)] == [[C, B, A], [C, B], [C], []]
    changes.of_points(A)
    assert [changes.since(count) for count in (0, *counts)] == [[A, C, B], [A, C, B], [A, C], [A]]


def test_each_change_counts_once_for_whom_it_may_concern() -> None:
    changes = Changes()
    changes.of_points(A)
    assert (changes.count, changes.chat, changes.everybody) == (1, 0, 0)
    changes.of_chat()
    assert (changes.count, changes.chat, changes.everybody) == (2, 2, 0)
    changes.of_everybody()
    assert (changes.count, changes.chat, changes.everybody) == (3, 3, 3)
    changes.of_channel(B)
    assert (changes.count, changes.chat, changes.everybody) == (4, 4, 3)
    assert changes.since(3) == [B]
    changes.of_chat()
    assert (changes.since(3), changes.since(4)) == ([B], [])
