"""Framing: which pages may show ours in a frame of theirs (CSP `frame-ancestors`), by the installation's setting.

Our own origin by default: a page of somebody else that frames ours could lay its own buttons over it (clickjacking),
and a page of the same origin could do all that ours does anyway.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

KEYWORDS = ("self", "none")
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?|https?://\[[0-9a-f:.]+\](:\d{1,5})?")


def check_ancestor(ancestor: str, all_of_them: Sequence[str]) -> str:
    """One entry of the setting as it is kept. Raises ValueError with the reason where it is none."""
    plain = ancestor.strip("'").lower()
    if plain in KEYWORDS:
        if plain == "none" and len(all_of_them) > 1:
            raise ValueError("'none' allows nobody, so it stands alone")
        return plain
    if plain == "*":
        raise ValueError("'*' would let every page frame ours; name the origins")
    if not _ORIGIN.fullmatch(plain):
        raise ValueError(f"{ancestor!r} is no origin")
    return plain


def directive(ancestors: Sequence[str]) -> str:
    """The rule as the browser reads it."""
    return "frame-ancestors " + " ".join(f"'{one}'" if one in KEYWORDS else one for one in ancestors)
