import dataclasses
import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.model import Draft, Entry, IssueItem, Item, PartialDate, Signature
from kuaibao.bulletin.publishing.catalogue import Catalogue
from kuaibao.bulletin.publishing.make_view import make_view, signature_line

UTC = UTC
EN, ZH = Catalogue.of("en"), Catalogue.of("zh-CN")


def paths(table, prefix=""):
    for key, value in table.items():
        yield from paths(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]


def placeholders(table):
    import string

    for path, text in itertools.chain.from_iterable(
        [(f"{name}.{key}", value) for key, value in part.items()]
        for name, part in table.items()
        if isinstance(part, dict)
    ):
        if isinstance(text, str):
            yield path, {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things():
    assert sorted(paths(EN.tables)) == sorted(paths(ZH.tables))
    english, chinese = dict(placeholders(EN.tables)), dict(placeholders(ZH.tables))
    differ = {path for path in english if english[path] != chinese[path]}
    assert differ <= {"date.no_zone", "date.range_years"}


def test_an_unknown_language_gets_english_headings():
    assert Catalogue.of("xx") is Catalogue.of("yy") or Catalogue.of("xx").language == "en"


@pytest.mark.parametrize(
    ("moment", "english", "chinese"),
    [
        (PartialDate(value=datetime(2020, 6, 9, tzinfo=UTC), precision="day"), "9 June 2020", "2020年6月9日"),
        (PartialDate(value=datetime(2020, 6, 1, tzinfo=UTC), precision="month"), "June 2020", "2020年6月"),
        (PartialDate(value=datetime(2020, 1, 1, tzinfo=UTC), precision="year"), "2020", "2020年"),
        (PartialDate(value=datetime(2020, 7, 11, 11, 59, tzinfo=UTC), precision="minute", zone="AoE"), "10 July 2020, 23:59 AoE", "2020年7月10日 23:59（AoE）"),
        (PartialDate(value=datetime(2020, 6, 30, 16, 5, tzinfo=UTC), zone="+08:00"), "1 July 2020, 00:05 +08:00", "2020年7月1日 00:05（+08:00）"),
        (PartialDate(value=datetime(2020, 6, 30, 16, 5, tzinfo=UTC), zone=""), "30 June 2020, 16:05 (time zone not stated)", "2020年6月30日 16:05（时区未注明）"),
    ],
)  # fmt: skip
def test_a_date_is_as_exact_as_its_source(moment, english, chinese):
    assert EN.moment(moment, with_time=True) == english
    assert ZH.moment(moment, with_time=True) == chinese


@pytest.mark.parametrize(
    ("first", "last", "english", "chinese"),
    [
        (date(2020, 8, 15), date(2020, 8, 15), "15 August 2020", "2020年8月15日"),
        (date(2020, 8, 15), date(2020, 8, 21), "15–21 August 2020", "2020年8月15日至21日"),
        (date(2020, 11, 30), date(2020, 12, 1), "30 November – 1 December 2020", "2020年11月30日至12月1日"),
        (date(2020, 12, 30), date(2021, 1, 2), "30 December 2020 – 2 January 2021", "2020年12月30日至2021年1月2日"),
    ],
)  # fmt: skip
def test_a_span_of_days_says_month_and_year_once(first, last, english, chinese):
    assert EN.day_range(first, last) == english
    assert ZH.day_range(first, last) == chinese


@given(st.datetimes(timezones=st.just(UTC)), st.text(max_size=8))
def test_any_moment_in_any_zone_has_words(value, zone):
    for words in (EN, ZH):
        assert words.moment(PartialDate(value=value, zone=zone), with_time=True)


def with_signatures(*signatures, is_machine=True):
    entry = Entry(source_id="s", entry_id="e")
    draft = Draft(item_id="i", language="en", title="T", strategy="lead", is_machine=is_machine)
    return IssueItem(item=Item(item_id="i", entries=(entry,)), draft=draft, signatures=signatures)


def by(role, person):
    return Signature(role=role, person=person)


@pytest.mark.parametrize(
    ("signatures", "english", "chinese"),
    [
        ([by("compiled", "X"), by("proofread", "Y")], "(compiled by X, proofread by Y)", "（X 编译，Y 校对）"),
        ([by("proofread", "Y"), by("compiled", "X"), by("compiled", "Z")], "(compiled by X and Z, proofread by Y)", "（X、Z 编译，Y 校对）"),
        ([by("translated", "X"), by("translated", "X")], "(translated by X)", "（X 翻译）"),
        ([by("compiled", " \n")], "(sentences selected by machine: lead; not yet signed by a person)", "（机器摘句：lead；尚未经人署名）"),
        ([], "(sentences selected by machine: lead; not yet signed by a person)", "（机器摘句：lead；尚未经人署名）"),
    ],
)  # fmt: skip
def test_the_signature_line_follows_from_the_work_done(signatures, english, chinese):
    item = with_signatures(*signatures)
    assert signature_line(item, EN) == english
    assert signature_line(item, ZH) == chinese


def test_a_persons_text_without_signature_is_marked_unsigned_too():
    assert signature_line(with_signatures(is_machine=False), EN) == "(not yet signed)"


def test_fields_and_facts_are_named_in_the_language_of_the_issue(chinese_issue):
    paper = make_view(chinese_issue).sections[3].items[0]
    assert [p.label for p in paper.parts] == ["背景", "创新点", "模型", "实验", "结果"]
    tool = make_view(chinese_issue).sections[2].items[0]
    assert [f.label for f in tool.facts] == ["版本", "许可", "主页"]
    assert ZH.label("Something else") == "Something else"


def test_a_title_in_the_language_of_the_source_is_not_printed_twice(english_issue):
    news = make_view(english_issue).sections[1].items
    assert news[0].original_title == ""
    assert (news[1].original_title, news[1].original_language) == (
        "开放科学基础设施建设进入新阶段",
        "zh",
    )


def test_empty_sections_are_left_out_and_missing_titles_come_from_the_catalogue(chinese_issue):
    first = chinese_issue.sections[0]
    sections = (dataclasses.replace(first, items=()), *(dataclasses.replace(s, title="") for s in chinese_issue.sections[1:]))  # fmt: skip
    view = make_view(dataclasses.replace(chinese_issue, sections=sections))
    assert [s.title for s in view.sections] == ["研究动态", "项目与工具", "最新论文", "会议预告"]
    assert [s.number for s in view.sections] == [1, 2, 3, 4]


def test_a_source_in_another_zone_keeps_its_own_day():
    late = PartialDate(value=datetime(2020, 6, 11, 17, 0, tzinfo=UTC), zone="+08:00")
    assert EN.moment(late) == "12 June 2020"
