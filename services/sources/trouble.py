"""Trouble: why a source gives no records, as its viewers are to read it."""

from __future__ import annotations

from typing import Literal

Cause = Literal["source_error", "source_silent", "source_late"]


class SourceTrouble(Exception):
    """A source cannot go on: the text is its last answer (`401 Unauthorized`), and quotes no record.

    `cause`: it answers with an error, not at all, or with what is old. `again_s`: run again after so long; by the
    runner's own backoff where it is left out.
    """

    def __init__(self, text: str, *, cause: Cause = "source_error", again_s: float | None = None) -> None:
        super().__init__(text)
        self.cause: Cause = cause
        self.again_s = again_s


def said_by_system(error: BaseException, otherwise: str = "") -> str:
    """What the system said of a failed connection (`Connection refused`), below what libraries made of it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return otherwise or type(error).__name__
