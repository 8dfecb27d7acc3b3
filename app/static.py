"""Static files: everything that a browser loads once, compressed once in a process and cached for a year.

Dash serves its bundles (Plotly's is 4.6 MB) uncompressed, and a compressing middleware does it anew for each
request. Here the first request pays a quarter of a second for it, and all later ones send those bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path

import brotli
from flask import Flask, Response, abort, request

from app.bundle import BUNDLE, bundled
from components.asset import ASSETS_PATH

MODULES_ROUTE = "/live/modules/"
ENTRIES = ("main.mjs", "early.mjs")
"""The modules that the document and its loader ask for; all others are imported by these."""
_PAINTERS, _ASSETS = "painters/", "assets/"
_YEAR_S = 31_536_000
_SMALL_BYTES = 500
_BROTLI_QUALITY = 5  # Plotly: 1.29 MB in 0.25 s, once; 9 takes 1.9 s for 4 % less
_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=_BROTLI_QUALITY)),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
_COMPRESSIBLE = frozenset(
    {"text/javascript", "application/javascript", "text/css", "application/json", "image/svg+xml", "text/html"}
)


class CompressedOnce:
    """Compressed bodies of static answers, by path, content and encoding. Safe to use from several threads."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self._prefixes = prefixes
        self._bodies: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._lock = threading.Lock()

    def __call__(self, answer: Response) -> Response:
        """After each request: cache headers for what has a fingerprint, and the compressed body."""
        if not request.path.startswith(self._prefixes) or answer.status_code != 200:
            return answer
        if "m" in request.args or answer.cache_control.max_age == _YEAR_S:
            _keep_for_a_year(answer)  # Dash put a fingerprint or the time of modification into the address
        encoding = _chosen_encoding()
        if request.method != "GET" or encoding is None or answer.mimetype not in _COMPRESSIBLE:
            return answer
        answer.direct_passthrough = False
        body = answer.get_data()
        if len(body) >= _SMALL_BYTES:
            answer.set_data(self._compressed(body, encoding))
            answer.headers["Content-Encoding"] = encoding
            answer.vary.add("Accept-Encoding")
        return answer

    def _compressed(self, body: bytes, encoding: str) -> bytes:
        key, digest = (request.path, encoding), hashlib.sha256(body).digest()
        with self._lock:  # one compresses, the others wait for it rather than do the same
            known = self._bodies.get(key)
            if known is None or known[0] != digest:
                known = self._bodies[key] = (digest, _COMPRESSORS[encoding](body))
            return known[1]


def _chosen_encoding() -> str | None:
    return next((name for name in _COMPRESSORS if request.accept_encodings[name] > 0), None)


def _keep_for_a_year(answer: Response) -> None:
    answer.cache_control.no_cache = None
    answer.cache_control.public = True
    answer.cache_control.immutable = True
    answer.cache_control.max_age = _YEAR_S


class Modules:
    """The browser's modules under a hash of their content, so that two releases never mix.

    Those of a team's painters are among them, in a folder `painters`, each with a style sheet of its name if it needs
    one: `painters/gauge.mjs` imports `../nodes.mjs` of this very release. `release` stands for what else makes it
    another one.
    """

    def __init__(
        self, folder: Path, painters: Path | None = None, assets: Path | None = None, release: bytes = b""
    ) -> None:
        modules = bundled({path.name: path.read_text() for path in sorted(folder.glob("*.mjs"))})
        self._files = {name: text.encode() for name, text in modules.items()}
        own = [] if painters is None else sorted([*painters.glob("*.mjs"), *painters.glob("*.css")])
        self._files |= {f"{_PAINTERS}{path.name}": path.read_bytes() for path in own}
        if assets is not None:
            found = (path for path in sorted(assets.rglob("*")) if path.is_file())
            self._files |= {f"{_ASSETS}{path.relative_to(assets).as_posix()}": path.read_bytes() for path in found}
        digest = hashlib.sha256(release + b"".join(name.encode() + body for name, body in self._files.items()))
        self._hash = digest.hexdigest()[:16]

    @property
    def prefix(self) -> str:
        """The path under which the modules of this release are served."""
        return f"{MODULES_ROUTE}{self._hash}/"

    @property
    def paths(self) -> tuple[str, ...]:
        """What a page begins with, to be fetched at once instead of one import after another."""
        begin = (BUNDLE, *ENTRIES)
        own = [f"{self.prefix}{name}" for name in begin if name in self._files]
        return (*own, *self._named(".mjs", _PAINTERS), *self._named(".mjs", _ASSETS))

    @property
    def painters(self) -> tuple[str, ...]:
        """The modules of a team's painters, which the page loads when it can paint."""
        return self._named(".mjs", _PAINTERS)

    @property
    def styles(self) -> tuple[str, ...]:
        """The style sheets of a team's painters, and those among its assets."""
        return self._named(".css")

    @property
    def scripts(self) -> tuple[str, ...]:
        """The classic scripts among a team's assets."""
        return self._named(".js", _ASSETS)

    def _named(self, ending: str, beginning: str = "") -> tuple[str, ...]:
        return tuple(f"{self.prefix}{name}" for name in self._files
                     if name.startswith(beginning) and name.endswith(ending))

    def serve(self, release: str, name: str) -> Response:
        """One module; unknown where the hash is another release's."""
        if release != self._hash or name not in self._files:
            abort(404)
        answer = self._answer(name)
        _keep_for_a_year(answer)
        return answer

    def _answer(self, name: str) -> Response:
        guessed = "text/javascript" if name.endswith((".mjs", ".js")) else guess_type(name)[0]
        return Response(self._files[name], mimetype=guessed or "application/octet-stream")


    def serve_asset(self, name: str) -> Response:
        """A file of a team's own by its name alone, for pages that name it (`asset()`)."""
        if f"{_ASSETS}{name}" not in self._files:
            abort(404)
        return self._answer(f"{_ASSETS}{name}")  # kept as long as its address says which content it is, see below


def serve_static(server: Flask, modules: Modules, dash_prefixes: tuple[str, ...]) -> None:
    """Add the modules' route, and compression for it and for Dash's own static routes."""
    server.add_url_rule(f"{MODULES_ROUTE}<release>/<path:name>", "modules", modules.serve)
    server.add_url_rule(f"{ASSETS_PATH}<path:name>", "project-assets", modules.serve_asset)
    server.after_request(CompressedOnce((MODULES_ROUTE, *dash_prefixes)))
