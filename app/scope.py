"""Scope: what the project declares for its contract: pages and roles as entries beside those of feeds and document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from app.loading import DEMO, Project, load_contract, load_declarations, load_pages, load_roles
from components.block import Block
from components.page import Page
from services.accounts.roles import Role
from services.contract.document import Contract
from services.contract.quote import Counted
from services.contract.scope import Named
from services.contract.shape import read_shape
from services.contract.statement import Statement, kind_of, of_declarations, of_file, under
from services.declare import Channel, ChannelRef, Column, is_of_clients

_FROM_ELSEWHERE = ("declared_at", "choose", "ref", "trend_ref", "facts")
"""Fields of a block that its page or its key says."""
_TREND = ("channel", "series")


def load_statement(project: Project = DEMO) -> tuple[Contract, Statement]:
    """The contract with all that is declared. Raises ContractError, DeclarationError and RolesError."""
    declarations = load_declarations(project)
    contract = load_contract(declarations, project)
    assert contract is not None, "a project without contract.toml has no scope"
    named = contract.scope.named
    return contract, {
        **of_file(read_shape(contract.path)[0]),
        **of_declarations(declarations, named),
        **of_pages(load_pages(declarations, project), named),
        **of_roles(load_roles(declarations, project).known.values(), named),
    }


def counted(statement: Statement) -> Counted:
    """How much is in scope, for the quote."""
    kinds = [kind_of(key) for key in statement]
    return Counted(*(kinds.count(kind) for kind in ("feed", "channel", "page", "role")))


def of_pages(pages: Iterable[Page], named: Named) -> Statement:
    """The pages in scope with what each shows; how the contract stands is no page of the client's."""
    found: Statement = {}
    for page in pages:
        ours = all(not is_of_clients(ref.channel.name) for ref in page.refs) and page.refs
        if ours or (named.pages is not None and page.path not in named.pages):
            continue
        key = under("", "page", page.path)
        chosen = None if page.choose is None else page.choose.name
        retired = None if page.retired is None else page.retired.in_words()
        said = {
            "title": page.title, "about": page.about or None, "order": page.order, "choose": chosen, "retired": retired,
        }
        found[key] = {name: value for name, value in said.items() if value is not None}
        seen: dict[str, int] = {}
        for block in page.blocks:
            name = f"of {block.ref.name}"
            number = seen[block.kind + name] = seen.get(block.kind + name, 0) + 1
            found[under(key, block.kind, f"{name}, {number}")] = _block(block)
    return found


def _block(block: Block) -> dict[str, Any]:
    """What its page said of it; what it has from its channel or column is said there."""
    said = {one.name: in_json(getattr(block, one.name)) for one in fields(block) if one.name not in _FROM_ELSEWHERE}
    if said.get("trend") is not None:
        said["trend"] = {name: said["trend"][name] for name in _TREND}  # the rest is its channel's
    return {name: value for name, value in said.items() if value is not None and not _derived(block, name, value)}


def _derived(block: Block, name: str, value: Any) -> bool:
    columns = [one for each in fields(block) for one in _columns(getattr(block, each.name))]
    keep = block.ref.channel.keep
    inherited: dict[str, list[Any]] = {
        "title": [block.ref.channel.title, *(one.label for one in columns)],
        "unit": [one.unit for one in columns],
        "decimals": [one.decimals for one in columns],
        "span_ms": [keep.span_ms],
        "entries_max": [keep.entries_max],
        "columns": [list(block.ref.channel.columns())],
    }
    return value in inherited.get(name, [])


def _columns(value: Any) -> list[Column]:
    return [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Column)]


def in_json(value: Any) -> Any:
    """A declared value as JSON: columns and channels by name, rules by their fields."""
    if isinstance(value, Column):
        return value.name
    if isinstance(value, ChannelRef):
        return value.name
    if isinstance(value, type) and issubclass(value, Channel):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: in_json(getattr(value, one.name)) for one in fields(value) if one.name != "declared_at"}
    if isinstance(value, tuple | list):
        return [in_json(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): in_json(one) for name, one in value.items()}
    return value if value is None or isinstance(value, str | int | float | bool) else type(value).__name__


def of_roles(roles: Iterable[Role], named: Named) -> Statement:
    """The roles in scope; `admin` only where it is named, as it is in every project."""
    return {
        under("", "role", role.name): {
            "channels": list(role.grant.channels), "actions": sorted(role.grant.actions), "claims": list(role.claims)
        }
        for role in roles
        if (role.name != "admin" if named.roles is None else role.name in named.roles)
    }
