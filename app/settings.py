"""Settings: what the environment tells us. Each carries its name, default, unit, meaning and remedy here.

The README's table is made from this file, and a bad value is answered with the name of its variable.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import DirectoryPath, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.addresses import bracketed, is_loopback, nodes_of, with_tls
from app.framing import check_ancestor
from services.accounts import IngestKeys
from services.declare import PROBE_FEED
from services.embedded import read_address


class SettingsError(ValueError):
    """The environment is wrong: names the variable, the value and the remedy, one line for each fault."""


def _setting(variable: str, default: Any, *, meaning: str, remedy: str, unit: str = "", **limits: Any) -> Any:
    return Field(
        default, validation_alias=variable, description=meaning,
        json_schema_extra={"unit": unit, "remedy": remedy}, **limits,
    )


class Settings(BaseSettings):
    """Everything that may differ between two installations; read once, at start, and never changed."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    host: str = _setting(
        "HOST", "127.0.0.1", meaning="address that the web server listens on",
        remedy="give a host name or an address, for example 127.0.0.1",
    )
    port: int = _setting(
        "PORT", 8050, meaning="port that the web server listens on", ge=1, le=65535,
        remedy="give a whole number from 1 to 65535",
    )
    redis_url: str = _setting(
        "REDIS_URL", "", repr=False, remedy="give redis://, rediss:// or unix://, or nodes of a cluster with commas",
        meaning="broker (Redis 7+ or Valkey 8+), or some nodes of a Redis Cluster joined by commas; without it"
        " `headwater up` starts an embedded one",
    )
    redis_tls_verify: Literal["full", "none"] = _setting(
        "REDIS_TLS_VERIFY", "full", remedy="give full or none",
        meaning="`none` takes any certificate of a `rediss://` broker, as some hosts sign theirs themselves; warned of",
    )
    redis_tls_ca: str = _setting(
        "REDIS_TLS_CA", "", remedy="give the path of a PEM file, or its text from -----BEGIN CERTIFICATE----- on",
        meaning="authority that signed the `rediss://` broker's certificate, a PEM file or its text; without it the"
        " system's own",
    )
    web_processes: int = _setting(
        "WEB_CONCURRENCY", 2, unit="processes", meaning="web processes; each holds 2 broker connections",
        ge=1, le=64, remedy="give a whole number from 1 to 64",
    )
    threads: int = _setting(
        "HEADWATER_THREADS", 8, unit="threads", ge=1, le=64, remedy="give a whole number from 1 to 64",
        meaning="threads for HTTP in each web process; a viewer takes none",
    )
    viewers_max: int = _setting(
        "HEADWATER_VIEWERS_MAX", 5_000, unit="viewers", ge=1, le=100_000, remedy="give a whole number from 1 to 100000",
        meaning="viewers that each web process holds; more are closed with 1013",
    )
    viewers_per_principal: int = _setting(
        "HEADWATER_VIEWERS_PER_PRINCIPAL", 100, unit="viewers", ge=0, le=100_000,
        remedy="give a whole number from 0 (no limit) to 100000",
        meaning="viewers of one account in each web process; more are closed with 4429",
    )
    viewers_per_address: int = _setting(
        "HEADWATER_VIEWERS_PER_ADDRESS", 1_000, unit="viewers", ge=0, le=100_000,
        remedy="give a whole number from 0 (no limit) to 100000",
        meaning="viewers from one client address in each web process; more are closed with 4429; 0 behind a router",
    )
    io_uring: bool = _setting(
        "HEADWATER_IO_URING", True, remedy="give 1 or 0",
        meaning="0 keeps a fan-out from going through io_uring, which is used where the kernel allows it",
    )
    project: DirectoryPath | None = _setting(
        "HEADWATER_PROJECT", None, remedy="give a folder that is there; `headwater new` puts feeds and pages into it",
        meaning="folder of a team's own feeds, pages, contract, roles, assets and painters; without it the demo",
    )
    data: Path = _setting(
        "HEADWATER_DATA", Path(".headwater"), remedy="give a directory that this user may write",
        meaning="directory of the embedded broker's data, the SQLite database and the local ingest key",
    )
    database_url: str = _setting(
        "DATABASE_URL", "", repr=False, remedy="give postgres://, postgresql:// or sqlite:///",
        meaning="database of the archive and the contract; without it SQLite in `HEADWATER_DATA`",
    )
    broker_memory_mb: int = _setting(
        "HEADWATER_BROKER_MB", 256, unit="MB", meaning="memory that the embedded broker may hold data in", ge=32,
        le=65_536, remedy="give a whole number from 32 to 65536",
    )
    ingest_keys: Annotated[tuple[str, ...], NoDecode] = _setting(
        "HEADWATER_INGEST_KEYS", (), repr=False,
        meaning="first keys that may post events: `name:secret:feeds`, separated by spaces; feeds are names or"
        " patterns; further ones by `headwater keys`",
        remedy="write name:secret:feeds, for example press:0123456789abcdef:flights,host",
    )
    key_events_per_s: int = _setting(
        "HEADWATER_KEY_EVENTS_PER_S", 200_000, unit="events/s", ge=0, le=100_000_000,
        remedy="give a whole number from 0 (no limit) to 100000000",
        meaning="events that one ingest key may post, over all web processes; more are answered with 429",
    )
    key_mb_per_s: int = _setting(
        "HEADWATER_KEY_MB_PER_S", 200, unit="MB/s", ge=0, le=10_000,
        remedy="give a whole number from 0 (no limit) to 10000",
        meaning="the same of bytes, inflated",
    )
    ingest_body_mb: int = _setting(
        "HEADWATER_INGEST_MB", 4, unit="MB", meaning="largest body of one ingest request, inflated", ge=1, le=64,
        remedy="give a whole number from 1 to 64",
    )
    public_url: str = _setting(
        "HEADWATER_URL", "", meaning="address by which clients reach the web processes, which the probe takes; without"
        " it this machine's own", remedy="give an origin such as https://ops.example.com",
    )
    probe_key: str = _setting(
        "HEADWATER_PROBE_KEY", "", repr=False, remedy="give the secret of a key that may post to the feed `probe`",
        meaning="secret with which probes are posted; without it the first ingest key that may post to `probe`",
    )
    origins: Annotated[tuple[str, ...], NoDecode] = _setting(
        "HEADWATER_ORIGINS", (),
        meaning="origins whose pages may open the live socket, separated by spaces; without it the page's own host",
        remedy="give origins such as https://ops.example.com, without a path",
    )
    frame_ancestors: Annotated[tuple[str, ...], NoDecode] = _setting(
        "HEADWATER_FRAME_ANCESTORS", ("self",),
        meaning="origins whose pages may show ours in a frame, separated by spaces; `self` is our own, `none` nobody",
        remedy="give self, none, or origins such as https://intranet.example.com",
    )
    proxies: int = _setting(
        "HEADWATER_PROXIES", 0, unit="proxies", ge=0, le=10, remedy="give a whole number from 0 to 10",
        meaning="proxies before the web processes, whose word on client address and encryption is taken; 1 on a PaaS",
    )
    tick_ms: int = _setting(
        "HEADWATER_TICK_MS", 16, unit="ms", meaning="least time between two commits of a lane under load", ge=1,
        le=1_000, remedy="give a whole number from 1 to 1000",
    )
    insecure: bool = _setting(
        "HEADWATER_INSECURE", False, remedy="give 1 or 0",
        meaning="1 lets other machines in unencrypted, after sign-in: for private development networks",
    )
    sign_in: bool = _setting(
        "HEADWATER_SIGN_IN", False, remedy="give 1 or 0",
        meaning="1 asks for sign-in in the demo and in development on this machine too, before there is an account",
    )
    oidc_issuer: str = _setting(
        "HEADWATER_OIDC_ISSUER", "", remedy="give its issuer exactly as it says it, https://…, with id and secret",
        meaning="identity provider by which people sign in (OpenID Connect); its redirect is `/sign-in/oidc/back`",
    )
    oidc_client_id: str = _setting(
        "HEADWATER_OIDC_CLIENT_ID", "", remedy="give the id that the identity provider knows this application by",
        meaning="what the identity provider calls this application",
    )
    oidc_client_secret: str = _setting(
        "HEADWATER_OIDC_CLIENT_SECRET", "", repr=False, remedy="give the secret that the identity provider made",
        meaning="its secret for this application",
    )
    oidc_roles_claim: str = _setting(
        "HEADWATER_OIDC_ROLES_CLAIM", "groups", remedy="give the name of a claim, with dots where it is in another",
        meaning="claim with the identity provider's words, which `claims` of roles.toml turn into roles",
    )
    oidc_scopes: str = _setting(
        "HEADWATER_OIDC_SCOPES", "openid profile email", remedy="give scopes, separated by spaces",
        meaning="scopes that are asked of the identity provider; some have one for groups",
    )
    session_idle_min: int = _setting(
        "HEADWATER_SESSION_IDLE_MIN", 720, unit="min", ge=1, le=525_600, remedy="give a whole number from 1 to 525600",
        meaning="a session ends when no page of it was open for so long",
    )
    session_max_h: int = _setting(
        "HEADWATER_SESSION_MAX_H", 168, unit="h", ge=1, le=8_760, remedy="give a whole number from 1 to 8760",
        meaning="a session ends so long after sign-in in any case",
    )
    metrics_key: str = _setting(
        "HEADWATER_METRICS_KEY", "", repr=False, remedy="give a secret of 16 characters or more",
        meaning="bearer token that reads `/metrics`; without it administrators alone do, where sign-in is asked for",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "HEADWATER_LOG_LEVEL", "info", meaning="least severe log line that is written",
        remedy="give debug, info, warning or error",
    )

    @field_validator("ingest_keys", "origins", "frame_ancestors", mode="before")
    @classmethod
    def _split(cls, text: Any) -> Any:
        return tuple(part for part in re.split(r"[\s;]+", text) if part) if isinstance(text, str) else text

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, text: Any) -> Any:
        return text.lower() if isinstance(text, str) else text

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        nodes = nodes_of(url)
        for parts in map(urlsplit, nodes):
            known = parts.scheme in (("redis", "rediss") if len(nodes) > 1 else ("redis", "rediss", "unix"))
            if not (known and (parts.netloc or parts.path)):
                raise ValueError("not a broker's address")
        return url

    @field_validator("redis_tls_ca")
    @classmethod
    def _certificate(cls, given: str) -> str:
        if given and "-----BEGIN CERTIFICATE-----" not in given and not Path(given).is_file():
            raise ValueError("no such file, and no PEM text")
        return given.replace("\\n", "\n")  # as it is written where a value must be one line

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not re.match(r"(postgres|postgresql|postgresql\+psycopg)://.|sqlite:///.", url):
            raise ValueError("not a database's address")
        return url

    @field_validator("ingest_keys")
    @classmethod
    def _well_formed(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        IngestKeys(keys)
        return keys

    @field_validator("public_url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise ValueError("not an address")
        return url.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _encrypted_issuer(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if issuer and not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))):
            raise ValueError("neither https:// nor on this machine")
        return issuer

    @field_validator("metrics_key")
    @classmethod
    def _long_enough(cls, key: str) -> str:
        if key and len(key) < 16:
            raise ValueError("too short")
        return key

    @field_validator("origins")
    @classmethod
    def _plain_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ValueError(f"{origin!r} is not an origin")
        return tuple(origin.lower() for origin in origins)

    @field_validator("frame_ancestors")
    @classmethod
    def _known_ancestors(cls, ancestors: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_ancestor(one, ancestors) for one in ancestors) or ("none",)

    @model_validator(mode="after")
    def _known_to_provider(self) -> Settings:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            missing = "HEADWATER_OIDC_CLIENT_SECRET" if self.oidc_client_id else "HEADWATER_OIDC_CLIENT_ID"
            raise ValueError(f"{missing}: not set: HEADWATER_OIDC_ISSUER needs it; give what the provider made")
        return self

    @property
    def others_come_in(self) -> bool:
        """Whether anybody but this machine's own people can reach the pages: then all must sign in."""
        names = [urlsplit(one).hostname or "" for one in (*self.origins, *filter(None, [self.public_url]))]
        return self.insecure or not all(map(is_loopback, [self.host, *names]))

    @property
    def asks_for_sign_in(self) -> bool:
        """Whether sign-in is asked for whatever accounts there are."""
        return self.sign_in or self.others_come_in or bool(self.oidc_issuer)

    @property
    def local_host(self) -> str:
        """The host by which this machine reaches the web server."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        """The address to type into a browser on this machine."""
        return f"http://{bracketed(self.local_host)}:{self.port}"

    @property
    def probed_url(self) -> str:
        """The address that the probe takes."""
        return self.public_url or self.url

    @property
    def probe_secret(self) -> str:
        """The secret that probes are posted with; empty where no key may post to that feed."""
        held = (key.split(":") for key in self.ingest_keys)
        able = [secret for _, secret, feeds in held if any(fnmatchcase(PROBE_FEED, one) for one in feeds.split(","))]
        return self.probe_key or next(iter(able), "")

    @property
    def ingest_key_scopes(self) -> tuple[tuple[str, str], ...]:
        """Name and feeds of each key of `HEADWATER_INGEST_KEYS`, without its secret."""
        return tuple((name, feeds) for name, _, feeds in (key.split(":") for key in self.ingest_keys))

    @property
    def database_address(self) -> str:
        """The database's url: `DATABASE_URL`, else SQLite in the data directory."""
        return self.database_url or f"sqlite:///{(self.data / 'headwater.db').resolve()}"

    def broker_url(self) -> str:
        """The broker's url: `REDIS_URL` and how to judge its certificate, else the embedded broker of this checkout.

        Raises SettingsError where there is neither.
        """
        if url := self.redis_url or read_address(self.data):
            return ",".join(with_tls(one, self.redis_tls_verify, self.redis_tls_ca) for one in nodes_of(url))
        raise SettingsError(f"REDIS_URL: not set, and no broker runs for {self.data}; set it, or start `headwater up`")


def read_settings() -> Settings:
    """The settings of this environment. Raises SettingsError, a line for each bad value."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(fault) for fault in error.errors())) from None


def _explain(fault: Any) -> str:
    reason = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return reason
    entry = next(entry for entry in entries() if entry.variable == fault["loc"][0])
    if entry.secret:  # neither the value nor a reason that quotes it
        return f"{entry.variable}: (not shown): {entry.remedy}"
    shown = repr(os.environ.get(entry.variable, fault["input"]))
    said = f"{reason}; " if fault["type"] == "value_error" else ""
    return f"{entry.variable}: {shown}: {said}{entry.remedy}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as documentation shows it."""

    variable: str
    default: str
    unit: str
    meaning: str
    remedy: str
    secret: bool


def entries() -> tuple[Entry, ...]:
    """All settings in order of declaration."""
    return tuple(_entry(field) for field in Settings.model_fields.values())


def _entry(field: Any) -> Entry:
    default = field.default
    if isinstance(default, tuple):
        default = " ".join(default)
    shown = str(int(default) if isinstance(default, bool) else default if default is not None else "")
    extra = field.json_schema_extra
    return Entry(field.validation_alias, shown, extra["unit"], field.description, extra["remedy"], not field.repr)


def markdown_table() -> str:
    """The settings as the README shows them."""
    rows = ["| variable | default | unit | meaning |", "|---|---|---|---|"]
    for entry in entries():
        default = f"`{entry.default}`" if entry.default else "–"
        rows.append(f"| `{entry.variable}` | {default} | {entry.unit} | {entry.meaning} |")
    return "\n".join(rows)


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """A warning for each `HEADWATER_…` variable that no setting reads, with the nearest one that is."""
    known = [entry.variable for entry in entries()]
    strangers = sorted(name for name in environment if name.startswith("HEADWATER_") and name not in known)
    return tuple(f"{name}: no such setting{_nearest(name, known)}" for name in strangers)


def _nearest(name: str, known: list[str]) -> str:
    return "".join(f"; did you mean {near}?" for near in difflib.get_close_matches(name, known, 1))
