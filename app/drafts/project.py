"""Project: the whole folder of a new project, and the document that says why each value is what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from app.drafts.contract import contract_text, quoted
from app.drafts.feed import feed_text
from app.drafts.page import of_draft, page_text
from services.contract.markdown import table, text
from services.contract.proposals import PROFILES, ProfileName, Proposal, propose, value_of
from services.contract.questions import QUESTIONS, Answers, in_text
from services.declare import History
from services.samples.draft import FeedDraft, unseen


def drafts_of(answers: Answers, name: ProfileName, seen: Mapping[str, FeedDraft]) -> tuple[FeedDraft, ...]:
    """A feed for each source; `seen` are those of which there is a sample."""
    proposals = propose(answers, name)
    history = History(value_of(proposals, "retention"), value_of(proposals, "archive"))
    return tuple(
        seen.get(one.name) or unseen(
            one.name, polled=one.transport == "poll", every_s=one.every_s, too_late_s=answers.too_late_s,
            cadence_s=min(60, max(value_of(proposals, "cadence"), round(one.every_s))), history=history,
        )
        for one in answers.sources
    )  # fmt: skip


def project_files(
    answers: Answers, name: ProfileName, today: date, seen: Mapping[str, FeedDraft] | None = None
) -> dict[str, str]:
    """The text of each file by its path in the project's folder."""
    drafts = drafts_of(answers, name, seen or {})
    files = {
        "contract.toml": contract_text(answers, name, drafts, today),
        "roles.toml": _roles(answers, drafts),
        "settings.env": _settings(answers, propose(answers, name)),
        "discovery.md": discovery_text(answers, name, today),
    }
    for number, draft in enumerate(drafts):
        files[f"feeds/{draft.name}.py"] = feed_text(draft)
        path = "/" if number == 0 else f"/{draft.name.replace('_', '-')}"
        files[f"pages/{draft.name}.py"] = page_text(of_draft(draft, path, f"For the decision: {answers.decision}."))
    return files


def write_project(folder: Path, files: Mapping[str, str]) -> None:
    """Raises FileExistsError for a folder that holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _roles(answers: Answers, drafts: tuple[FeedDraft, ...]) -> str:
    channels = ", ".join(quoted(f"{one.name}.*") for one in drafts)
    head = "# Who may do what. Narrow each role to what it has to see; admin is always there and may do everything.\n"
    return "\n".join(
        [head, *(f'[roles.{role}]\nchannels = [{channels}]\nactions = ["view", "history"]\n' for role in answers.roles)]
    )


def _settings(answers: Answers, proposals: tuple[Proposal, ...]) -> str:
    lines = [
        "# What the environment of every process holds: set -a; . ./settings.env; set +a",
        "HEADWATER_PROJECT=.",
        f"HEADWATER_TICK_MS={value_of(proposals, 'tick')}",
        f"HEADWATER_PROXIES={0 if answers.between == 'nothing' else 1}",
        f"HEADWATER_SIGN_IN={0 if answers.sign_in == 'none' else 1}",
        *(f"# {one.name.upper()}_URL=  # the address that {one.name} is asked from" for one in answers.sources
          if one.transport == "poll"),
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def discovery_text(answers: Answers, name: ProfileName, today: date) -> str:
    """What was asked, answered, decided and proposed, as Markdown."""
    return text(_discovery(answers, name, today))


def _discovery(answers: Answers, name: ProfileName, today: date) -> Iterator[str]:
    yield from (f"# {answers.name}: discovery, {today}", "")
    yield from table(("question", "answer", "decides"), (
        (one.asks, _answer(answers, one.name), one.decides) for one in QUESTIONS
    ))  # fmt: skip
    yield from ("", f"## Proposed: profile `{name}`, {PROFILES[name].means}", "")
    yield from table(("what", "value", "reason", "cost"), (
        (one.name, one.said, one.reason, one.cost) for one in propose(answers, name)
    ))  # fmt: skip
    doubts = list(doubts_of(answers))
    if doubts:
        yield from ("", "## To be settled", "", *(f"- {one}" for one in doubts))


def _answer(answers: Answers, name: str) -> str:
    if name == "sources":
        return ", ".join(f"{one.name}={one.transport}@{one.every_s:g}" for one in answers.sources)
    said = getattr(answers, name)
    return in_text(list(said) if isinstance(said, tuple) else said)


def doubts_of(answers: Answers) -> Iterator[str]:
    """What of the answers does not go together, with the figure."""
    for one in answers.sources:
        if one.every_s * 2 > answers.too_late_s:
            yield (
                f"{one.name} has something new every {one.every_s:g} s, so a value of it may be {2 * one.every_s:g} s "
                f"old when one update is missed; {answers.too_late_s:g} s cannot hold; the draft says "
                f"{max(answers.too_late_s, 2 * one.every_s):g} s"
            )
    if answers.lag_s > answers.too_late_s:
        yield f"a value may take {answers.lag_s:g} s to the screen, and is too late after {answers.too_late_s:g} s"
    if answers.support != "always" and answers.too_late_s <= 10:
        yield "the decision is made within seconds, and nobody answers at night: agree on who does"
    if answers.compliance != "none":
        yield f"compliance ({answers.compliance}): mark the fields concerned as personal, and agree how long they stay"
