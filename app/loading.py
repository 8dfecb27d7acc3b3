"""Loading: imports the feed and page files of the project and checks what they declare together."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import app.pages
import services.declare.probe
import services.feeds
from app.faults import Faults, fault_of, pages_in
from app.settings import Settings
from services.contract.alerting import ThresholdRule
from services.contract.document import Contract
from services.contract.faults import ContractError
from services.contract.reading import read_contract
from services.declare import Alert, DeclarationError, Declarations

if TYPE_CHECKING:  # pages bring Dash, which the worker must never load
    from components.page import Page
    from services.accounts.roles import Roles


@dataclass(frozen=True, slots=True)
class Project:
    """Whose feeds and pages are served: two packages, one file in them for each feed and each page; a third of alerts.

    `contract` is the project's `contract.toml`, None where it promises nothing; `roles` its `roles.toml`, None where
    there is the role `admin` alone. `folder` is the team's own, None for a project that is part of Headwater; it is
    given the feed and the page on operations, which the others have among theirs. `faults` takes what is wrong in the
    files in development, where a wrong one is left out; without it a wrong file is refused.
    """

    feeds: ModuleType
    pages: ModuleType
    contract: Path | None = None
    roles: Path | None = None
    folder: Path | None = None
    alerts: ModuleType | None = None
    faults: Faults | None = None

    @classmethod
    def at(cls, folder: Path) -> Project:
        """The project in a team's own folder: `feeds/`, `pages/` and whatever else is theirs.

        It is a package of a private name, and its folder is not on `sys.path`: a package of theirs that is called
        like one of ours, `services` say, is in nobody's way. Its files import each other relatively.
        """
        folder = folder.resolve()
        name = f"_project_{zlib.crc32(str(folder).encode()):08x}"
        _package(name, folder)
        feeds, pages, alerts = (_package(f"{name}.{part}", folder / part) for part in ("feeds", "pages", "alerts"))
        contract, roles = (path if (path := folder / file).exists() else None for file in (CONTRACT, ROLES))
        return cls(feeds, pages, contract, roles, folder, alerts)

    @property
    def painters(self) -> Path:
        """The folder of its own painters, beside its pages; it need not exist."""
        return Path(self.pages.__path__[0]).with_name("painters")

    @property
    def assets(self) -> Path | None:
        """The folder of its own style sheets, scripts and pictures; None for a project that has none of its own."""
        return None if self.folder is None else found if (found := self.folder / "assets").is_dir() else None

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """Where its files lie: the team's folder, or those of feeds and pages beside Headwater's own."""
        if self.folder is not None:
            return (self.folder,)
        return tuple(Path(package.__path__[0]) for package in (self.feeds, self.pages))

    def refused(self, error: DeclarationError, file: Path | None = None) -> None:
        """Raise it, or note it where a wrong file is left out."""
        if self.faults is None:
            raise error
        self.faults.add(error, file)

    @property
    def _built_in_feeds(self) -> list[str]:
        return [*([_OPERATIONS_FEED] if self.folder is not None else []), *([_CONTRACT_FEED] if self.contract else [])]

    @property
    def _built_in_pages(self) -> list[str]:
        return [*([_OPERATIONS_PAGE] if self.folder is not None else []), *([_CONTRACT_PAGE] if self.contract else [])]


def _package(name: str, folder: Path) -> ModuleType:
    """A package of that folder, made without looking for it; its `__init__.py`, if there is one, is not run."""
    if name not in sys.modules:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[name] = module_from_spec(spec)
    return sys.modules[name]


CONTRACT, ROLES = "contract.toml", "roles.toml"
_CONTRACT_FEED, _CONTRACT_PAGE = "services.feeds.contract", "app.pages.sla"
_OPERATIONS_FEED, _OPERATIONS_PAGE = "services.feeds.operations", "app.pages.operations"
_ROOT = Path(app.__file__).parents[1]


def _of_demo(name: str) -> Path | None:
    return path if (path := _ROOT / name).exists() else None


DEMO = Project(services.feeds, app.pages, _of_demo(CONTRACT), _of_demo(ROLES))


def project_of(settings: Settings) -> Project:
    """The project that the environment names, else the demo."""
    return DEMO if settings.project is None else Project.at(settings.project)


def forgiving(project: Project) -> Project:
    """The project, of which a wrong file is left out and noted in its `faults`, instead of ending what reads it."""
    return replace(project, faults=Faults(project.folder or _ROOT))


def in_development(project: Project) -> Project:
    """The project with what of it can be used: what is wrong is in its `faults`, and is left out.

    A contract that cannot be read promises nothing, and roles that cannot be read allow nobody but `admin` anything.
    """
    project = forgiving(project)
    declarations = load_declarations(project)
    if not _can_be_read(project, lambda: load_contract(declarations, project)):
        project = replace(project, contract=None, alerts=None)
    if not _can_be_read(project, lambda: load_roles(declarations, project)):
        project = replace(project, roles=None)
    return project


def _can_be_read(project: Project, read: Callable[[], object]) -> bool:
    from services.accounts.roles import RolesError

    try:
        read()
    except (ContractError, RolesError) as error:
        if project.faults is not None:
            project.faults.add(error)
        return False
    return True


def load_declarations(project: Project = DEMO) -> Declarations:
    """What the project's feed files declare. Raises DeclarationError."""
    modules = _modules_of(project, project.feeds, project._built_in_feeds)
    return Declarations.read([*modules, services.declare.probe], project.refused)


def load_pages(declarations: Declarations, project: Project = DEMO) -> tuple[Page, ...]:
    """What the project's page files declare, in the navigation's order. Raises DeclarationError."""
    from components.page import in_order, read_pages

    pages = read_pages(_modules_of(project, project.pages, project._built_in_pages), project.refused)
    if project.folder is not None and project.contract is None:
        pages = tuple(map(_without_contract, pages))
    painters = {path.stem for path in project.painters.glob("*.mjs")}
    paths = {page.path for page in pages if page.retired is None}
    kept = [page for page in pages if _holds(page, declarations, painters, project) and _leads_on(page, paths, project)]
    return tuple(in_order([*kept, *_left_out(project, {page.path for page in kept})]))


def _holds(page: Page, declarations: Declarations, painters: set[str], project: Project) -> bool:
    try:
        page.check(declarations, painters)
    except DeclarationError as error:
        project.refused(error, Path(page.declared_at.rpartition(":")[0]))
        return False
    return True


def _leads_on(page: Page, paths: set[str], project: Project) -> bool:
    """Whether a retired page leads to one that is there."""
    if page.retired is None or page.retired.successor in {"", *paths}:
        return True
    remedy = f"no page has this path: name one of {', '.join(sorted(paths))}"
    what = f"page({page.title!r}).retired"
    project.refused(DeclarationError(page.declared_at, what, page.retired.successor, remedy))
    return False


def _left_out(project: Project, taken: set[str]) -> Iterator[Page]:
    """In the place of each page that a left out file would declare, one that says what is wrong."""
    from components.fault import fault_box
    from components.page import Page

    folder, faults = Path(project.pages.__path__[0]), project.faults
    for file, fault in () if faults is None else faults.left_out.items():
        for title, path in pages_in(file) if file.parent == folder else ():
            if faults is not None and path not in taken:
                taken.add(path)
                yield Page(title, path, (fault_box(faults.short(fault)),), "", 50, f"{file}:1", None)


def _without_contract(page: Page) -> Page:
    """The page of operations shows incidents too: where nothing is promised, there are none."""
    from services.feeds.contract import Standing

    left = page.seen_by(lambda block: "" if block.ref.channel.feed is Standing.declaration else "whole")
    return page if left is None else left


def load_contract(declarations: Declarations, project: Project = DEMO) -> Contract | None:
    """What the project promises, with the alerts that its files declare; None where it promises nothing.

    Raises ContractError, or DeclarationError for an alert.
    """
    if project.contract is None:
        load_alerts(declarations, project)
        return None
    contract = read_contract(project.contract, declarations)
    known = {one.name for one in contract.alerting.threshold}
    rules = tuple(map(ThresholdRule.of, load_alerts(declarations, project, known)))
    alerting = replace(contract.alerting, threshold=(*contract.alerting.threshold, *rules))
    return replace(contract, alerting=alerting) if rules else contract


def load_alerts(declarations: Declarations, project: Project, known: Collection[str] = ()) -> list[Alert]:
    """What the project's alert files declare; `known` are names that others have. Raises DeclarationError."""
    if project.alerts is None:
        return []
    kept: list[Alert] = []
    for module in _modules_of(project, project.alerts, ()):
        for one in (found for found in vars(module).values() if isinstance(found, Alert)):
            what, remedy = f"alert {one.name!r}", ""
            if project.contract is None:
                remedy = "sinks of contract.toml tell of it, and there is none: run `headwater contract new`"
            elif declarations.channels.get(one.channel.name) is not one.channel:
                remedy = "declare its channel in a feed file that is loaded"
            elif one.name in {*known, *(other.name for other in kept)}:
                remedy = "another alert has this name; give one by name="
            if remedy:
                project.refused(DeclarationError(one.declared_at, what, one.channel.name, remedy))
            elif one not in kept:
                kept.append(one)
    return kept


def load_roles(declarations: Declarations, project: Project = DEMO) -> Roles:
    """What the project's roles may do. Raises RolesError."""
    from services.accounts.roles import read_roles

    return read_roles(project.roles, declarations)


def _modules_of(project: Project, package: ModuleType, built_in: Iterable[str]) -> list[ModuleType]:
    """The package's modules, and those that every such project has."""
    names = {f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__)}
    loaded = (_import(project, package, name) for name in sorted(names.union(built_in)))
    return [module for module in loaded if module is not None]


def _import(project: Project, package: ModuleType, name: str) -> ModuleType | None:
    """Import a file that a team wrote, None where it is left out.

    Raises DeclarationError with the place of whatever it raised.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:
        fault = fault_of(error, project.own_folders)
        if project.faults is None:
            raise fault from error
        project.faults.add(fault, Path(package.__path__[0]) / f"{name.rpartition('.')[2]}.py")
        return None
