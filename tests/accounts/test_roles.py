"""Roles: what the project's file says is what one may do, and what it says wrongly is told where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.loading import DEMO, load_declarations, load_roles
from services.accounts import Principal, can
from services.accounts.principal import can_some
from services.accounts.roles import Roles, RolesError, read_roles
from services.declare import Declarations


@pytest.fixture(scope="module")
def declarations() -> Declarations:
    return load_declarations()


def written(folder: Path, text: str) -> Path:
    path = folder / "roles.toml"
    path.write_text(text)
    return path


def test_a_role_in_one_line_sees_one_part_of_every_channel_that_is_kept_in_parts(declarations: Declarations) -> None:
    ann = load_roles(declarations, DEMO).principal("ann", ["ewr-ops"])
    assert can(ann, "view", "flights.board_by_origin:EWR")
    assert can(ann, "history", "flights.board_by_origin:EWR")
    assert can(ann, "export", "flights.board_by_origin:EWR")
    for other in ("flights.board_by_origin:JFK", "flights.board", "flights.board_by_origin", "host.now", "flights"):
        assert not can(ann, "view", other), other
    assert not can(ann, "admin", "flights.board_by_origin:EWR")
    assert can_some(ann, "view", "flights.board_by_origin")
    assert not can_some(ann, "view", "host.now")


def test_the_value_of_a_part_cannot_reach_into_the_name_of_its_channel() -> None:
    ann = Principal("ann", channels=("flights.*:EWR", "sales.*_north"))
    assert not can(ann, "view", "flights.board:JFK:EWR")
    assert not can(ann, "view", "sales.board:x_north")
    assert not can(ann, "view", "flights.board:ewr"), "case counts"


def test_whoever_may_see_a_channel_may_see_its_parts_and_a_role_that_is_gone_allows_nothing() -> None:
    assert can(Principal("ann", channels=("flights.board",)), "view", "flights.board:JFK")
    left = Roles().principal("ann", ["of-last-year"])
    assert left.roles == ()
    assert not can(left, "view", "flights.board")


def test_a_role_may_only_do_what_it_lists(tmp_path: Path, declarations: Declarations) -> None:
    text = '[roles.wall]\nchannels = ["flights.*"]\nactions = ["view"]\nclaims = ["screens"]\n'
    roles = read_roles(written(tmp_path, text + '[roles.admin]\nclaims = ["it"]\n'), declarations)
    wall = roles.principal("wall", ["wall"])
    assert [can(wall, action, "flights.board") for action in ("view", "history", "export", "admin")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert roles.claimed(["screens", "others"]) == ("wall",)
    assert roles.claimed(["it"]) == ("admin",)
    assert roles.claimed(["others"]) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[roles]\nops = "flight.*"', r"roles.toml:2: roles.ops: 'flight.\*': no channel or feed has such a name; .*"),
        ('[roles]\nops = "host.*:EWR"', "roles.toml:2: roles.ops: 'host.*:EWR': no channel that it means is kept in p"),
        ('[roles]\nops = "flights.*:"', "name a part after the colon"),
        ("[roles]\nops = 5", "roles.toml:2: roles.ops: 5: give a text or a list of texts"),
        ('[roles]\nOps = "flights.*"', "roles.toml:2: roles.Ops: 'Ops': name a role by small letters"),
        ('[roles]\nadmin = "flights.*"', "admin may do everything"),
        (
            '[roles.a]\nchannels = ["flights.*"]\n\nactions = ["veiw"]',
            "roles.toml:4: roles.a.actions: 'veiw': no such acti",
        ),
        ('[roles.a]\nchanels = ["flights.*"]', "roles.toml:2: roles.a.chanels: .*: nothing reads this .*mean channels"),
        ('[roles.a]\nactions = ["view"]', "roles.toml:1: roles.a.channels: .*: name the channels"),
        ('[rules]\nops = "flights.*"', "roles.toml:1: rules: .*: nothing reads this; the file has one table"),
        ('[roles]\nops = "flights.*', "roles.toml:2: TOML: .*: correct the line"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_name_value_and_remedy(
    tmp_path: Path, declarations: Declarations, text: str, told: str
) -> None:
    with pytest.raises(RolesError, match=told.replace("*:EWR'", r"\*:EWR'")):
        read_roles(written(tmp_path, text), declarations)
