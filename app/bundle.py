"""Bundle: the browser's modules in one file, as some sixty of them cost a warm visit 0.15 s to take from its cache.

Each module keeps its address and its names there: `nodes.mjs` becomes a line that takes them out of the bundle, so that
a team's painter which imports it has the page's own instance. A module is run when it is first asked for, as before.

It knows the few forms that `assets/live` is written in and refuses any other; what more a bundler does, a team's own
machine would need Node for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

BUNDLE = "bundle.mjs"
_IMPORT = re.compile(r"^import \{([^}]*)\} from '\./([\w-]+\.mjs)';", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) ([\w$]+)\b(?!,))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_TAKE = "const made = {};\nexport const take = (name) => made[name] ??= parts[name]();\n"


def bundled(modules: Mapping[str, str]) -> dict[str, str]:
    """The bundle, and for each module, by its name, what takes its names out of it.

    Raises ValueError for a form of import or export that is not known here, a name that the imported module does not
    have, and modules that import one another in a circle.
    """
    names = {name: tuple(_EXPORT.findall(text)) for name, text in modules.items()}
    for name, text in modules.items():
        _require_known(name, text, names)
    _require_order(modules)
    parts = ",\n".join(f"'{name}'() {{\n{_part(text, names[name])}}}" for name, text in modules.items())
    faces = {name: _face(name, names[name]) for name in modules}
    return faces | {BUNDLE: f"{_TAKE}const parts = {{\n{parts}\n}};\n"}


def _part(text: str, exported: tuple[str, ...]) -> str:
    inner = _EXPORT.sub("", _IMPORT.sub(_taken, text))
    return f"{inner}\nreturn {{ {', '.join(exported)} }};\n"


def _taken(found: re.Match[str]) -> str:
    wanted = ", ".join(": ".join(pair) for pair in _pairs(found[1]))
    return f"const {{ {wanted} }} = take('{found[2]}');"


def _pairs(listed: str) -> list[list[str]]:
    """`a, b as c` as [[a], [b, c]]."""
    return [one.split(" as ") for part in listed.split(",") if (one := " ".join(part.split()))]


def _face(name: str, exported: tuple[str, ...]) -> str:
    names = f"export const {{ {', '.join(exported)} }} = " if exported else ""
    return f"import {{ take }} from './{BUNDLE}';\n{names}take('{name}');\n"


def _require_known(name: str, text: str, names: Mapping[str, tuple[str, ...]]) -> None:
    for listed, source in _IMPORT.findall(text):
        for wanted, *_ in _pairs(listed):
            if wanted not in names.get(source, ()):
                raise ValueError(f"assets/live/{name}: {source} exports no {wanted}; export it there or import another")
    if other := _OTHER.search(_EXPORT.sub("", _IMPORT.sub("", text))):
        remedy = "write import { a, b as c } from './x.mjs'; and export before one function, class or const"
        raise ValueError(f"assets/live/{name}: {other[0]!r} is not known to the bundle; {remedy}")


def _require_order(modules: Mapping[str, str]) -> None:
    imports = {name: {source for _, source in _IMPORT.findall(text)} for name, text in modules.items()}
    while imports:
        ready = [name for name, wanted in imports.items() if not wanted & imports.keys()]
        if not ready:
            raise ValueError(f"assets/live: {', '.join(sorted(imports))} import one another in a circle; break it")
        for name in ready:
            del imports[name]
