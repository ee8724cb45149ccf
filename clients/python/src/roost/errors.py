"""What the package raises."""

from __future__ import annotations

import json
from typing import Any, Dict


class RoostError(Exception):
    """The server has refused something, or cannot be reached (then ``status`` is 0 and ``code`` is ``UNREACHABLE``).

    ``status`` is that of the answer, or a close code of the socket. Decide by ``code``: ``message`` is for people.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    @property
    def temporary(self) -> bool:
        """The same request may succeed later."""
        return self.status in (0, 502, 503, 504)


class SignedOut(RoostError):
    """The session has ended, or the token is refused and there is no way to a new one."""


def error_of(status: int, body: bytes) -> RoostError:
    """The error in an answer of any of the five APIs."""
    try:
        answer: Dict[str, Any] = dict(json.loads(body))
    except (TypeError, ValueError):
        answer = {}
    inner = answer.get("error")
    error: Dict[str, Any] = inner if isinstance(inner, dict) else {}
    code = answer.get("error_code") or error.get("code") or f"HTTP_{status}"
    message = error.get("message") or answer.get("message") or answer.get("detail") or f"status {status}"
    return RoostError(status, str(code), str(message))
