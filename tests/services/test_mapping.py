"""Mapping: what a source gives becomes a feed's fields as declared, or a rejection that says what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Feed, Flag, Freshness, Given, GivenTime, Http, Integer, Moment, Number, SourceMapping, Text
from services.contract.scope import Named
from services.contract.statement import of_declarations
from services.declare import DeclarationError, Declarations, FeedSpec, MappingFault
from services.declare.example import example_record
from services.events import Validator
from tests.system import START_MS, System

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10)
GATES = SourceMapping(
    fields={
        "flight": "leg.code",
        "warm": Given("sensors.0.temp", unit="°F"),
        "fare": Given("fare.cents", factor=0.01),
        "boarding": Given("state", words={"B": True, "N": False}),
        "closes": GivenTime("gate.closes", format="%d.%m.%Y %H:%M", zone="Europe/Berlin"),
        "odd": ("a.b", "c"),
    },
    created_at=GivenTime("at", unit="s"),
    id=("leg.code", "at"),
    records="data.legs",
)
RAW = {
    "leg": {"code": "LH 400"}, "sensors": [{"temp": 50}], "fare": {"cents": 12_345}, "state": "B",
    "at": 1_700_000_000.25, "gate": {"closes": "01.07.2026 14:05"}, "a.b": {"c": 7}, "rows": 3,
}  # fmt: skip


def gates(mapping: SourceMapping = GATES) -> FeedSpec:
    class Gates(Feed, name="gates", key="flight", freshness=RULE, source=Http(mapping=mapping)):
        """Gates as an airport's system tells them."""

        flight = Text()
        warm = Number(unit="°C", required=False)
        fare = Number(unit="EUR", required=False)
        boarding = Flag(required=False)
        closes = Moment(required=False)
        odd = Integer(required=False)
        rows = Integer(required=False)

    return Gates.declaration


def test_nested_paths_units_words_times_and_ids_become_the_feeds_own_fields() -> None:
    feed = gates()
    [raw] = GATES.split({"data": {"legs": [RAW]}})
    closes = datetime(2026, 7, 1, 14, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    assert GATES.reader(feed)(raw) == {
        "id": "LH 400/1700000000.25", "created_at": 1_700_000_000_250, "flight": "LH 400", "warm": 10.0,
        "fare": 123.45, "boarding": True, "closes": int(closes.timestamp() * 1000), "odd": 7, "rows": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given_as", "value", "wanted"),
    [
        (GivenTime("t"), "2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        (GivenTime("t"), "2026-01-31T09:00:00.123456+02:00", datetime(2026, 1, 31, 7, 0, 0, 123_000, tzinfo=UTC)),
        (GivenTime("t", zone="America/New_York"), "2026-07-04 09:00", datetime(2026, 7, 4, 13, tzinfo=UTC)),
        # 2:30 comes twice on that night: the first of them is meant, in summer time
        (GivenTime("t", zone="Europe/Berlin"), "2026-10-25 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (GivenTime("t", format="%m/%d/%y %I:%M %p", zone="UTC"), "07/04/26 01:30 PM",
         datetime(2026, 7, 4, 13, 30, tzinfo=UTC)),
        (GivenTime("t", unit="ns"), 1_700_000_000_123_456_789, datetime.fromtimestamp(1_700_000_000.123, UTC)),
        (GivenTime("t", unit="ms"), "1700000000123", datetime.fromtimestamp(1_700_000_000.123, UTC)),
        (GivenTime("t", zone="Asia/Tokyo"), datetime(2026, 1, 1, 9), datetime(2026, 1, 1, tzinfo=UTC)),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_a_time_is_read_in_its_format_and_zone(given_as: GivenTime, value: object, wanted: datetime) -> None:
    assert given_as.problem() is None
    assert given_as.moment(value) == round(wanted.timestamp() * 1000)


@given(code=st.text(max_size=80), other=st.text(max_size=80))
def test_an_id_may_be_sent_whatever_its_parts_hold_and_tells_them_apart(code: str, other: str) -> None:
    feed = gates(SourceMapping(id=("flight", "rows")))
    read = SourceMapping(id=("flight", "rows")).reader(feed)
    one, two = read({"flight": code, "rows": other})["id"], read({"flight": f"{code}/", "rows": other})["id"]
    assert one.isascii()
    assert one.isprintable()
    assert 0 < len(one) <= 128
    assert one != two
    assert one == read({"flight": code, "rows": other})["id"]


def test_texts_are_read_by_the_type_of_their_field_where_the_mapping_says_so() -> None:
    mapping = SourceMapping(parse=True)
    read = mapping.reader(gates(mapping))
    found = read({"flight": 400, "warm": " 21.5 ", "boarding": "no", "odd": "", "rows": "12"})
    assert found == {"flight": "400", "warm": 21.5, "boarding": False, "rows": 12}
    with pytest.raises(MappingFault, match="rows: 'twelve'; send a whole number"):
        read({"flight": "a", "rows": "twelve"})


def test_what_cannot_be_mapped_is_a_rejection_with_its_place_and_the_rest_is_accepted(system: System) -> None:
    feed = gates()
    system.declarations = Declarations({"gates": feed}, {})
    ingestion = type(system.ingestion)(system.broker, system.declarations, system.telemetry, system.clock)
    at = START_MS / 1000
    receipt = ingestion.accept(
        feed,
        [
            {"leg": {"code": "a"}, "at": at},
            {"leg": {"code": "b"}, "at": "yesterday"},
            {"leg": {"code": "c"}, "at": at, "sensors": [{"temp": "hot"}]},
            {"at": at},
            "no object",
            {"leg": {"code": "d"}, "at": at, "rows": "many"},
            {"leg": {"code": "a"}, "at": at},
        ],
    )  # fmt: skip
    assert (receipt.accepted, receipt.duplicates) == (1, 1)
    told = [(one.index, one.reason) for one in receipt.rejected]
    assert told == [(1, "bad_timestamp"), (2, "wrong_type"), (3, "bad_id"), (4, "wrong_type"), (5, "wrong_type")]
    assert "hot" in receipt.rejected[1].detail


def test_a_personal_value_stands_in_no_rejection() -> None:
    class People(Feed, name="people", key="badge", freshness=RULE, source=Http()):
        """Who came in."""

        badge = Text()
        weight = Number(unit="kg", personal=True)

    read = SourceMapping({"weight": Given("weight", unit="lb")}).reader(People.declaration)
    assert read({"badge": "7", "weight": 220.46226218487757})["weight"] == pytest.approx(100)
    with pytest.raises(MappingFault) as refused:
        read({"badge": "7", "weight": "two hundred"})
    assert "hundred" not in refused.value.detail


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (SourceMapping({"fligth": "code"}), r"source\.mapping\.fields\['fligth'\].*no such field; name one of"),
        (SourceMapping({"flight": ""}), r"fields\['flight'\].*give a path"),
        (SourceMapping({"flight": "a..b"}), "give a path"),
        (SourceMapping({"warm": Given("t", unit="km")}), "from 'km' to '°C'.*give units of one kind, or a factor"),
        (SourceMapping({"fare": Given("t", unit="USD")}), "'USD'.*give units of one kind, or a factor"),
        (SourceMapping({"rows": Given("t", unit="m")}), "rows has no unit to convert to"),
        (SourceMapping({"flight": Given("t", unit="m")}), "for a Number or Integer field"),
        (SourceMapping({"warm": Given("t", unit="K", factor=2)}), "not both"),
        (SourceMapping({"warm": Given("t", factor=0)}), "a factor but 0"),
        (SourceMapping({"rows": GivenTime("t")}), "for a Moment field"),
        (SourceMapping({"closes": GivenTime("t", zone="Europe/Berln")}), "give an IANA time zone"),
        (SourceMapping(created_at=GivenTime("t", format="%d.%m.%Y %H:%M")), r"created_at.*give the zone"),
        (SourceMapping(created_at=GivenTime("t", format="%H:%M", zone="UTC")), "has no day"),
        (SourceMapping(created_at=GivenTime("t", unit="s", zone="UTC")), "leave them out"),
        (SourceMapping(created_at=GivenTime("t", unit="minutes")), "give a unit of s, ms, us, ns"),  # type: ignore[arg-type]
        (SourceMapping(id=("a", "")), "give a path"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_meant_is_refused_with_file_name_value_and_remedy(
    mapping: SourceMapping, said: str
) -> None:
    with pytest.raises(DeclarationError, match=said) as refused:
        gates(mapping)
    assert str(refused.value).startswith(__file__)


def test_the_contract_says_where_each_field_comes_from() -> None:
    feed = gates()
    found = of_declarations(Declarations({"gates": feed}, {}), Named())
    said = {key.rpartition(" ")[2]: properties for key, properties in found.items() if " > mapping " in key}
    assert said["flight"] == {"path": "leg.code"}
    assert said["rows"] == {"path": "rows"}
    assert said["warm"] == {"path": "sensors.0.temp", "unit": "°F, converted to °C"}
    assert said["closes"] == {"path": "gate.closes", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}
    assert said["created_at"] == {"path": "at", "unit": "s since 1970"}
    assert said["id"] == {"path": "leg.code and at"}


def test_the_example_of_a_mapped_feed_is_a_record_that_its_mapping_reads() -> None:
    feed = gates()
    [raw] = GATES.split(example_record(feed))
    event = Validator(feed).event(GATES.reader(feed)(raw), 1_800_000_000_000)
    assert event.given_id
