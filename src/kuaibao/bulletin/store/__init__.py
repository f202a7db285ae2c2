"""The bulletin's memory: entries as they came, items, drafts, signatures, issues."""

from kuaibao.bulletin.store.archive import (
    Found,
    Restriction,
    read_restrictions,
    search_archive,
)
from kuaibao.bulletin.store.codec import entry_hash, hash_issue, reference, storable
from kuaibao.bulletin.store.dates import day_range, days_before, last_day
from kuaibao.bulletin.store.decisions import (
    Action,
    Decision,
    insert_decision,
    list_decisions,
    newest_items,
    record_decision,
)
from kuaibao.bulletin.store.drafts import (
    StoredDraft,
    all_issues,
    get_draft,
    get_issue,
    printed_items,
    published_files,
    save_draft,
    save_issue,
    save_publication,
    save_signatures,
    signatures_of,
)
from kuaibao.bulletin.store.items import (
    JoinCounts,
    Sameness,
    get_items,
    items_since,
    join_entries,
    page_texts_of_run,
    save_page_text,
)
from kuaibao.bulletin.store.store import BATCH, FetchRecord, Run, Store, StoredEntry

__all__ = [
    "BATCH",
    "Action",
    "Decision",
    "FetchRecord",
    "Found",
    "JoinCounts",
    "Restriction",
    "Run",
    "Sameness",
    "Store",
    "StoredDraft",
    "StoredEntry",
    "all_issues",
    "day_range",
    "days_before",
    "entry_hash",
    "get_draft",
    "get_issue",
    "get_items",
    "hash_issue",
    "insert_decision",
    "items_since",
    "join_entries",
    "last_day",
    "list_decisions",
    "newest_items",
    "page_texts_of_run",
    "printed_items",
    "published_files",
    "read_restrictions",
    "record_decision",
    "reference",
    "save_draft",
    "save_issue",
    "save_page_text",
    "save_publication",
    "save_signatures",
    "search_archive",
    "signatures_of",
    "storable",
]
