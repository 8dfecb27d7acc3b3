"""Commands: the groups of `headwater`, a file each, and what they share: how they start and how they fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import click
import structlog

from app.settings import Settings, SettingsError, read_settings
from services.declare import DeclarationError
from services.embedded import EmbeddedBrokerError

P = ParamSpec("P")


def fail(message: object, code: int) -> NoReturn:
    """Say in one line what is wrong, and end."""
    click.echo(f"headwater: {message}", err=True)
    sys.exit(code)


def explained(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the failures that we know into one line and an exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from app.supervisor import SupervisorError
        from app.worker import WorkerError
        from services.accounts.roles import RolesError
        from services.broker import BrokerDown, BrokerTooSmall
        from services.contract.faults import ContractError
        from services.database import DatabaseDown

        try:
            command(*args, **kwargs)
        except SettingsError as error:
            fail(error, 2)
        except ContractError as error:
            first, more = error.faults[0].text(error.path), len(error.faults) - 1
            fail(f"{first} (and {more} more: headwater contract check)" if more else first, 1)
        except (
            DeclarationError, SupervisorError, WorkerError, EmbeddedBrokerError, BrokerDown, BrokerTooSmall,
            DatabaseDown, RolesError,
        ) as error:
            fail(error, 1)

    return run


def start(process: str) -> Settings:
    """The settings of a process that stays, with its logging begun."""
    from app.logs import start_logging

    settings = read_settings()
    start_logging(process, settings.log_level)
    if settings.insecure:
        structlog.get_logger().warning("insecure: everybody who reaches this host may read and is not encrypted")
    if settings.redis_tls_verify == "none":
        structlog.get_logger().warning(
            "REDIS_TLS_VERIFY=none: the broker's certificate is not verified; name its authority by REDIS_TLS_CA"
        )
    return settings
