"""Records that tell one story, found without comparing all with all, each join with its reason."""

from kuaibao.bulletin.reading.dedupe.groups import Grouping, Join, group_records
from kuaibao.bulletin.reading.dedupe.records import Record, read_records

__all__ = ["Grouping", "Join", "Record", "group_records", "read_records"]
