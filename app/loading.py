"""Loading: imports the feed and page files of the project and checks what they declare together."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import app.pages
import services.declare.probe
import services.feeds
from services.contract.document import Contract
from services.contract.reading import read_contract
from services.declare import DeclarationError, Declarations

if TYPE_CHECKING:  # pages bring Dash, which the worker must never load
    from components.page import Page
    from services.accounts.roles import Roles


@dataclass(frozen=True, slots=True)
class Project:
    """Whose feeds and pages are served: two packages, one file in them for each feed and each page.

    `contract` is the project's `contract.toml`, None where it promises nothing; `roles` its `roles.toml`, None where
    there is the role `admin` alone.
    """

    feeds: ModuleType
    pages: ModuleType
    contract: Path | None = None
    roles: Path | None = None

    @property
    def painters(self) -> Path:
        """The folder of its own painters, beside its pages; it need not exist."""
        return Path(self.pages.__path__[0]).with_name("painters")


_CONTRACT_FEED, _CONTRACT_PAGE = "services.feeds.contract", "app.pages.sla"
_ROOT = Path(app.__file__).parents[1]


def _of_demo(name: str) -> Path | None:
    return path if (path := _ROOT / name).exists() else None


DEMO = Project(services.feeds, app.pages, _of_demo("contract.toml"), _of_demo("roles.toml"))


def load_declarations(project: Project = DEMO) -> Declarations:
    """What the project's feed files declare. Raises DeclarationError."""
    of_contract = _CONTRACT_FEED if project.contract else None
    return Declarations.read([*_modules_of(project.feeds, of_contract), services.declare.probe])


def load_pages(declarations: Declarations, project: Project = DEMO) -> tuple[Page, ...]:
    """What the project's page files declare, in the navigation's order. Raises DeclarationError."""
    from components.page import read_pages

    pages = read_pages(_modules_of(project.pages, _CONTRACT_PAGE if project.contract else None))
    painters = {path.stem for path in project.painters.glob("*.mjs")}
    for page in pages:
        page.check(declarations, painters)
    return pages


def load_contract(declarations: Declarations, project: Project = DEMO) -> Contract | None:
    """What the project promises, None where it promises nothing. Raises ContractError."""
    return None if project.contract is None else read_contract(project.contract, declarations)


def load_roles(declarations: Declarations, project: Project = DEMO) -> Roles:
    """What the project's roles may do. Raises RolesError."""
    from services.accounts.roles import read_roles

    return read_roles(project.roles, declarations)


def _modules_of(package: ModuleType, built_in: str | None) -> list[ModuleType]:
    """The package's modules, and the one that comes with a contract."""
    names = {f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__)}
    return [_import(name) for name in sorted(names | ({built_in} if built_in else set()))]


def _import(name: str) -> ModuleType:
    """Import a file that a team wrote. Raises DeclarationError with the place of whatever it raised."""
    try:
        return importlib.import_module(name)
    except DeclarationError:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        remedy = f"{error}; correct the line, or remove the file"
        raise DeclarationError(f"{place.filename}:{place.lineno}", name, type(error).__name__, remedy) from error
