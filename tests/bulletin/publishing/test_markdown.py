import time

import pytest

from kuaibao.bulletin.publishing.markdown import parse_body, plain_text
from kuaibao.bulletin.publishing.svg import MAX_SVG_CHARACTERS, clean_svg


def html_of(text):
    return "".join(part.html for part in parse_body(text))


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <s>d</s></p>\n"),
        ("<b onclick=x>raw</b>", "<p>&lt;b onclick=x&gt;raw&lt;/b&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](//evil.example/x)", '<p><a rel="noopener noreferrer">a</a></p>\n'),
        ("![alt](https://x.example/a.png)", '<p><a href="https://x.example/a.png" rel="noopener noreferrer">alt</a></p>\n'),
        ("# one\n\n### three\n\n## two", "<h4>one</h4>\n<h5>three</h5>\n<h5>two</h5>\n"),
        ("###### six", "<h4>six</h4>\n"),
        ("```html\n<script>\n```", "<pre><code>&lt;script&gt;\n</code></pre>\n"),
    ],
)  # fmt: skip
def test_markdown_becomes_safe_html(markdown, html):
    assert html_of(markdown) == html


def test_a_fenced_block_gives_its_place_to_the_figure_drawn_from_it():
    parts = parse_body("before\n\n```penrose\na -> b\n```\n\nafter\n\n```\na -> b\n```", ["", "a -> b\n"])  # fmt: skip
    assert [part.figure for part in parts] == [None, 1, None]
    assert "a -&gt; b" in parts[2].html  # the second block of the same text stays text


def test_the_plain_text_keeps_lists_links_tables_and_quotes():
    (part,) = parse_body("1. a\n2. [b](https://x.example/)\n\n> q\n\n| h | i |\n|---|---|\n| c | d |\n\n```\ncode\n```")  # fmt: skip
    assert plain_text(part.blocks) == (
        "1. a\n2. b (https://x.example/)\n\n> q\n\nh | i\nc | d\n\n    code"
    )


@pytest.mark.parametrize("text", ["> " * 50_000 + "x", "*" * 100_000, "[" * 50_000, "`" * 50_001, "- " * 20_000])  # fmt: skip
def test_hostile_markdown_is_read_in_bounded_time(text):
    start = time.process_time()
    parse_body(text)
    assert time.process_time() - start < 60


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="20">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='alert(1)'/></foreignObject>",
        "<rect onload='alert(1)' width='1'/>",
        "<use href='https://evil.example/x.svg#a'/>",
        "<use xlink:href='data:image/svg+xml;base64,AAAA'/>",
        "<image href='https://evil.example/x.png'/>",
        "<rect fill='url(https://evil.example/#a)'/>",
        "<rect style='fill:url(//evil.example)'/>",
        "<style>@import 'https://evil.example';</style>",
        "<a href='javascript:alert(1)'><text>x</text></a>",
        "<set attributeName='href' to='javascript:alert(1)'/>",
        "<text><![CDATA[</svg><script>alert(1)</script>]]></text>",
        "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    ],
)
def test_nothing_live_and_nothing_foreign_stays_in_a_drawing(inside):
    clean = clean_svg(SVG.format(inside))
    assert clean.startswith("<svg")
    for word in ("<script", "evil", "onload", "javascript:", "<image", "foreignObject", "<style", "data:"):  # fmt: skip
        assert word not in clean, clean


def test_ids_are_prefixed_wherever_they_are_meant():
    source = SVG.format(
        "<defs><linearGradient id='g'/></defs><rect fill='url(#g)'/><use xlink:href='#g'/>"
        "<rect style='stroke: url(\"#g\"); stroke-width: 2; position: fixed'/>"
    )
    clean = clean_svg(source, prefix="p-")
    assert clean.count("#p-g") == 3
    assert 'id="p-g"' in clean
    assert 'stroke-width="2"' in clean
    assert "position" not in clean
    assert 'viewBox="0 0 10 20"' in clean


@pytest.mark.parametrize(
    "source",
    [
        "", "no xml", "<html/>", "<svg", SVG.format("x" * MAX_SVG_CHARACTERS),
        '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + SVG.format("<text>&b;</text>").replace("</svg>", "") ,
    ],
)  # fmt: skip
def test_what_is_no_drawing_gives_nothing(source):
    assert clean_svg(source) == ""


def test_entities_are_not_expanded_and_depth_is_no_danger():
    bomb = '<!DOCTYPE svg [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + SVG.format("<text>&f;</text>")  # fmt: skip
    assert "etc" not in clean_svg(bomb)
    deep = SVG.format("<g>" * 20_000 + "</g>" * 20_000)
    assert clean_svg(deep) == "" or clean_svg(deep).startswith("<svg")
