"""Saved pages give what they say: title, article, authors, date, language, site."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import fromstring
from typer.testing import CliRunner

from kuaibao.bulletin.reading.pages import extract_page
from kuaibao.bulletin.reading.pages.dates import parse_moment
from kuaibao.bulletin.reading.pages.page import Page
from kuaibao.bulletin.reading.pages.people import clean_names, names_in_chinese
from kuaibao.bulletin.reading.pages.reader import read_page
from kuaibao.bulletin.reading.pages.regions import whole_region
from kuaibao.cli.extract import app

EN = (
    "Libraries have begun to publish their own bulletins about research in the open.",
    "The project collects notices from several hundred sources and prints a short issue each month.",
    "Readers choose what matters to them, and editors sign what they have translated or checked.",
    "According to its makers, every sentence of a summary is tied to a sentence of the source.",
)
ZH = (
    "图书馆开始自行编印科学研究动态快报，内容涵盖人工智能、数据科学与文献情报等多个领域，每月出版一期。",
    "该项目从数百个来源收集消息，由编辑挑选并翻译，每一条都注明来源、日期与编译者，方便读者查证。",
    "负责人表示，摘要中的每一句话都能追溯到原文中的句子，数字、单位与人名都会自动核对。",
    "下一步，团队计划扩大会议预告与工具介绍两个栏目，并为读者提供可以检索的历史档案。",
)


def _page(head="", top="", body=EN, foot="", lang="en", nav="Home About Contact"):
    paragraphs = "".join(f"<p>{p}</p>" for p in body)
    menu = "".join(f'<li><a href="/{w}">{w}</a></li>' for w in nav.split())
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head>{head}</head><body><nav><ul>{menu}</ul></nav>'
        f'<div class="main"><article>{top}<div class="content">{paragraphs}</div>{foot}</article></div>'
        f'<div class="sidebar"><ul>{menu * 3}</ul></div><footer>© 2020 Example. All rights reserved.</footer></body></html>'
    ).encode()


def test_json_ld_is_read_whatever_its_shape():
    graph = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "name": "The Paper", "@id": "#site"},
            {"@type": ["NewsArticle", "Article"], "headline": "Bulletins in the open", "datePublished": "2020-06-17T23:30:00+08:00",
             "author": [{"@id": "#ann"}, {"@type": "Person", "name": "Bo Chen"}], "publisher": {"name": "The Paper"},
             "keywords": "libraries, bulletins", "license": "https://creativecommons.org/licenses/by/4.0/"},
            {"@type": "Person", "@id": "#ann", "name": "Ann Lee"},
        ],
    }  # fmt: skip
    page = read_page(
        _page(f'<script type="application/ld+json">{json.dumps(graph)}</script>'),
        "http://e.org/a",
    )
    document = page.to_json()
    assert document["title"] == "Bulletins in the open"
    assert document["authors"] == ["Ann Lee", "Bo Chen"]
    assert (document["date"], document["published"]) == ("2020-06-17", "2020-06-17T23:30:00+08:00")
    assert document["site"] == "The Paper"
    assert document["categories"] == ["libraries", "bulletins"]
    assert document["licence"] == "https://creativecommons.org/licenses/by/4.0/"
    assert document["text"] == "\n\n".join(EN)


def test_a_page_without_a_picture_has_none():
    page = read_page(_page(), url="https://e.org/a")
    assert page.image == ""
    pictured = read_page(
        _page('<meta property="og:image" content="/i.png">'), url="https://e.org/a"
    )
    assert pictured.image == "https://e.org/i.png"


def test_meta_elements_of_a_paper_are_read():
    head = (
        '<meta name="citation_title" content="Evidence for summaries"><meta name="citation_author" content="Lee, Ann">'
        '<meta name="citation_author" content="Chen, Bo"><meta name="citation_publication_date" content="2020/06/17">'
        '<meta property="og:site_name" content="Open Journal"><link rel="canonical" href="/paper/1">'
    )
    page = read_page(_page(head), "https://j.org/x?utm_source=a")
    assert (page.title, page.authors) == ("Evidence for summaries", ("Ann Lee", "Bo Chen"))
    assert (page.to_json()["date"], page.published.precision) == ("2020-06-17", "day")
    assert (page.site, page.url) == ("Open Journal", "https://j.org/paper/1")


@pytest.mark.parametrize(
    ("top", "authors", "date"),
    [
        ("<h1>科学动态快报如何编印</h1><p class=info>2020年06月17日 09:30 来源：人民网 作者：李四</p>", ("李四",), "2020-06-17T09:30:00"),
        ("<h1>科学动态快报如何编印</h1><div class=source>来源：新华社 | 2020-06-17 09:30:12 | 作者：李四 王小明</div>", ("李四", "王小明"), "2020-06-17T09:30:12"),
        ("<h1>科学动态快报如何编印</h1><span>发布时间：2020-06-17</span><span>记者：李四、王小明</span>", ("李四", "王小明"), "2020-06-17"),
        ("<h1>科学动态快报如何编印</h1><div>编译：李四 &nbsp; 发布日期：2020/06/17 &nbsp; 浏览次数：125</div>", ("李四",), "2020-06-17"),
        ("<h1>科学动态快报如何编印</h1><p>时间:2020年6月17日　来源:本站　编译者：李四</p>", ("李四",), "2020-06-17"),
        ("<h1>科学动态快报如何编印</h1><p>文/李四 2020.06.17</p>", ("李四",), "2020-06-17"),
    ],
)  # fmt: skip
def test_chinese_bylines_are_read_and_left_out_of_the_text(top, authors, date):
    page = read_page(_page("<title>科学动态快报如何编印_示例网</title>", top, ZH, lang="zh-CN"))
    assert page.authors == authors
    assert page.to_json()["published"] == date
    assert page.language == "zh"
    assert page.text.startswith(ZH[0])


def test_a_chinese_page_without_article_marks_is_read_to_its_end():
    head = '<meta charset="gb2312"><title>科学动态快报如何编印</title>'
    body = "<br/>".join(f"　　{line}" for line in ZH)
    html = f"<html><head>{head}</head><body><table><tr><td>{body}</td></tr></table><p>责任编辑：王五</p></body></html>"
    page = read_page(html.encode("gb18030"))
    assert page.title == "科学动态快报如何编印"
    assert [line in page.text for line in ZH] == [True] * 4
    assert "责任编辑" not in page.text


@pytest.mark.parametrize(
    ("encoding", "meta"),
    [("gb18030", "gb2312"), ("gb18030", ""), ("big5", "big5"), ("big5", ""), ("utf-8", ""), ("utf-16", "")],
)  # fmt: skip
def test_a_page_is_read_in_its_encoding(encoding, meta):
    body = ("中文資訊處理與圖書館學術期刊的最新研究動態，由編輯挑選並翻譯。" * 6,)
    if encoding == "gb18030":
        body = ZH
    head = f'{"<!-- x -->" * 200}<meta charset="{meta}">' if meta else ""
    page = read_page(_page(head, body=body).decode().replace("©", "(c)").encode(encoding))
    assert body[0][:20] in page.text


def test_the_site_s_name_is_left_out_of_the_title():
    for title in (
        "Bulletins in the open | The Paper",
        "Bulletins in the open - The Paper",
        "The Paper | Bulletins in the open",
    ):
        head = f'<title>{title}</title><meta property="og:site_name" content="The Paper">'
        assert read_page(_page(head)).title == "Bulletins in the open"
    assert read_page(_page("<title>Bulletins in the open</title>")).title == "Bulletins in the open"


@pytest.mark.parametrize(
    "tail", ["_新闻中心_示例网", " - 中华人民共和国科学技术部", "-示例大学图书馆"]
)
def test_chinese_institutions_are_left_out_of_the_title(tail):
    page = read_page(_page(f"<title>科学动态快报如何编印{tail}</title>", body=ZH))
    assert page.title == "科学动态快报如何编印"


def test_a_table_that_only_sets_the_page_leaves_no_bars():
    body = "".join(f"<p>{line}</p>" for line in ZH)
    html = (
        "<html><head><title>科学动态快报如何编印</title></head><body><table><tr><td>科学动态快报如何编印<br>"
        f"http://www.e.cn 2020年06月17日10:05 示例网</td></tr><tr><td>{body}</td></tr></table></body></html>"
    )
    text = read_page(html.encode()).text
    assert "|" not in text
    assert text.startswith(ZH[0])


@pytest.mark.parametrize(
    ("title", "heading", "site"),
    [
        ("Bulletins in the open | The Paper", "Bulletins in the open", "The Paper"),
        ("Bulletins in the open - News - The Paper", "Bulletins in the open", "The Paper"),
        ("The Paper | Bulletins in the open", "Bulletins in the open", "The Paper"),
        ("科学动态快报如何编印_科学网", "科学动态快报如何编印", "科学网"),
        ("Bulletins in the open", "Bulletins in the open", "e.org"),
        ("Bulletins in the open: a survey", "Bulletins in the open", "e.org"),
    ],
)
def test_a_site_that_only_the_title_names_is_read_from_it(title, heading, site):
    page = read_page(
        _page(f"<title>{title}</title>", top=f"<h1>{heading}</h1>"), "https://www.e.org/a"
    )
    assert page.site == site


def test_the_account_of_a_wechat_page_is_its_site():
    top = "<h1>科学动态快报如何编印</h1><a id='js_name'> 快报编辑部 </a>"
    assert read_page(_page(top=top, body=ZH), "https://mp.weixin.qq.com/s/a").site == "快报编辑部"


def test_a_table_that_holds_menu_and_article_is_no_table():
    items = "".join(f"<li>{line}</li>" for line in EN[2:])
    html = (
        "<html><head><title>Group</title></head><body><table><tr><td><a href='a'>Home</a><br><a href='b'>People"
        f"</a></td><td><h1>Group</h1><p>{EN[0]}</p><p>{EN[1]}</p><ul>{items}</ul></td></tr></table></body></html>"
    )
    text = read_page(html.encode()).text
    assert "Home" not in text
    assert [line.removeprefix("- ") for line in text.split("\n\n")] == list(EN)


def test_lists_between_the_paragraphs_are_part_of_the_article():
    items = "".join(f"<li>{line}</li>" for line in EN[1:3])
    comment = "I tried the same thing last year and it never worked for me at all."
    html = (
        f"<html><body><div class='container'><p>{EN[0] * 3}</p><h2>Topics</h2><ul>{items}</ul><p>{EN[3] * 2}</p></div>"
        f"<ul class='comments'><li>{comment}</li></ul></body></html>"
    )
    text = read_page(html.encode()).text
    assert all(line in text for line in EN)
    assert comment not in text


@pytest.mark.parametrize("mark", ["related-stories", "sidebar", "post-comments", "nav"])
def test_a_list_that_stands_around_an_article_does_not_widen_it(mark):
    teaser = "Two villages share the cost of the bridge, while the county pays for the road."
    found = f"{EN[0]}\n{EN[3]}"
    for name, is_widened in ((mark, False), ("topics", True)):
        box = f"<div class='{name}'><ul><li>{teaser}</li></ul></div>"
        tree = fromstring(f"<body><div><p>{EN[0]}</p>{box}<p>{EN[3]}</p></div></body>")
        assert bool(whole_region(tree, found)) is is_widened


def test_the_page_of_a_paper_begins_with_its_abstract():
    html = (
        "<html><head><title>[2001.00001] Bulletins</title></head><body><div id='content'><h2>Computer Science</h2>"
        "<div>[Submitted on 10 May 2021]</div><h1><span>Title:</span>Bulletins</h1><div class='authors'><span>"
        "Authors:</span><a>Ann Lee</a>, <a>Bo Chen</a></div><blockquote class='abstract'><span>Abstract:</span>"
        f"{' '.join(EN)}</blockquote></div></body></html>"
    )
    page = read_page(html.encode())
    assert (page.title, page.authors) == ("Bulletins", ("Ann Lee", "Bo Chen"))
    assert page.text.startswith(EN[0])


def test_a_hyphen_within_a_title_stays():
    head = '<title>Self-training - a survey - The Paper</title><meta property="og:site_name" content="The Paper">'
    assert read_page(_page(head)).title == "Self-training - a survey"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Ann Lee and Bo Chen", ("Ann Lee", "Bo Chen")),
        ("Lee, Ann", ("Ann Lee",)),
        ("Ann Lee, Bo Chen, Cy Diaz", ("Ann Lee", "Bo Chen", "Cy Diaz")),
        ("Ann Lee, Staff Writer", ("Ann Lee",)),
        ("Ann Lee | Wednesday, June 17, 2020 9:30 AM", ("Ann Lee",)),
        ("李四、王小明", ("李四", "王小明")),
        ("https://e.org/ann", ()),
        ("admin", ()),
        ("Martin Luther King, Jr.", ("Martin Luther King",)),
    ],
)
def test_names_are_parted_and_cleaned(text, names):
    assert clean_names([text]) == names


@pytest.mark.parametrize(
    ("text", "iso", "precision"),
    [
        ("2020-06-17T09:30:00Z", "2020-06-17T09:30:00Z", "second"),
        ("2020-06-17T00:30:00+08:00", "2020-06-17T00:30:00+08:00", "second"),
        ("2020-06-17 00:30", "2020-06-17T00:30:00", "minute"),
        ("June 17, 2020", "2020-06-17", "day"),
        ("17 juin 2020 à 9h30", "2020-06-17T09:30:00", "minute"),
        ("17. Juni 2020", "2020-06-17", "day"),
        ("17 de junio de 2020", "2020-06-17", "day"),
        ("Jun 17th, 2020 9:30 p.m.", "2020-06-17T21:30:00", "minute"),
        ("2020年6月17日", "2020-06-17", "day"),
        ("二〇二〇", None, ""),
        ("2020年6月", "2020-06", "month"),
        ("06/17/2020", "2020-06-17", "day"),
        ("17.06.2020 09:30", "2020-06-17T09:30:00", "minute"),
        ("1592386200", "2020-06-17T09:30:00Z", "second"),
        ("nonsense", None, ""),
    ],
)
def test_dates_keep_their_precision_and_zone(text, iso, precision):
    moment = parse_moment(text)
    document = Page(published=moment).to_json()
    assert document["published"] == iso
    if moment is not None:
        assert moment.precision == precision


def test_the_language_is_the_text_s_not_the_template_s():
    assert read_page(_page(body=ZH, lang="en")).language == "zh"
    assert read_page(_page(body=EN, lang="")).language == "en"


def test_a_hostile_page_is_given_up_and_the_next_is_read():
    deep = b"<html><body>" + b"<div>" * 100_000 + b"text"
    started = time.monotonic()
    extract_page(deep, timeout_s=3.0)
    assert time.monotonic() - started < 30
    assert extract_page(_page("<title>x</title>")).text == "\n\n".join(EN)


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_no_bytes_raise(data):
    read_page(b"<html>" + data)
    read_page(data)


@given(st.lists(st.sampled_from(
    ["<p>", "</p>", "<div>", "<script type='application/ld+json'>", "</script>", '{"@type": "Article", "author": [', "]}",
     "<meta name=author content=x>", "<time datetime='2020'>", "<title>", "</title>", "文/", "来源：", "2020年13月", "<h1>", "&#0;", "\x00"]
), max_size=12))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_no_markup_raises(parts):
    read_page("".join(parts).encode())


def test_the_command_prints_one_document(tmp_path):
    path = tmp_path / "a.html"
    path.write_bytes(_page("<title>Bulletins in the open</title>"))
    run = CliRunner().invoke(app, [str(path), "--url", "https://e.org/a", "--json"])
    document = json.loads(run.stdout)
    assert document["title"] == "Bulletins in the open"
    assert document["site"] == "e.org"
    assert set(document) >= {"title", "text", "authors", "date", "language", "site"}


def test_a_pdf_is_read(tmp_path):
    import typst

    source = tmp_path / "a.typ"
    source.write_text('#set document(title: "Bulletins in the open", author: "Ann Lee")\n' + EN[0])
    page = extract_page(typst.compile(str(source)))
    assert (page.title, page.authors, page.language) == (
        "Bulletins in the open",
        ("Ann Lee",),
        "en",
    )
    assert EN[0] in page.text


WORDS = "Libraries have begun to print what their readers choose, and the readers sign what they chose. "


def _read(body, head="<title>A page</title>", **more):
    html = f"<html><head>{head}</head><body>{body}</body></html>"
    return extract_page(html.encode(), **more)


def test_prose_that_stands_bare_between_paragraphs_is_part_of_the_article():
    first = "The first sentence stands in no paragraph at all, as old pages do it, and has <b>bold</b> words."
    page = _read(
        f"<h1>A page</h1><div>{first}<p>{WORDS * 2}</p><p>{WORDS}</p>Another bare text of some length ends the article here.<p>{WORDS}</p></div>"
    )
    assert page.text.startswith("The first sentence stands in no paragraph at all")
    assert "bold words" in page.text
    assert "ends the article here" in page.text


@pytest.mark.parametrize(
    "mark", ["id='sf_comment_list'", "class='comments'", "class='comment-list'"]
)
def test_readers_comments_are_no_part_of_an_article(mark):
    article = "".join(f"<p>{WORDS}{n}</p>" for n in range(8))
    comments = "".join(
        f"<div class='entry'><p>I said so {n} years ago and nobody would listen to me at all.</p></div>"
        for n in range(5)
    )
    page = _read(f"<div><h1>A page</h1>{article}</div><div {mark}>{comments}</div>")
    assert WORDS.strip() in page.text
    assert "nobody would listen" not in page.text


def test_what_holds_only_comments_keeps_them():
    posts = "".join(f"<div class='comment'><p>{n}: {WORDS}</p></div>" for n in range(4))
    page = _read(f"<h1>What do you read?</h1><div class='comments'>{posts}</div>")
    assert all(f"{n}: {WORDS.strip()}" in page.text for n in range(4))


def test_every_post_of_a_thread_is_read_without_names_and_buttons():
    posts = "".join(
        f"<div class='post' id='p{n}'><span class='user'>user{n}</span><div class='body'><p>{n}: {WORDS * (4 - n)}</p></div><a href='#'>Reply</a></div>"
        for n in range(3)
    )
    page = _read(f"<h1>Why?</h1><div class='thread'>{posts}</div>")
    assert [line[:2] for line in page.text.split("\n\n")] == ["0:", "1:", "2:"]
    assert "Reply" not in page.text


def test_a_page_that_names_its_old_encoding_is_read_as_utf_8():
    page = _read(
        f"<p>{WORDS}</p><p>70 kilómetros de Lyon, según señaló la policía. {WORDS}</p>",
        content_type="text/html; charset=iso-8859-15",
    )
    assert "kilómetros" in page.text
    assert any("utf-8" in problem for problem in page.problems)


def test_what_follows_an_article_under_a_heading_of_its_own_is_cut_off():
    teasers = "".join(f"<p>热点{n}：某地今日举行活动</p>" for n in range(4))
    body = "".join(f"<p>{p}</p>" for p in (*ZH, *ZH))
    page = _read(f"<div>{body}<p>责任编辑：张三</p><p>相关推荐</p>{teasers}</div>")
    assert ZH[-1] in page.text
    assert "相关推荐" not in page.text
    assert "热点1" not in page.text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("记者获悉，本月伴随苹果新机发布", []),
        ("据向本报记者介绍，景区里不怕人的只有猴子", []),
        ("记者会都在问什么", []),
        ("记者 王小明 李雷", ["王小明", "李雷"]),
        ("采写：见习记者林子沛 收藏 举报", ["林子沛"]),
        ("作者：安娜·卡列尼娜、李四", ["安娜·卡列尼娜", "李四"]),
    ],
)
def test_a_reporter_who_says_something_is_no_byline(text, names):
    assert names_in_chinese(text) == names
