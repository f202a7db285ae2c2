"""The desk in the browser, and its JSON API: pages over the rooms, no decisions of their own."""

from kuaibao.web.app import create_app
from kuaibao.web.newsroom import Newsroom

__all__ = ["Newsroom", "create_app"]
