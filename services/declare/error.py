"""A wrong declaration, told so that it can be mended: file, name, value and remedy."""

from __future__ import annotations

import sys


class DeclarationError(ValueError):
    """A feed, channel or page is declared wrongly; says where, what, which value and the remedy."""

    def __init__(self, where: str, name: str, value: object, remedy: str) -> None:
        super().__init__(f"{where}: {name}: {value!r}: {remedy}")
        self.where, self.name, self.value, self.remedy = where, name, value, remedy


def _file_of(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) or cls.__module__


def refuse(cls: type, name: str, value: object, remedy: str) -> DeclarationError:
    """The error of a declared class; `name` is the keyword or attribute that is wrong."""
    return DeclarationError(_file_of(cls), f"{cls.__name__}.{name}" if name else cls.__name__, value, remedy)


def raised(error: DeclarationError) -> None:
    """What is done with a wrong declaration where nothing else is said: it is refused."""
    raise error
