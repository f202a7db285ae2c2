"""Code of every template language in every field that people or sources fill: it stays text."""

import dataclasses
import email
import email.policy
import re
from pathlib import Path

import lxml.html
import pypdfium2
import pytest
from newsroom import entry, file_entries, open_newsroom

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    Actor,
    PieceText,
    assign,
    close_issue,
    correct_issue,
    export_site,
    get_desk_issue,
    get_series,
    issue_folder,
    make_issue,
    move_piece,
    place_piece,
    publish_issue,
    save_text,
    set_series,
)

TYPST = '#read("/etc/passwd") #import "x.typ": * $x^2$ ]] [[ `code` @ref <label> \\u{41}'
JINJA = "{{7*7}} {% for x in y %} ${7*7} #{7*7}"
LINES = "x\r\nBcc: victim@example.org\r\n\r\nBody"
PATHS = ("../../x", "/etc/x", "..", "C:\\x", "a/../../b", "nul\\..\\x")


def sign_through(room, text):
    desk, (piece_id,) = room.desk, room.found()
    move_piece(desk, room.editor, piece_id, "pick")
    assign(
        desk, room.editor, piece_id, compiler_id=room.compiler.person_id,
        proofreader_id=room.proofreader.person_id,
    )  # fmt: skip
    saved = save_text(desk, room.compiler, piece_id, text, base_revision=0)
    move_piece(desk, room.compiler, piece_id, "compile", revision=saved.piece.revision)
    move_piece(desk, room.proofreader, piece_id, "proofread", revision=saved.piece.revision)
    move_piece(desk, room.editor, piece_id, "accept")
    return piece_id


def published(room, payload, *, formats):
    """An issue whose every field that comes from outside holds the payload."""
    desk = room.desk
    for role in ("compiler", "proofreader"):
        with desk.store.database.write() as connection:
            person = accounts.create_person(
                connection, f"{role}-2", password=None, roles=[role],
                display_name=f"{role[:4]} {payload}"[:100],
            )  # fmt: skip
        room.people[role] = Actor(person)
    series = dataclasses.replace(
        room.series, name=payload, publisher=payload, editors=(payload,), contact=payload,
        disclaimer=payload,
    )  # fmt: skip
    set_series(desk, room.editor, series)
    one = entry(1, title=f"T {payload}", summary=f"S {payload}.", authors=(f"A {payload}",),
                venue=payload, licence=payload, categories=(payload,))  # fmt: skip
    file_entries(desk, (one,))
    text = PieceText(
        title=f"Title {payload}", body=f"Body {payload}.", fields=((payload, f"Field {payload}"),)
    )
    issue = make_issue(desk, room.editor, series.series_id, title=f"Issue {payload}")
    piece_id = sign_through(room, text)
    place_piece(desk, room.editor, piece_id, issue.issue_id)
    close_issue(desk, room.editor, issue.issue_id)
    done = publish_issue(desk, room.editor, issue.issue_id, formats)
    assert done.state == "published"
    done = correct_issue(
        desk, room.editor, issue.issue_id, piece_id,
        dataclasses.replace(text, title=f"Mended {payload}"), f"Note {payload}",
    )  # fmt: skip
    return issue_folder(desk, get_desk_issue(desk, done.issue_id))


@pytest.fixture
def english(tmp_path):
    with open_newsroom(tmp_path, 0, language="en") as made:
        yield made


def bare(text):
    """Without blanks: a line may break anywhere."""
    return re.sub(r"\s+", "", text)


def test_typst_code_in_every_field_is_printed_letter_by_letter(english):
    folder = published(english, TYPST, formats=("json",))
    document = pypdfium2.PdfDocument(folder / "issue.pdf")
    pages = [page.get_textpage().get_text_bounded() for page in document]
    shown = bare("".join(pages).replace("\ufffe", "-"))
    for where in ("Issue", "Title", "Mended", "Body", "Field", "Note", "T", "A", "comp", "proo"):
        assert bare(f"{where} {TYPST}")[:60] in shown, where
    assert bare(TYPST) in shown
    assert "root:" not in shown
    assert document.get_metadata_value("Title").count("#read") >= 1


def test_template_code_in_every_field_is_shown_and_never_run(english):
    folder = published(english, JINJA, formats=("html", "mail", "json"))
    page = lxml.html.fromstring((folder / "index.html").read_bytes())
    text = " ".join(page.text_content().split())
    for where in ("Issue", "Mended", "Body", "Field", "Note", "comp"):
        assert f"{where} {JINJA}" in text, where
    assert "49" not in re.sub(r"[0-9a-f]{16,}", "", text)  # the issue's hash may hold it
    message = email.message_from_bytes(
        (folder / "mail.eml").read_bytes(), policy=email.policy.default
    )
    assert "{{7*7}}" in message["Subject"]
    assert "{{7*7}}" in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize("payload", [LINES, "x\nBcc: victim@example.org", "x\rBcc: v@example.org",
                                     "=?utf-8?q?x=0D=0ABcc:_v@example.org?=", f"{JINJA}\r\nBcc: v"])  # fmt: skip
def test_a_line_break_in_any_field_begins_no_mail_header(english, payload):
    folder = published(english, payload, formats=("mail", "json"))
    head = (folder / "mail.eml").read_bytes().partition(b"\r\n\r\n")[0]
    assert not re.search(rb"^bcc", head, re.IGNORECASE | re.MULTILINE)
    message = email.message_from_bytes(
        (folder / "mail.eml").read_bytes(), policy=email.policy.default
    )
    assert message["Bcc"] is None
    assert message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("name", PATHS)
def test_no_name_of_series_issue_or_item_leads_out_of_the_published_folders(
    english, tmp_path, name
):
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    folder = published(english, name, formats=("html", "json", "bibtex", "epub"))
    out = english.desk.out.resolve()
    assert folder.resolve().is_relative_to(out)
    assert folder.resolve().parent.parent == out
    site = tmp_path / "site"
    for path in export_site(english.desk, site):
        assert path.resolve().is_relative_to(site.resolve())
    new = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    allowed = (out, site.resolve())
    stray = [p for p in new if not any(p.resolve().is_relative_to(a) for a in allowed)]
    assert [p.name for p in stray if not p.name.startswith("desk.db")] == []
    links = lxml.html.fromstring((site / "index.html").read_bytes()).xpath("//@href")
    assert links
    for link in links:
        assert (site / link).resolve().is_relative_to(site.resolve())
        assert not Path(link).is_absolute()
    assert get_series(english.desk, english.series.series_id).name
