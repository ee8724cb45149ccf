"""How long to wait before the next try."""

from __future__ import annotations

import random


class Backoff:
    """Full jitter: a random part of a limit that doubles with each try, so that clients do not come back all at once."""

    def __init__(self, first: float = 0.5, most: float = 30.0) -> None:
        self._first = first
        self._most = most
        self._tries = 0

    def next(self) -> float:
        """Seconds."""
        limit = min(self._most, self._first * 2 ** min(self._tries, 20))
        self._tries += 1
        return random.uniform(0, limit)

    def reset(self) -> None:
        self._tries = 0
