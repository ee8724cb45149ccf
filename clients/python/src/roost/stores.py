"""Where a cursor or a session is kept between two runs of a program."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional, Protocol, Union


class Store(Protocol):
    """Keeps one text. Any object with these two methods will do."""

    def load(self) -> Optional[str]: ...

    def save(self, text: str) -> None: ...


class MemoryStore:
    """Forgets when the program ends."""

    def __init__(self, text: Optional[str] = None) -> None:
        self._text = text

    def load(self) -> Optional[str]:
        return self._text

    def save(self, text: str) -> None:
        self._text = text


class FileStore:
    """A file that only its owner can read. It holds the old text or the new one, also after a crash."""

    def __init__(self, path: Union[str, Path]) -> None:
        self._path = Path(path)

    def load(self) -> Optional[str]:
        try:
            return self._path.read_text("utf-8") or None
        except FileNotFoundError:
            return None

    def save(self, text: str) -> None:
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(new, self._path)
