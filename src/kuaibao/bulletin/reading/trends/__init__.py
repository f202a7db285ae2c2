"""Text mining over the archive: key phrases, what rises and falls by month, what goes together."""

from kuaibao.bulletin.reading.trends.page import trends_page
from kuaibao.bulletin.reading.trends.trends import (
    Cluster,
    Dot,
    PhraseTrend,
    Together,
    Trends,
    find_trends,
)

__all__ = ["Cluster", "Dot", "PhraseTrend", "Together", "Trends", "find_trends", "trends_page"]
