"""Command of discovery: `headwater contract new` asks what decides design and price, and writes the project."""

from __future__ import annotations

import sys
import tomllib
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from app.commands import explained, fail
from services.contract.proposals import PROFILE_NAMES, PROFILES, ProfileName
from services.contract.questions import QUESTIONS, AnswerRefused, Answers, in_text, read_answer, read_answers


@click.command("new")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--answers", "file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="A TOML file with answers by the questions' names.")
@click.option("--answer", "given", multiple=True, metavar="NAME=TEXT", help="One answer; before that of the file.")
@click.option("--defaults", is_flag=True, help="Take the default of every question that is not answered.")
@click.option("--profile", "profile", type=click.Choice(PROFILE_NAMES),
              help="Propose for this kind of looking; left out, by how late is too late.")
@click.option("--questions", "only_list", is_flag=True, help="List the questions and what each decides; write nothing.")
@explained
def new(
    folder: Path | None, file: Path | None, given: tuple[str, ...], defaults: bool, profile: ProfileName | None,
    only_list: bool,
) -> None:  # fmt: skip
    """Ask what decides design and price, propose values, and write a project to FOLDER that runs.

    What neither --answers nor --answer says is asked here; where nobody can be asked, --defaults takes what is usual.
    """
    if only_list:
        for one in QUESTIONS:
            click.echo(f"{one.name}: {one.asks}\n    decides {one.decides}; usual: {one.default}")
        return
    if folder is None:
        raise click.UsageError("give the folder that the project is written to")
    try:
        answers = read_answers(_asked(_given(file, given), defaults=defaults))
    except AnswerRefused as error:
        fail(f"contract new: {error}", 2)
    _write(folder, answers, profile)


def _given(file: Path | None, flags: tuple[str, ...]) -> dict[str, str]:
    """The answers that were given, as texts."""
    try:
        said = {} if file is None else tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fail(f"contract new: {file}: {error}; give a TOML file such as decision = \"…\"", 2)
    found = {name: in_text(value) for name, value in said.items()}
    for flag in flags:
        name, equals, text = flag.partition("=")
        if not equals:
            raise click.UsageError(f"--answer {flag!r}: give NAME=TEXT, for example --answer viewers=50")
        found[name.strip()] = text
    return found


def _asked(given: dict[str, str], *, defaults: bool) -> dict[str, str]:
    """Those that were given, and for the others what is usual, or what a person at the terminal says."""
    missing = [one for one in QUESTIONS if one.name not in given]
    if defaults:
        return {**given, **{one.name: one.default for one in missing}}
    if missing and not sys.stdin.isatty():
        names = ", ".join(one.name for one in missing)
        fail(f"contract new: not answered: {names}; give --answers, --answer or --defaults", 2)
    for one in missing:
        click.echo(f"\n{one.asks}\n  It decides {one.decides}.")
        given[one.name] = click.prompt("  Answer", default=one.default, value_proc=partial(_usable, one.name))
    return given


def _usable(name: str, text: str) -> str:
    """The text, where it can be used; a prompt asks again where not."""
    try:
        read_answer(name, text)
    except AnswerRefused as error:
        raise click.UsageError(str(error)) from error
    return text


def _write(folder: Path, answers: Answers, profile: ProfileName | None) -> None:
    from app.drafts.project import project_files, write_project
    from services.contract.moments import local_day
    from services.contract.proposals import fitting
    from services.positions import wall_clock

    chosen = profile or fitting(answers)
    _tell(answers, chosen)
    today = local_day(ZoneInfo(answers.zone), wall_clock())
    try:
        write_project(folder, project_files(answers, chosen, today))
    except FileExistsError:
        fail(f"contract new: {folder}: not empty; give a new folder", 1)
    except OSError as error:
        fail(f"contract new: {folder}: {error.strerror}", 1)
    click.echo(f"written: {folder}; discovery.md says why each value is what it is")
    _check(folder)
    click.echo(f"next: HEADWATER_PROJECT={folder} headwater up")


def _tell(answers: Answers, chosen: ProfileName) -> None:
    """What is proposed, why, and what it costs; and what of the answers does not go together."""
    from app.drafts.project import doubts_of
    from services.contract.proposals import propose

    click.echo(f"profile {chosen}: {PROFILES[chosen].means}")
    for one in propose(answers, chosen):
        click.echo(f"  {one.name}: {one.said}\n    because {one.reason}\n    costs {one.cost}")
    for doubt in doubts_of(answers):
        click.echo(f"  to be settled: {doubt}")


def _check(folder: Path) -> None:
    """What was written is held against itself, so that nobody is handed a project that does not start."""
    from app.doctor.declared import examine_contract
    from app.loading import Project, load_declarations, load_pages
    from app.settings import read_settings

    project = Project.at(folder)
    load_pages(load_declarations(project), project)
    findings = [one for one in examine_contract(read_settings(), offline=True, project=project) if one.level != "ok"]
    for one in findings:
        click.echo(one.line())
    if any(one.level == "fail" for one in findings):
        fail("contract new: what was written does not pass its own check; this is a fault of Headwater", 1)
