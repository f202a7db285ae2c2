"""Where entries come from: one file a kind, behind one protocol."""

from kuaibao.bulletin.sources.protocol import (
    Source,
    SourceContext,
    SourceResult,
    SourceSettings,
    SourceStatus,
)
from kuaibao.bulletin.sources.registry import make_source, source_kinds

__all__ = [
    "Source",
    "SourceContext",
    "SourceResult",
    "SourceSettings",
    "SourceStatus",
    "make_source",
    "source_kinds",
]
