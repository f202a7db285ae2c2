import dataclasses
import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.publishing import render
from kuaibao.bulletin.sources import SourceSettings
from kuaibao.bulletin.sources.bibliography import read_ris

LINE = re.compile(r"[A-Z][A-Z0-9]  - [^\r\n]*")
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def text_of(issue):
    return render(issue, ["ris"])[0]["ris"].decode("utf-8")


def read(text):
    return read_ris(text, "own", SourceSettings(), NOW)


def with_papers(issue, *changes):
    section = issue.sections[3]
    items = []
    for change in changes:
        story = section.items[0].item
        entry = dataclasses.replace(story.lead, **change)
        items.append(dataclasses.replace(section.items[0], item=dataclasses.replace(story, entries=(entry,))))  # fmt: skip
    return dataclasses.replace(issue, sections=(dataclasses.replace(section, items=tuple(items)),))


def test_a_paper_keeps_its_names_numbers_and_date(english_issue):
    text = text_of(english_issue)
    assert text.startswith("TY  - CPAPER\r\n")
    assert text.endswith("ER  - \r\n")
    for line in ("AU  - Zhang, Jing Qi", "AU  - The Text & Data Group", "DO  - 10.1000/ex.2020_1",
                 "AN  - arXiv:2006.00001v2", "PY  - 2020", "DA  - 2020/06/03/",
                 "T2  - Proceedings of the Example Conference"):  # fmt: skip
        assert f"\r\n{line}\r\n" in text
    (paper,) = read(text)
    lead = english_issue.sections[3].items[0].item.lead
    assert (paper.title, paper.authors, paper.url) == (lead.title, lead.authors, lead.url)
    assert dict(paper.identifiers)["doi"] == "10.1000/ex.2020_1"
    assert paper.published.day == lead.published.day


def test_journals_preprints_and_chinese_names_have_their_own_form(english_issue):
    text = text_of(with_papers(
        english_issue, {"venue": "Journal of Examples"}, {"venue": "", "authors": ("张三", "Müller, Jürgen")},
    ))  # fmt: skip
    assert re.findall(r"TY  - (\w+)", text) == ["JOUR", "GEN"]
    assert "AU  - 张三\r\n" in text
    assert "AU  - Müller, Jürgen\r\n" in text


def test_an_issue_without_papers_gives_an_empty_file(english_issue):
    assert text_of(dataclasses.replace(english_issue, sections=english_issue.sections[:2])) == ""


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_title_and_author_stay_on_their_lines(english_issue, title, author):
    text = text_of(with_papers(english_issue, {"title": title, "authors": (author,)}, {}))
    lines = [line for line in text.split("\r\n") if line]
    assert all(LINE.fullmatch(line) for line in lines)
    assert [line for line in lines if line[:2] in ("TY", "ER")] == ["TY  - CPAPER", "ER  - "] * 2
