"""Every kind of source against answers recorded by hand in its server's form."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kuaibao.bulletin.sources import make_source, source_kinds
from kuaibao.bulletin.sources.errors import SourceSettingError
from kuaibao.bulletin.sources.library import read_library
from kuaibao.bulletin.sources.opml import Subscription, read_opml, write_opml
from kuaibao.bulletin.sources.page import readable_diff
from kuaibao.errors import InputError
from kuaibao.fetching import (
    FetchError,
    GoneError,
    NotNowError,
    Response,
    RobotsError,
    StatusError,
    ThrottledError,
    Validators,
)

RECORDED = Path(__file__).parent / "recorded"
EXAMPLES = {
    "arxiv": {"categories": ["cs.DL"]}, "conferences": {"path": "x"}, "crossref": {}, "feed": {"url": "http://e.org"},
    "folder": {"path": "."}, "github": {"repositories": ["o/r"]}, "ical": {"path": "x"}, "mailbox": {"path": "x"},
    "npm": {"packages": ["a"], "base_url": "https://n.example"}, "openalex": {}, "openreview": {"venue_id": "V"},
    "packages": {}, "page": {"url": "http://e.org", "selector": "li"},
    "pypi": {"packages": ["a"], "base_url": "https://p.example"}, "semantic-scholar": {"query": "x"},
    "zotero": {"library_id": 1},
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(source_kinds()))
def test_each_kind_is_made_refuses_unknown_settings_and_explains_its_own(kind):
    source = make_source("s", kind, EXAMPLES[kind])
    assert (source.kind, source.source_id) == (kind, "s")
    with pytest.raises(SourceSettingError, match=r"unknown setting 'limt'.*'limit'"):
        make_source("s", kind, {**EXAMPLES[kind], "limt": 3})
    own = source.settings_type.__annotations__
    fields = source.settings_type.__pydantic_fields__
    assert all(fields[name].description for name in own), "a setting has no words"


def test_an_unknown_kind_gets_the_nearest():
    with pytest.raises(SourceSettingError, match="Did you mean 'arxiv'"):
        make_source("s", "arxv", {})


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(SourceSettingError) as caught:
        make_source("s", "arxiv", {"categories": "cs.CL", "via": "ftp", "limit": "many"})
    assert all(name in str(caught.value) for name in ("categories", "via", "limit"))


def test_arxiv_search(ask, network):
    network.answers["https://export.arxiv.org/api/query"] = "arxiv_api.xml"
    result = ask("arxiv", {"categories": ["cs.DL", "cs.CL"], "query": "all:cards"})
    paper, old = result.entries
    assert result.status == "new"
    assert paper.title == "Reading Long Library Catalogues"
    assert paper.summary == "We read catalogues of a million cards."
    assert paper.authors == ("Ann Lee", "Bo Chen")
    assert paper.identifiers == (("arxiv", "2006.12345v2"), ("doi", "10.1000/xyz.1"))
    assert paper.categories == ("cs.DL", "cs.CL")
    assert paper.venue == "J. Cat. 1 (2020)"
    assert old.identifiers == (("arxiv", "hep-th/9901001v1"),)
    assert "sortBy=submittedDate" in network.asked[0]["url"]


def test_arxiv_s_index_that_is_behind_is_said_to_lag(ask, network):
    network.answers["https://export.arxiv.org"] = "arxiv_api.xml"
    assert (
        ask("arxiv", {"categories": ["cs.DL"]}, now=datetime(2020, 6, 28, tzinfo=UTC)).status
        == "lagging"
    )


def test_arxiv_announcements(ask, network):
    network.answers["https://rss.arxiv.org/rss/cs.DL"] = "arxiv_rss.xml"
    (paper,) = ask("arxiv", {"categories": ["cs.DL"], "via": "rss"}).entries
    assert paper.summary == "Cards become graphs."
    assert paper.authors == ("Ann Lee", "Bo Chen")
    assert paper.identifiers == (("arxiv", "2006.00077v1"),)
    assert paper.kind == "paper"


def test_arxiv_harvest_goes_on_page_by_page_and_day_by_day(ask, network):
    start = "https://oaipmh.arxiv.org/oai"
    network.answers[start] = ["arxiv_oai.xml", "arxiv_oai_end.xml"]
    result = ask("arxiv", {"categories": ["cs.DL"], "via": "oai"})
    (paper,) = result.entries
    assert (paper.authors, paper.licence) == (
        ("Ann Lee",),
        "http://creativecommons.org/licenses/by/4.0/",
    )
    assert paper.published.precision == "day"
    assert "set=cs%3Acs%3ADL" in network.asked[0]["url"]
    assert "resumptionToken=next-page-1" in network.asked[1]["url"]
    network.answers[start] = ["arxiv_oai_end.xml"]
    ask("arxiv", {"categories": ["cs.DL"], "via": "oai"}, result.state)
    assert "from=2020-06-17" in network.asked[2]["url"]


def test_openalex(ask, network):
    network.answers["https://api.openalex.org/works"] = "openalex.json"
    result = ask("openalex", {"query": "cards", "key_env": "OA"}, secrets={"OA": "hidden-key"})
    paper = result.entries[0]
    assert paper.summary == "Open cards and cards"
    assert paper.authors == ("Ann Lee",)
    assert dict(paper.identifiers) == {
        "doi": "10.1000/oa.1",
        "arxiv": "2006.00099",
        "openalex": "https://openalex.org/W1",
    }
    assert paper.licence == "cc-by"
    assert "hidden-key" in network.asked[0]["url"]
    assert "hidden-key" not in repr(result)


def test_crossref(ask, network):
    network.answers["https://api.crossref.org/works"] = "crossref.json"
    (paper,) = ask("crossref", {"query": "cards", "issn": ["1234-5678"]}).entries
    assert paper.title == "On cards & graphs"
    assert paper.authors == ("Ann Lee", "The Card Group")
    assert (paper.published.precision, paper.summary, paper.venue) == (
        "month",
        "We sort cards.",
        "Journal of Cards",
    )


def test_semantic_scholar(ask, network):
    network.answers["https://api.semanticscholar.org/graph"] = "semantic_scholar.json"
    (paper,) = ask(
        "semantic-scholar", {"query": "cards", "key_env": "S2"}, secrets={"S2": "k"}
    ).entries
    assert paper.identifiers == (("doi", "10.1000/s2.1"), ("arxiv", "2006.00100"))
    assert paper.published.precision == "year"
    assert network.asked[0]["headers"]["x-api-key"] == "k"


@pytest.mark.parametrize(
    ("version", "file", "title"),
    [("2", "openreview2.json", "Wrapped values"), ("1", "openreview1.json", "Plain values")],
)
def test_openreview_s_two_interfaces(ask, network, version, file, title):
    network.answers["https://api"] = file
    (paper,) = ask(
        "openreview", {"venue_id": "ICLR.cc/2021/Conference", "version": version}
    ).entries
    assert paper.title == title
    assert paper.authors
    assert paper.published.value.year == 2020


def test_github_releases(ask, network):
    network.answers["https://api.github.com/repos/o/cards/releases"] = "github.json"
    (release,) = ask("github", {"repositories": ["o/cards"]}).entries
    assert (release.title, release.kind, release.entry_id) == (
        "cards 1.2.0",
        "tool",
        "o/cards@v1.2.0",
    )
    assert release.summary == "New\n\nsorts faster"
    assert len(ask("github", {"repositories": ["o/cards"], "prereleases": True}).entries) == 2


def test_one_repository_that_is_away_does_not_silence_the_others(ask, network):
    network.answers["https://api.github.com/repos/o/cards/releases"] = "github.json"
    network.answers["https://api.github.com/repos/o/away"] = StatusError("u", 404)
    result = ask("github", {"repositories": ["o/away", "o/cards"]})
    assert (result.status, len(result.problems)) == ("new", 1)
    assert ask("github", {"repositories": ["o/away"]}).status == "broken"


def test_package_indexes(ask, network):
    network.answers |= {
        "https://p.example/pypi/cards/json": "pypi.json",
        "https://n.example/@o": "npm.json",
    }
    found = ask("pypi", {"packages": ["Cards"], "base_url": "https://p.example"}).entries
    assert [e.entry_id for e in found] == ["cards==1.1", "cards==1.0"], (
        "yanked and empty versions are none"
    )
    found = ask(
        "npm", {"packages": ["@o/cards"], "base_url": "https://n.example/", "newest": 1}
    ).entries
    assert [e.title for e in found] == ["@o/cards 1.1.0"]


def test_zotero(ask, network):
    network.answers["https://api.zotero.org/users/7/items/top"] = "zotero.json"
    (paper,) = ask("zotero", {"library_id": 7, "key_env": "Z"}, secrets={"Z": "zk"}).entries
    assert (paper.title, paper.authors) == ("Kept cards", ("Ann Lee", "Card Group"))
    assert paper.published.precision == "month"
    assert network.asked[0]["headers"]["Zotero-API-Key"] == "zk"


def test_calls_for_papers(ask):
    settings = {"path": str(RECORDED / "calls.yml")}
    icadl, cards = ask("conferences", settings).entries
    meeting = icadl.conference
    assert (meeting.start, meeting.end, meeting.place) == (
        date(2020, 11, 30),
        date(2020, 12, 1),
        "Kyoto, Japan",
    )
    assert meeting.deadline.value.isoformat() == "2020-07-02T11:59:59+00:00"
    assert meeting.deadline.zone == "AoE"
    assert cards.conference.deadline.precision == "day", "no hour is invented"
    assert cards.conference.place == "Nanjing, China"
    assert icadl.categories == ("DB", "CCF C")
    assert len(ask("conferences", {**settings, "past": True}).entries) == 3
    assert [e.entry_id for e in ask("conferences", {**settings, "areas": ["ai"]}).entries] == [
        "cards21"
    ]


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['true']", "- a: [b", "x: &a [*a]", "[" * 3000]
)
def test_yaml_that_would_run_or_grow_is_refused(ask, tmp_path, text):
    (tmp_path / "c.yml").write_text(text)
    assert ask("conferences", {"path": "c.yml"}).status in ("changed_layout", "broken")


def test_a_page_as_a_list(ask, network):
    network.answers["http://e.org/"] = "page.html"
    settings = {"url": "http://e.org/", "selector": "ul.news li", "date": "time", "summary": ".s"}
    result = ask("page", settings)
    first, second = result.entries
    assert (first.title, first.url, first.summary) == (
        "开放图书馆 opens",
        "http://e.org/n/2",
        "It opens.",
    )
    assert second.published.day == date(2020, 6, 1)
    assert network.asked[0]["robots"]
    assert ask("page", settings, result.state).status == "nothing_new"


def test_a_page_whose_layout_changed_is_not_a_page_without_news(ask, network):
    network.answers["http://e.org/"] = "page.html"
    result = ask("page", {"url": "http://e.org/", "selector": "div.gone"})
    assert result.status == "changed_layout"
    assert "div.gone" in result.message
    assert ask("page", {"url": "http://e.org/", "selector": "li[["}).status == "broken"


def test_a_watched_text_tells_what_changed(ask, network):
    page = (RECORDED / "page.html").read_bytes()
    settings = {"url": "http://e.org/", "selector": "main", "mode": "text"}
    network.answers["http://e.org/"] = page
    first = ask("page", settings)
    assert (first.status, first.entries) == ("nothing_new", ())
    assert ask("page", settings, first.state).status == "nothing_new"
    network.answers["http://e.org/"] = page.replace(b"9 to 5", b"9 to 8")
    (change,) = ask("page", settings, first.state).entries
    assert change.summary == "− Hours: 9 to 5\n+ Hours: 9 to 8\n  Closed on Sunday"


def test_a_readable_diff_leaves_out_what_is_far_away():
    before = "\n".join(f"line {n}" for n in range(30))
    after = before.replace("line 3\n", "").replace("line 25", "line twenty-five")
    assert readable_diff(before, after).splitlines() == [
        "  line 2", "− line 3", "  line 4", "…", "  line 24", "− line 25", "+ line twenty-five", "  line 26",
    ]  # fmt: skip


def test_a_maildir(ask, tmp_path):
    for name in ("cur", "new", "tmp"):
        (tmp_path / "m" / name).mkdir(parents=True)
    (tmp_path / "m/new/1").write_bytes((RECORDED / "mail.eml").read_bytes())
    (tmp_path / "m/cur/2").write_bytes(b"\xff\xfe\x00 not a mail")
    result = ask("mailbox", {"path": "m", "senders": "cards.example"})
    (mail,) = result.entries
    assert mail.title == "卡片快报 No. 3"
    assert (mail.venue, mail.authors) == ("Card News", ("Card News",))
    assert mail.url == "https://cards.example/3?a=1&b=2"
    assert "Many new cards" in mail.content
    assert "t.example" not in mail.content
    assert (mail.published.zone, mail.published.value.hour) == ("+0800", 1)


def test_a_mail_server_goes_through_the_guard_and_its_password_stays_hidden(ask):
    settings = {"host": "imap.example", "user": "me", "password_env": "PW"}
    result = ask("mailbox", settings, secrets={"PW": "hidden"})
    assert result.status == "broken"
    assert "hidden" not in repr(result)
    assert "PW" in ask("mailbox", settings).message


def test_opml_goes_in_and_out():
    found = read_opml((RECORDED / "subscriptions.opml").read_bytes())
    assert [(s.url, s.title, s.folder) for s in found] == [
        ("https://a.example/rss", "快报", "Libraries / Chinese"),
        ("https://b.example/atom", "B", "Libraries"),
        ("https://c.example/feed", "C", ""),
    ]
    assert read_opml(write_opml(found)) == found
    awkward = [Subscription(url="http://e.org/?a=1&b=2", title="\x00<&>\"'", folder="A / B")]
    assert read_opml(write_opml(awkward))[0].url == awkward[0].url


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html/>",
        b"\x00\x01",
        b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>',
    ],
)
def test_what_is_no_opml_is_refused(data):
    with pytest.raises(InputError):
        read_opml(data)


def test_a_library_is_read_from_every_export(tmp_path):
    (tmp_path / "a.bib").write_text(
        "@article{k, title={Caf{\\'e} {C}ards}, author={Lee, Ann and Bo Chen}, year=2020, eprint={2006.1}, archivePrefix={arXiv}}"
    )
    (tmp_path / "a.ris").write_text(
        "TY  - JOUR\nTI  - Cards\nAU  - Lee, Ann\nPY  - 2020/06\nDO  - 10.1000/R\nER  - \n"
    )
    (tmp_path / "a.json").write_text(
        '[{"id": "x", "title": "Cards", "author": [{"family": "Lee", "given": "Ann"}], "issued": {"date-parts": [[2020, 6, 1]]}}]'
    )
    for name, title, precision in (
        ("a.bib", "Café Cards", "year"),
        ("a.ris", "Cards", "month"),
        ("a.json", "Cards", "day"),
    ):
        (entry,) = read_library(tmp_path / name)
        assert entry.title == title
        assert entry.authors[0] == "Ann Lee"
        assert entry.published.precision == precision
    with pytest.raises(InputError):
        read_library(tmp_path / "a.docx")


FEED = b'<rss version="2.0"><channel><title>F</title><item><guid isPermaLink="false">1</guid><title>One</title><link>http://e.org/1</link></item></channel></rss>'


def test_a_feed_remembers_versions_moves_and_what_was_seen(ask, network):
    network.answers["http://e.org/f"] = Response(
        url="http://e.org/g",
        status=200,
        body=FEED,
        moved_to="http://e.org/g",
        validators=Validators(etag='W/"x"'),
    )
    first = ask("feed", {"url": "http://e.org/f"})
    assert (first.status, first.entries[0].title) == ("new", "One")
    network.answers = {"http://e.org/g": Response(url="http://e.org/g", status=304)}
    second = ask("feed", {"url": "http://e.org/f"}, first.state)
    assert (second.status, second.message) == ("nothing_new", "unchanged (304)")
    assert network.asked[-1]["validators"].etag == 'W/"x"'
    network.answers = {"http://e.org/new": FEED}
    assert ask("feed", {"url": "http://e.org/new"}, first.state).status == "nothing_new"
    assert network.asked[-1]["validators"] == Validators(), "another address, another version"


@pytest.mark.parametrize(
    ("error", "status"),
    [(StatusError("u", 404), "broken"), (FetchError("u", "no"), "broken"), (GoneError("u", 410), "gone"),
     (ThrottledError("u", 429, wait_s=60), "out_of_quota"), (NotNowError("u", "later", wait_s=5), "skipped"),
     (RobotsError("u", "robots"), "skipped")],
)  # fmt: skip
def test_each_trouble_has_its_own_status(ask, network, error, status):
    network.answers["http://e.org/f"] = error
    result = ask("feed", {"url": "http://e.org/f"}, {"seen": "kept"})
    assert result.status == status
    assert result.state["seen"] == "kept"
    if status in ("gone", "out_of_quota"):
        network.asked.clear()
        again = ask("feed", {"url": "http://e.org/f"}, result.state)
        assert again.status in ("gone", "skipped")
        assert network.asked == [], "it is not asked again"


def test_a_page_in_a_feed_s_place_is_broken_not_empty(ask, network):
    network.answers["http://e.org/f"] = b"<html><body>Maintenance</body></html>"
    assert ask("feed", {"url": "http://e.org/f"}).status == "broken"
