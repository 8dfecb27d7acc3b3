"""Factory: `create_app(settings)` makes one web process whole; importing anything does nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import Dash
from flask import Flask, request
from flask_compress import Compress
from flask_sock import Sock

from app.alerting import Alerting, Lookout
from app.annotations import Annotations
from app.api import Api
from app.callback_bodies import guard_callbacks
from app.correlation import correlate
from app.doors import LIVE_PATH, Doors
from app.explore.page import explore_page, with_explore
from app.explore.routes import Explore
from app.exports.routes import Exports
from app.faults import Faults
from app.headers import put_headers
from app.incident_marks import IncidentMarks
from app.loading import DEMO, Project, load_contract, load_declarations, load_pages, load_roles
from app.menu import Menu
from app.on_screen import OnScreen
from app.page_rights import guard_pages
from app.past import Turns
from app.pause_all import PauseAll
from app.publisher import Publisher, process_name
from app.quarantine import QuarantineKeeper
from app.reading import StandingReader
from app.reloading import release_of
from app.settings import Settings
from app.shell import INDEX, LOADER, PRODUCT, TELL_SCREEN, Shell, register_pages
from app.sign_in import SignIn
from app.staging import Staging
from app.static import Modules, serve_static
from app.status_page import register_status
from app.tracing import Tracing
from app.transport import Transport
from app.viewer_reports import ViewerReports
from callbacks import register_all
from services.accounts import IngestKeys
from services.accounts.attempts import Attempts
from services.accounts.audit import Audit
from services.accounts.key_limits import KeyLimits
from services.accounts.key_register import KeyRegister
from services.accounts.key_ring import KeyRing
from services.accounts.register import Register as Accounts
from services.accounts.roles import Roles
from services.accounts.sessions import Lifetimes, Sessions
from services.alerts.register import Register
from services.broker import Broker
from services.clocks import BrokerClock
from services.contract.document import Contract
from services.database import Database, DatabaseBehind, DatabaseDown
from services.declare import ChannelRef, Declarations
from services.gateway.gateway import Gateway, GatewayLimits
from services.gateway.handover import SOCK_SERVER_OPTIONS
from services.gateway.links import SocketLimits
from services.ingestion import Ingestion
from services.quarantine import Quarantine
from services.report.board import LastKnown, StandingRegister
from services.telemetry import Telemetry
from services.tracing.tracer import Tracer

if TYPE_CHECKING:
    from services.accounts.provider import Provider

ASSETS = Path(__file__).resolve().parent.parent / "assets"
MODULES_META = "headwater-modules"
BODY_BYTES_MAX = 1024 * 1024
"""Largest body of a request; the routes that take more, or less, say so themselves."""
ZONE_META = "headwater-zone"
"""Where the document names the server's time zone: the contract's, else UTC."""


@dataclass(frozen=True, slots=True)
class Web:
    """One web process: its Dash app, the Flask server that carries it, and the parts that run beside it."""

    dash: Dash
    server: Flask
    gateway: Gateway
    publisher: Publisher
    broker: Broker
    exports: Exports
    keys: KeyRing
    sessions: Sessions
    reader: StandingReader | None = None
    lookout: Lookout | None = None
    database: Database | None = None

    def start(self) -> None:
        """Start the threads; after the fork, since a fork keeps none."""
        self.sessions.start()
        self.gateway.start()
        self.publisher.start()
        self.keys.start()
        if self.reader is not None:
            self.reader.start()
        if self.lookout is not None:
            self.lookout.start()

    def stop(self) -> None:
        """Close every viewer's socket with 1012 (they come back to another process), then the rest."""
        self.gateway.stop()
        self.sessions.stop()
        self.keys.stop()
        if self.lookout is not None:
            self.lookout.stop()
        self.publisher.stop()
        if self.reader is not None:
            self.reader.stop()
        self.broker.close()
        if self.database is not None:
            self.database.close()


def create_app(settings: Settings, project: Project = DEMO) -> Web:
    """Everything of a web process but its threads; `Web.start` starts those.

    Raises DeclarationError or SettingsError where the project or the environment is wrong.
    """
    declarations = load_declarations(project)
    clock, database = BrokerClock(), Database(settings.database_address)
    broker = Broker(settings.broker_url(), lanes=len(declarations.lanes()))
    accounts = Accounts(database)
    roles = load_roles(declarations, project)
    sessions = _sessions(settings, broker, accounts, roles, in_development=project.faults is not None)
    doors = Doors(settings, sessions)
    pages = with_explore(load_pages(declarations, project), explore_page(declarations, doors.may, clock))
    telemetry = Telemetry(process_name("web"), "web", clock)
    contract = load_contract(declarations, project)
    reports = ViewerReports(telemetry, declarations, [page.path for page in pages], clock)
    gateway = Gateway(
        broker, declarations, telemetry, clock, limits=_limits(settings), on_viewer_report=reports,
        measured=_measured(declarations, contract), grants=sessions,
    )
    server = Flask("headwater", static_folder=None)
    server.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    correlate(server)
    transport = Transport(settings)
    transport.guard(server)
    server.before_request(doors.refuse)
    put_headers(server, settings.frame_ancestors, lambda: dash.csp_hashes())
    server.after_request(doors.keep_private)
    audit = Audit(database)
    signing = SignIn(doors, sessions, accounts, Attempts(broker), audit, _provider(settings))
    signing.put_on(server)
    _put_provider(server, signing, roles, broker)
    menu = Menu(pages, doors.principal)
    guard_pages(server, menu, doors.refuse_again)
    keys = KeyRing(IngestKeys(settings.ingest_keys), KeyRegister(database, clock), clock=clock)
    tracing = Tracing(Tracer(broker, database, declarations, clock), doors)
    keeper = QuarantineKeeper(Quarantine(broker, database, declarations, clock), declarations, doors)
    zone = "UTC" if contract is None else contract.zone.key
    pauser = PauseAll(broker, declarations, doors, Audit(database, clock), clock)
    exports, readings = Exports(gateway, database, clock), Turns()
    on_screen = OnScreen(gateway, broker, database, doors.may, readings)
    dash = _dash_app(server, menu, _modules(project), zone, project.faults)
    declared = [one for page in pages for one in page.callbacks]
    register_all(dash, tracing.follow, keeper, pauser, declared, on_screen.frame)
    guard_callbacks(dash)
    _live_route(server, gateway, doors)
    Api(
        broker, declarations, gateway, Ingestion(broker, declarations, telemetry, clock),
        keys, KeyLimits(broker, settings.key_events_per_s, settings.key_mb_per_s * 1_000_000), doors, clock,
        settings.ingest_body_mb * 1024 * 1024, reports, database, exports,
        audit, readings,
    ).register(server)
    Explore(declarations, doors, database, broker, readings, clock, audit).register(server)
    tracing.register(server)
    Staging(broker, declarations, keys).register(server)
    known = LastKnown(StandingRegister(database), settings.data / "standing.json")
    register_status(server, lambda: known.standing, clock)
    reader = None if contract is None else StandingReader(known, database)
    annotations = Annotations(database, declarations, contract, clock)
    IncidentMarks(None if contract is None else Register(database), annotations, doors, clock).register(server)
    alerting = None if contract is None else Alerting(contract, declarations, broker, database, clock)
    lookout = None if alerting is None else alerting.lookout(process_name("web"))
    transport.warn(server)
    publisher = Publisher(broker, telemetry, clock)
    return Web(dash, server, gateway, publisher, broker, exports, keys, sessions, reader, lookout, database)


def _sessions(
    settings: Settings, broker: Broker, accounts: Accounts, roles: Roles, *, in_development: bool
) -> Sessions:
    """The sessions. In open mode, for the demo and for development, nobody needs one until there is an account."""
    lifetimes = Lifetimes(settings.session_idle_min * 60, settings.session_max_h * 3_600)
    served = settings.project is not None and not in_development
    asked_for = settings.asks_for_sign_in or served or _has_accounts(accounts)
    return Sessions(broker, accounts, roles, lifetimes, asked_for=asked_for)


def _provider(settings: Settings) -> Provider | None:
    """The identity provider, which nothing is asked of now. Its libraries are loaded where there is one."""
    if not settings.oidc_issuer:
        return None
    from services.accounts.provider import Client, Provider

    return Provider(Client(
        settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.oidc_roles_claim,
        settings.oidc_scopes,
    ))


def _put_provider(server: Flask, signing: SignIn, roles: Roles, broker: Broker) -> None:
    if signing.provider is not None:
        from app.provider_sign_in import ProviderSignIn

        ProviderSignIn(signing, signing.provider, roles, broker).put_on(server)


def _has_accounts(accounts: Accounts) -> bool:
    """Whether anybody could sign in; where that cannot be known, the door is shut."""
    try:
        return accounts.any()
    except DatabaseBehind:
        return False  # there is no such table yet
    except DatabaseDown:
        return True


def _limits(settings: Settings) -> GatewayLimits:
    return GatewayLimits(
        viewers_max=settings.viewers_max, viewers_per_principal=settings.viewers_per_principal,
        viewers_per_address=settings.viewers_per_address, sockets=SocketLimits(volleys=settings.io_uring),
    )


def _measured(declarations: Declarations, contract: Contract | None) -> list[ChannelRef]:
    """The channels that an objective measures at the gateway, whether somebody watches them or not."""
    objectives = () if contract is None else contract.objectives
    wanted = {one.channel for one in objectives if one.point == "gateway"}
    channels = declarations.channels.items()
    return [
        ChannelRef(channel) for name, channel in channels
        if channel.partition is None and (None in wanted or name in wanted)
    ]


def _modules(project: Project) -> Modules:
    """What browsers load; in development each saved file makes it another release, which pages then go over to."""
    release = b"" if project.faults is None else release_of(project)
    return Modules(ASSETS / "live", project.painters, project.assets, release)


def _dash_app(server: Flask, menu: Menu, modules: Modules, zone: str, faults: Faults | None) -> Dash:
    server.config |= {"COMPRESS_ALGORITHM": ["br", "gzip"], "COMPRESS_STREAMS": False}
    Compress(server)
    app = Shell(
        "headwater", modules=modules.paths, painters=modules.painters, styles=modules.styles,
        scripts=modules.scripts, menu=menu, faults=[] if faults is None else [faults.short(one) for one in faults],
        server=server,
        title=PRODUCT, update_title="", index_string=INDEX,
        assets_folder=str(ASSETS), assets_path_ignore=["live"],
        assets_ignore=rf"^{re.escape(LOADER)}$",  # in the head already
        pages_folder="", use_pages=True, enable_mcp=False, hooks=TELL_SCREEN,
        add_log_handler=False,  # our own logging has it already
        meta_tags=[
            {"name": MODULES_META, "content": modules.prefix},
            {"name": ZONE_META, "content": zone},
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
        ],
    )
    register_pages(menu)
    app.layout = app.layout_for_reader
    # After Dash's own hooks, which therefore run later: static answers arrive there compressed already.
    serve_static(server, modules, ("/_dash-component-suites/", "/assets/"))
    return app


def _live_route(server: Flask, gateway: Gateway, doors: Doors) -> None:
    server.config["SOCK_SERVER_OPTIONS"] = SOCK_SERVER_OPTIONS

    def live(ws: Any) -> None:
        principal = doors.principal()
        if principal is not None:  # the guard refused others before the upgrade
            gateway.adopt(ws, principal, request.remote_addr or "")

    Sock(server).route(LIVE_PATH)(live)
