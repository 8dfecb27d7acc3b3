"""Folder: writes the handover with an index of hashes, and holds one that was written against its deliverables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.contract.document import Contract
from services.contract.markdown import NO_ADVICE, table, text
from services.contract.scope import Deliverable

INDEX = "index.json"
Files = Mapping[str, bytes]
"""What is handed over, by path within the folder."""


class MissingDeliverables(ValueError):
    """Deliverables of the contract that nothing writes; the text names each."""


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a deliverable is there as the index says, and what is wrong where not."""

    deliverable: Deliverable
    fault: str

    @property
    def said(self) -> str:
        return self.fault or f"{self.deliverable.file} is there, as its hash in the index says"


def parts_of(deliverable: Deliverable, files: Mapping[str, object]) -> list[str]:
    """The files of a deliverable: the one of its name, or all of the folder of its name."""
    wanted = PurePosixPath(deliverable.file)
    return [one for one in files if PurePosixPath(one) == wanted or wanted in PurePosixPath(one).parents]


def whole(contract: Contract, files: Files, made_at: str, version: str) -> dict[str, bytes]:
    """The files with their index. Raises MissingDeliverables."""
    promised = [one for one in contract.scope.deliverables if one.file]
    lacking = [one for one in promised if not parts_of(one, files)]
    if lacking:
        said = ", ".join(f"{one.name} ({one.file})" for one in lacking)
        raise MissingDeliverables(f"nothing writes {said}; put each into the project's folder handover/ under its name")
    of = {part: one.name for one in promised for part in parts_of(one, files)}
    entries = [
        {"file": name, "sha256": _hash(content), "bytes": len(content), "deliverable": of.get(name)}
        for name, content in sorted(files.items())
    ]
    told = {"contract": contract.name, "version": version, "made_at": made_at, "files": entries}
    index = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    return {
        **files, INDEX: index.encode(), "index.md": _index(contract, entries, made_at, version).encode(),
    }  # fmt: skip


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _index(contract: Contract, entries: Sequence[Mapping[str, object]], made_at: str, version: str) -> str:
    heads = ("file", "deliverable", "bytes", "SHA-256")
    rows = [
        (f"`{one['file']}`", str(one["deliverable"] or ""), f"{one['bytes']:,}", str(one["sha256"]))
        for one in entries
    ]
    return text([
        f"# {contract.name}: handover", "", (f"Made {made_at}. {version} From {contract.provider.name} to "
        f"{contract.client.name}. `matrix.md` says how each clause is proven."), "", *table(heads, rows), "",
        f"The same is in `{INDEX}`, for programs. {NO_ADVICE}",
    ])  # fmt: skip


def write(folder: Path, files: Files) -> None:
    """Raises FileExistsError for a folder that holds anything, and OSError."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def held(contract: Contract, folder: Path | None) -> Iterator[Held]:
    """Each deliverable that is a file, held against the handover in the folder; None is no handover at all."""
    promised = [one for one in contract.scope.deliverables if one.file]
    try:
        index = {} if folder is None else _read(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield from (Held(one, f"{folder}: no handover: {error}; headwater handover writes one") for one in promised)
        return
    for one in promised:
        yield Held(one, _fault(one, folder, index))


def _read(folder: Path) -> dict[str, str]:
    raw = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return {str(one["file"]): str(one["sha256"]) for one in raw["files"]}


def _fault(one: Deliverable, folder: Path | None, index: Mapping[str, str]) -> str:
    if folder is None:
        return "no handover was given; headwater handover writes one"
    parts = parts_of(one, index)
    if not parts:
        return f"{one.file} is missing from the handover"
    for part in parts:
        path = folder / part
        if not path.is_file():
            return f"{part} is missing from the handover"
        if _hash(path.read_bytes()) != index[part]:
            return f"{part} is another than its hash in the index says"
    return ""
