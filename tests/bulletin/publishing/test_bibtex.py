import dataclasses

import bibtexparser
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.publishing import render


def entries_of(issue):
    library = bibtexparser.parse_string(render(issue, ["bibtex"])[0]["bibtex"].decode("utf-8"))
    assert not library.failed_blocks
    return library.entries


def with_papers(issue, *changes):
    section = issue.sections[3]
    items = []
    for change in changes:
        story = section.items[0].item
        entry = dataclasses.replace(story.lead, **change)
        story = dataclasses.replace(story, entries=(entry,))
        items.append(dataclasses.replace(section.items[0], item=story))
    return dataclasses.replace(issue, sections=(dataclasses.replace(section, items=tuple(items)),))


def test_a_paper_has_its_type_its_names_and_its_numbers(english_issue):
    (entry,) = entries_of(english_issue)
    assert (entry.entry_type, entry.key) == ("inproceedings", "zhang2020gap")
    field = {name: f.value for name, f in entry.fields_dict.items()}
    assert field["title"] == r"{Gap sentences as a pre-training goal for summaries of \$long\$ texts}"  # fmt: skip
    assert field["author"] == r"Jing Qi Zhang and Yao Zhao and {The Text \& Data Group}"
    assert (field["doi"], field["eprint"], field["archiveprefix"]) == (r"10.1000/ex.2020\_1", "2006.00001v2", "arXiv")  # fmt: skip
    assert (field["year"], field["month"]) == ("2020", "jun")
    assert field["booktitle"] == "Proceedings of the Example Conference"
    assert field["url"] == "https://example.org/abs/2006.00001"


def test_keys_are_unique_and_plain_letters(english_issue):
    papers = [{}, {}, {"authors": ("张三",), "title": "论文"}, {"authors": (), "title": ""}, {"authors": ("Müller, Jürgen",)}]  # fmt: skip
    keys = [entry.key for entry in entries_of(with_papers(english_issue, *papers))]
    assert len(set(keys)) == 5
    assert keys[:2] == ["zhang2020gap", "zhang2020gap-2"]
    assert keys[4] == "muller2020gap"
    assert all(key.isascii() for key in keys)


def test_a_paper_without_a_venue_is_misc_and_a_journal_makes_an_article(english_issue):
    issue = with_papers(english_issue, {"venue": ""}, {"venue": "Journal of Examples"})
    assert [entry.entry_type for entry in entries_of(issue)] == ["misc", "article"]


def test_an_issue_without_papers_gives_an_empty_file(english_issue):
    issue = dataclasses.replace(english_issue, sections=english_issue.sections[:2])
    assert render(issue, ["bibtex"])[0]["bibtex"] == b""


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_title_and_author_stay_inside_their_braces(english_issue, title, author):
    issue = with_papers(english_issue, {"title": title, "authors": (author, author)}, {})
    assert len(entries_of(issue)) == 2
