"""Callback: what a page's own Dash components do on the server, with the channels as they are on the screen."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash.dependencies import Input, Output, State

from components.block import ChannelLike, ref_of, refuse, where_declared
from services.declare import ChannelRef

Dependency = Output | Input | State


@dataclass(frozen=True, slots=True)
class PageCallback:
    """A callback of a page; made by `@callback(...)`. It can be called as the function that it is, in a test say."""

    function: Callable[..., Any]
    dependencies: tuple[Dependency, ...]
    shown: tuple[ChannelRef, ...]
    prevent_initial_call: bool
    declared_at: str

    def __call__(self, *given: Any) -> Any:
        return self.function(*given)

    @property
    def what(self) -> str:
        """What it is called in a refusal."""
        return f"callback {getattr(self.function, '__name__', 'function')}()"

    @property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(one for one in self.dependencies if isinstance(one, Output))


def callback(
    *dependencies: Dependency, shown: ChannelLike | Sequence[ChannelLike] = (), prevent_initial_call: bool = False
) -> Callable[[Callable[..., Any]], PageCallback]:
    """Run a function on the server when one of its inputs changes, as `dash.callback` does, for who may see its page.

    After its inputs and states it is given a DataFrame for each channel of `shown`: at the position that is on the
    reader's screen, paused and past ones too. Who may not see one of these channels does not have this callback.
    Raises DeclarationError where it is declared wrongly.
    """
    where = where_declared()
    named = (shown,) if isinstance(shown, type | ChannelRef) else tuple(shown)

    def declare(function: Callable[..., Any]) -> PageCallback:
        made = PageCallback(
            function, dependencies, tuple(ref_of("callback", one) for one in named), prevent_initial_call, where
        )
        _check(made)
        return made

    return declare


def _check(made: PageCallback) -> None:
    for one in made.dependencies:
        if not isinstance(one, Dependency):
            refuse(made.what, one, "give Output(...), Input(...) and State(...) of dash")
    inputs = [one for one in made.dependencies if isinstance(one, Input | State)]
    if not made.outputs or not any(isinstance(one, Input) for one in inputs):
        refuse(made.what, made.dependencies, "give it an Output and an Input at least")
    given = len(inputs) + len(made.shown)
    try:
        inspect.signature(made.function).bind(*range(given))
    except TypeError:
        names = [*(f"{one.component_id}.{one.component_property}" for one in inputs), *(one.name for one in made.shown)]
        refuse(made.what, str(inspect.signature(made.function)), f"it is given {given}: {', '.join(names)}")
