"""Positions in a channel. Events are numbered without gaps, so that a client sees that one is missing or comes twice."""

from __future__ import annotations

from typing import Tuple


def parse(cursor: str) -> Tuple[str, int]:
    """The epoch of the database, and the number of the event."""
    epoch, _, number = cursor.rpartition(".")
    return epoch, int(number)


def is_after(cursor: str, other: str) -> bool:
    """Whether the event at ``cursor`` comes after the one at ``other``. Another database's do not compare: it does."""
    epoch, number = parse(cursor)
    other_epoch, other_number = parse(other)
    return epoch != other_epoch or number > other_number


def follows(cursor: str, other: str) -> bool:
    """Whether no event is between the two."""
    epoch, number = parse(cursor)
    return (epoch, number - 1) == parse(other)
