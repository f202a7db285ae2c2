"""Entries are joined to stories by an index: identifiers whatever the kind, addresses, titles, texts."""

from kuaibao.bulletin.model import Entry
from kuaibao.bulletin.reading import canonical_url, claims_of

TEXT = (
    "The national library has begun to print a bulletin about research in the open, made from several hundred sources "
    "by editors who sign what they have translated or checked, so that every sentence can be traced to the place where "
    "it was first said, and readers may choose what matters to them and leave out what they have read before elsewhere."
)  # fmt: skip


def _entry(**more):
    return Entry(**{"source_id": "s", "entry_id": "e", **more})


def _shared(a, b):
    keys = {c.key for c in claims_of(a)}
    return [c.reason for c in claims_of(b) if c.key in keys]


def test_news_about_a_paper_is_told_with_the_paper():
    paper = _entry(kind="paper", title="Summaries", identifiers=(("doi", "10.1000/ABC"),))
    news = _entry(kind="news", title="New summaries", identifiers=(("doi", "10.1000/abc"),))
    assert _shared(paper, news) == ["same DOI 10.1000/abc"]


def test_versions_of_a_preprint_are_one():
    a = _entry(kind="paper", identifiers=(("arxiv", "2006.00001v1"),))
    assert _shared(a, _entry(kind="paper", identifiers=(("arxiv", "2006.00001v3"),)))


def test_a_story_that_was_slightly_rewritten_is_one():
    a = _entry(kind="news", title="Library prints bulletin", summary=TEXT)
    b = _entry(kind="news", title="A bulletin from the library", summary=TEXT + " More soon.")
    assert "nearly the same text" in _shared(a, b)


def test_a_standing_text_under_other_titles_is_not_one_story():
    a = _entry(kind="news", title="Sparrows return", summary=TEXT)
    assert not _shared(a, _entry(kind="news", title="Bridge closed", summary=TEXT))


def test_numbers_in_titles_keep_forms_apart():
    a = _entry(kind="news", title="Bulletin 12 of the library", summary=TEXT)
    assert not _shared(a, _entry(kind="news", title="Bulletin 13 of the library", summary=TEXT))


def test_addresses_have_one_spelling():
    for url in ("http://www.e.org/a/?utm_source=x&b=1", "https://e.org:443/a?b=1#top"):
        assert canonical_url(url) == "e.org/a?b=1"
