"""Records that tell one story are joined with a reason; those that only look alike are not."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kuaibao.bulletin.reading.dedupe import group_records
from kuaibao.bulletin.reading.dedupe.records import make_record, surname
from kuaibao.cli.dedupe import app

ABSTRACT = (
    "We present a method for abstractive summarization of long documents. The method removes whole sentences "
    "from the text and learns to write them again from what remains. On twelve data sets it reaches the best "
    "results known, and with a thousand examples it surpasses what was known on six of them."
)
OTHER = (
    "Graph layout by constrained optimization is slow on large diagrams. This work compiles a diagram into a tape "
    "of operations that a small machine runs over many candidates at once, and shows that line search with stages "
    "finds good layouts in less time than the peers do, with all constraints satisfied."
)


def _same(a, b, *more):
    found = group_records(make_record({"id": n, **raw}) for n, raw in enumerate((a, b, *more)))
    return found.joins[0][0].rule if found.groups and found.groups[0][:2] == (0, 1) else ""


@pytest.mark.parametrize(
    ("a", "b", "rule"),
    [
        ({"doi": "10.1000/ABC"}, {"DOI": "https://doi.org/10.1000/abc"}, "doi"),
        ({"arxiv": "2006.00001v1"}, {"url": "https://arxiv.org/abs/2006.00001v3"}, "arxiv"),
        ({"arxiv_id": "2006.00001"}, {"doi": "10.48550/arXiv.2006.00001"}, "arxiv"),
        ({"externalIds": {"ArXiv": "2006.00001"}}, {"eprint": "arXiv:2006.00001v2"}, "arxiv"),
        ({"pmid": 123456}, {"pmid": "PMID:123456"}, "pmid"),
        ({"doi": "10.1101/2020.01.02.123456v1"}, {"doi": "10.1101/2020.01.02.123456v2"}, "doi"),
        ({"url": "https://www.e.org/a/?utm_source=x#top", "title": "News of A"}, {"url": "http://e.org/a", "title": "News of A"}, "url"),
        ({"url": "http://e.org/", "title": "One"}, {"url": "http://e.org/", "title": "Two"}, ""),
        ({"url": "http://e.org/list", "title": "Library opens late"}, {"url": "http://e.org/list", "title": "Sparrows return"}, ""),
        ({"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee", "Bo Chen"], "year": 2019},
         {"title": "Extracted Gap-Sentences for Summarization.", "authors": "Lee, A.; Chen, B.", "year": 2020, "doi": "10.1/x"}, "title"),
        ({"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee"]},
         {"title": "Extracted gap sentences for summarization", "authors": ["Cy Diaz"]}, ""),
        ({"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee"], "doi": "10.1000/1"},
         {"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee"], "doi": "10.2000/2"}, ""),
        ({"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee"], "arxiv": "1912.08777"},
         {"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee"], "doi": "10.2000/2"}, "title"),
        ({"title": "Correction: Extracted gap sentences for summarization", "authors": ["Ann Lee"]},
         {"title": "Extracted gap sentences for summarization", "authors": ["Ann Lee"]}, ""),
        ({"title": "Trial of a vaccine in mice: part I", "authors": ["Ann Lee"]}, {"title": "Trial of a vaccine in mice: part II", "authors": ["Ann Lee"]}, ""),
        ({"title": "A trial of the new vaccine in mice", "authors": ["Ann Lee"]}, {"title": "A trial of the new vaccine in rats", "authors": ["Ann Lee"]}, ""),
        ({"title": "Summarization of long documents", "authors": ["Ann Lee"]}, {"title": "Summarisation of long docuemnts", "authors": ["Ann Lee"]}, "title"),
        ({"title": "Summarization of long documents", "authors": ["Ann Lee"]},
         {"title": "Summarization of long documents: a study of twelve data sets", "authors": ["Ann Lee"]}, "title"),
        ({"title": "图书馆科学动态快报的编印与检索研究", "authors": ["李四"]}, {"title": "圖書館科學動態快報的編印與檢索研究", "authors": ["李四"]}, "title"),
        ({"title": "Weekly news", "date": "2020-06-01"}, {"title": "Weekly news", "date": "2020-06-08"}, ""),
        ({"title": "Annual report of the national library of examples", "date": "2019-06-01"},
         {"title": "Annual report of the national library of examples", "date": "2020-06-01"}, ""),
        ({"title": "National library of examples opens its archive to all", "date": "2020-06-01"},
         {"title": "National Library of Examples opens its archive to all", "date": "2020-06-02"}, "title"),
        ({"title": "A", "abstract": ABSTRACT}, {"title": "B", "abstract": ABSTRACT.replace("whole", "entire")}, "text"),
        ({"title": "A", "abstract": ABSTRACT}, {"title": "B", "abstract": OTHER}, ""),
        ({"abstract": f"{ABSTRACT} In 2019 it took 12 days and 4 machines."}, {"abstract": f"{ABSTRACT} In 2020 it took 17 days and 6 machines."}, ""),
        ({"title": "Release 1.2 of the tool", "text": ABSTRACT}, {"title": "Release 1.3 of the tool", "text": ABSTRACT.replace("twelve", "all")}, ""),
    ],
)  # fmt: skip
def test_what_is_one_story_and_what_is_not(a, b, rule):
    assert _same(a, b) == rule
    assert bool(_same(b, a)) == bool(rule)


def test_a_preprint_and_two_publications_are_not_chained_together():
    """The preprint fits both, but their identifiers keep them apart."""
    title, authors = "Extracted gap sentences for summarization", ["Ann Lee"]
    raw = [
        {"id": "a", "title": title, "authors": authors, "doi": "10.1000/1"},
        {"id": "p", "title": title, "authors": authors, "arxiv": "1912.08777"},
        {"id": "b", "title": title, "authors": authors, "doi": "10.2000/2"},
    ]
    found = group_records(map(make_record, raw))
    assert [len(group) for group in found.groups] == [2]


@pytest.mark.parametrize(
    ("name", "folded"),
    [("Ann Lee", "lee"), ("Lee, Ann", "lee"), ("Lee A", "lee"), ("A. B. Müller", "muller"), ("Martin King Jr.", "king"), ("李四", "李四")],
)  # fmt: skip
def test_family_names_are_told_in_every_order(name, folded):
    assert surname(name) == folded


@pytest.mark.parametrize(
    "authors",
    [
        ["Ann Lee", "Bo Chen"],
        "Ann Lee and Bo Chen",
        "Lee, Ann; Chen, Bo",
        "Ann Lee, Bo Chen",
        "Lee A, Chen B, et al.",
        [{"name": "Ann Lee"}, {"name": "Bo Chen"}],
        [{"family": "Lee", "given": "Ann"}, {"family": "Chen", "given": "Bo"}],
        [{"author": {"display_name": "Ann Lee"}}, {"author": {"display_name": "Bo Chen"}}],
    ],
)
def test_authors_are_read_in_every_shape(authors):
    assert make_record({"authors": authors}).surnames == {"lee", "chen"}


def test_authors_of_marks_alone_are_nobody():
    assert make_record({"authors": ","}).surnames == frozenset()


def test_the_groups_do_not_depend_on_the_order_of_the_records():
    raw = [
        {"id": f"{story}.{n}", "title": f"Story number {story} of a library in the town", "doi": f"10.1000/{story}" if n else "",
         "authors": ["Ann Lee"], "year": 2020}
        for story in ("one", "two", "three") for n in range(3)
    ]  # fmt: skip
    shapes = set()
    for seed in range(5):
        random.Random(seed).shuffle(raw)
        found = group_records(map(make_record, raw))
        shapes.add(frozenset(frozenset(group) for group in found.groups))
    assert len(shapes) == 1
    assert len(next(iter(shapes))) == 3


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["id", "title", "authors", "doi", "url", "abstract", "date", "externalIds"]),
            st.recursive(st.none() | st.integers() | st.text(max_size=20), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=2), max_leaves=4),
        ),
        max_size=5,
    )
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_no_record_raises_and_none_is_lost(raw):
    found = group_records(make_record(r, n) for n, r in enumerate(raw))
    assert sum(map(len, found.groups)) + len(found.singles) == len(raw)


def test_the_command_gives_groups_with_reasons(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text(
        '{"id": "a", "doi": "10.1000/1"}\n\n{"id": "b", "doi": "10.1000/1"}\n{"id": "c"}\n'
    )
    run = CliRunner().invoke(app, [str(path), "--json"])
    assert json.loads(run.stdout) == {
        "records": 3,
        "groups": [
            {
                "ids": ["a", "b"],
                "joins": [{"ids": ["a", "b"], "rule": "doi", "reason": "same DOI 10.1000/1"}],
            }
        ],
        "singles": ["c"],
    }


def test_a_line_that_is_no_record_is_named(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "a"}\nnonsense\n')
    error = CliRunner().invoke(app, [str(path)]).exception
    assert f"{path}:2: no JSON" in str(error)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"title": "The ADABAS Buffer Pool Manager", "authors": "Harald Schning", "year": 1998}, {"title": "The ADABAS Buffer Pool Manager", "authors": "Harald Schöning", "year": 1998}),
        ({"title": "Things every replication customer should know (abstract)", "authors": "Rob Goldring", "year": 1995}, {"title": "Things Every Replication Customer Should Know", "authors": "Rob Golding", "year": 1995}),
        ({"title": "Structured und Unstructured Data in the Web: Back and Forth", "authors": "P. Atzeni", "year": 1997}, {"title": "Structured and unstructured data in the web: back and forth", "authors": "Paolo Atzeni", "year": 1997}),
    ],
)  # fmt: skip
def test_lost_letters_and_forms_of_a_meeting_keep_no_record_apart(left, right):
    records = [make_record({"id": "l", **left}), make_record({"id": "r", **right})]
    assert group_records(records).groups == (("l", "r"),)


def test_an_abstract_of_another_year_is_another_work():
    left = {"id": "l", "title": "Things every replication customer should know (abstract)", "authors": "Rob Goldring", "year": 1995}  # fmt: skip
    right = {"id": "r", "title": "Things every replication customer should know", "authors": "Rob Goldring", "year": 1997}  # fmt: skip
    assert group_records([make_record(left), make_record(right)]).groups == ()
