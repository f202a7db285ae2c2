"""Evidence in a text that has paragraphs, lists and drawings."""

import dataclasses

import lxml.html
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from kuaibao.bulletin.model import DraftSentence, Evidence
from kuaibao.bulletin.publishing import render
from kuaibao.bulletin.publishing.evidence import with_evidence
from kuaibao.bulletin.publishing.view import Sentence

ONE, TWO = Sentence(text="模型学会了阅读。"), Sentence(text="It read 3 < 4 pages.")


def mark(sentence, number):
    return Markup('<span class="has">{}<b>{}</b></span>').format(sentence.text, number)


def marked(html, *sentences):
    return str(with_evidence(html, sentences, mark))


def test_sentences_are_marked_where_they_stand_and_the_rest_stays():
    html = "<p>先说。模型学会了阅读。后说。</p>\n<ul>\n<li>It read 3 &lt; 4 pages. <em>x</em> y</li>\n</ul>"
    assert marked(html, ONE, TWO) == (
        '<p>先说。<span class="has">模型学会了阅读。<b>0</b></span>后说。</p>\n<ul>\n'
        '<li><span class="has">It read 3 &lt; 4 pages.<b>1</b></span> <em>x</em> y</li>\n</ul>'
    )


def test_each_is_marked_once_and_in_any_order():
    html = "<p>It read 3 &lt; 4 pages. 模型学会了阅读。模型学会了阅读。</p>"
    assert marked(html, ONE, TWO).count('class="has"') == 2


def test_nothing_is_marked_in_links_headings_code_attributes_or_across_markup():
    for html in (
        '<p><a href="https://example.org/">模型学会了阅读。</a></p>', "<h4>模型学会了阅读。</h4>",
        "<pre><code>模型学会了阅读。</code></pre>", "<p>模型<strong>学会</strong>了阅读。</p>",
        '<p><a href="https://example.org/" title="模型学会了阅读。">x</a></p>',
    ):  # fmt: skip
        assert marked(html, ONE) == html


@given(st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_the_words_stay_the_same_whatever_they_are(text, sentence):
    html = str(Markup("<p>{}</p>").format(text))
    before = lxml.html.fragment_fromstring(html, create_parent=True).text_content()
    made = str(with_evidence(html, [Sentence(text=sentence)], lambda s, n: str(Markup("<span>{}</span>").format(s.text))))  # fmt: skip
    after = lxml.html.fragment_fromstring(made, create_parent=True)
    assert after.text_content() == before
    assert not after.xpath("//script|//@onclick")


def test_the_page_shows_it_and_the_book_stays_plain(english_issue):
    section = english_issue.sections[1]
    proof = Evidence(sentence=4, start=0, end=9, text="The source said so.")
    sentences = (
        DraftSentence(text="It reads.", evidence=(proof,)),
        DraftSentence(text="It writes."),
    )
    draft = dataclasses.replace(section.items[0].draft, sentences=sentences)
    item = dataclasses.replace(
        section.items[0], draft=draft, body_markdown="It reads. It writes.\n\n- one\n- two"
    )
    issue = dataclasses.replace(
        english_issue, sections=(dataclasses.replace(section, items=(item,)),), highlights=()
    )
    page = lxml.html.fromstring(render(issue, ["html"])[0]["html"])
    (button,) = page.xpath("//article//button[@class='evidence']")
    assert button.text == "5"
    (note,) = page.xpath(f"//*[@id='{button.get('aria-controls')}']")
    assert "The source said so." in note.text_content()
    assert "It writes." in page.xpath("//article")[0].text_content()
