"""Reached: the sources at an address: its secrets come from the environment, and stand in no text."""

from __future__ import annotations

from urllib.parse import urlsplit

from services.sources.secret import Secrets, named_in, password_problem
from services.sources.source import Source


class Reached(Source):
    """A source at an `address`, in which `env:NAME` stands for a variable of the environment."""

    address: str
    schemes: tuple[str, ...] = ()
    """With which an address may begin; any where there are none."""

    def __init__(self) -> None:
        self._secrets = Secrets()

    @property
    def variables(self) -> tuple[str, ...]:
        own = [value for name, value in vars(self).items() if not name.startswith("_") and name != "title"]
        return tuple(named_in(own))

    def filled(self, text: str) -> str:
        """A text of the declaration with its secrets. Raises SourceTrouble where one is not set."""
        return self._secrets.filled(text)

    def hidden(self, text: str) -> str:
        return self._secrets.hidden(text)

    def problem(self) -> tuple[str, object, str] | None:
        if not self.address:
            return "source.address", self.address, "give an address, or env:NAME for one in the environment"
        if self.address.startswith("env:"):
            return None
        scheme = urlsplit(self.address).scheme
        if self.schemes and scheme not in self.schemes:
            return "source.address", self.address, f"begin it with {' or '.join(f'{one}://' for one in self.schemes)}"
        if remedy := password_problem(self.address):
            return "source.address", "(hidden)", remedy
        return None
