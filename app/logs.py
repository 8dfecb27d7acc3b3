"""Logs: every process writes lines of one form to standard output, ours and the libraries'.

A constant message plus fields; on a terminal for people, elsewhere one JSON object a line.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import Processor


def start_logging(process: str, level: str, *, for_people: bool | None = None) -> None:
    """Route structlog and the standard library's logging to standard output.

    `process` stands in every line. `for_people` is decided by whether the output is a terminal.
    """
    people = sys.stdout.isatty() if for_people is None else for_people
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
        _naming(process),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(people)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for talkative in ("werkzeug", "alembic"):  # their routine is not ours to tell
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _naming(process: str) -> Processor:
    def name(_: Any, __: str, line: Any) -> Any:
        line["process"] = process
        return line

    return name


def _rendering(people: bool) -> list[Processor]:
    if people:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_one_line),
    ]


def _one_line(fields: Any, **_: Any) -> str:
    return orjson.dumps(fields, default=str).decode()
