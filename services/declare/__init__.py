"""Declarations: feeds and channels as a team writes them, checked the moment they are read.

A feed is a class whose attributes are its fields; a channel is a class that names its feed and
whose attributes, where it has any, are aggregates. Nothing here runs anything: the stations read
these classes. A wrong declaration raises `DeclarationError` with file, name, value and remedy.
"""

from services.declare.alerts import Alert, alert
from services.declare.channels import Channel, ChannelRef, Keep, Kind, Latest, Log, Policy, Series
from services.declare.columns import (
    Aggregate,
    Column,
    Condition,
    Field,
    FieldType,
    Flag,
    Integer,
    Moment,
    Number,
    Text,
    count,
    maximum,
    mean,
    minimum,
    quantile,
    rate,
    sum_,
    value,
)
from services.declare.declarations import Declarations
from services.declare.derived import Derived
from services.declare.enrich import Anomaly, Remembering, joined
from services.declare.error import DeclarationError, raised
from services.declare.feeds import Feed, FeedSpec, Freshness, History, Lane
from services.declare.mapping import Given, MappingFault, SourceMapping
from services.declare.personal import PERSONAL, hash_of_key, personal_columns, redacted
from services.declare.probe import PROBE_FEED, Mark, is_built_in, is_of_clients
from services.declare.retired import Retired
from services.declare.stamps import GivenTime

__all__ = [
    "PERSONAL",
    "PROBE_FEED",
    "Aggregate",
    "Alert",
    "Anomaly",
    "Channel",
    "ChannelRef",
    "Column",
    "Condition",
    "DeclarationError",
    "Declarations",
    "Derived",
    "Feed",
    "FeedSpec",
    "Field",
    "FieldType",
    "Flag",
    "Freshness",
    "Given",
    "GivenTime",
    "History",
    "Integer",
    "Keep",
    "Kind",
    "Lane",
    "Latest",
    "Log",
    "MappingFault",
    "Mark",
    "Moment",
    "Number",
    "Policy",
    "Remembering",
    "Retired",
    "Series",
    "SourceMapping",
    "Text",
    "alert",
    "count",
    "hash_of_key",
    "is_built_in",
    "is_of_clients",
    "joined",
    "maximum",
    "mean",
    "minimum",
    "personal_columns",
    "quantile",
    "raised",
    "rate",
    "redacted",
    "sum_",
    "value",
]
