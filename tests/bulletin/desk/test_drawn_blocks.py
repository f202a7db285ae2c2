"""Fenced diagrams in an item: drawn in what readers get, and never signed undrawn."""

import pytest
from newsroom import TRANSLATION, open_newsroom

from kuaibao.bulletin.desk import (
    PieceText,
    assign,
    close_issue,
    get_piece,
    issue_folder,
    make_issue,
    move_piece,
    place_piece,
    publish_issue,
    save_text,
)
from kuaibao.bulletin.writing import figures
from kuaibao.errors import InputError

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="3"/></svg>'
)


class Illustrator:
    def illustrate(self, program):
        if "Set" not in program:
            raise ValueError("line 1: no set")
        return SVG


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setattr(
        figures, "find_illustrator", lambda name: Illustrator() if name == "penrose" else None
    )
    with open_newsroom(tmp_path) as opened:
        yield opened


def write(room, program):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    assign(room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id)
    body = f"{TRANSLATION}\n\n```penrose 集合的包含\n{program}\n```"
    save_text(room.desk, room.compiler, piece_id, PieceText(title="题", body=body), base_revision=0)
    return piece_id


def sign(room, piece_id):
    return move_piece(room.desk, room.compiler, piece_id, "compile", is_translation=True)


def test_a_block_that_cannot_be_drawn_is_not_signed_and_the_reason_is_told(room):
    piece_id = write(room, "nonsense")
    with pytest.raises(InputError, match="a penrose block was not drawn: line 1: no set"):
        sign(room, piece_id)
    assert get_piece(room.desk, room.editor, piece_id).state == "assigned"


def test_a_block_becomes_a_figure_with_its_caption_and_source(room):
    piece_id = write(room, "Set A")
    sign(room, piece_id)
    move_piece(room.desk, room.proofreader, piece_id, "proofread")
    move_piece(room.desk, room.editor, piece_id, "accept")
    issue = make_issue(room.desk, room.editor, room.series.series_id)
    place_piece(room.desk, room.editor, piece_id, issue.issue_id)
    close_issue(room.desk, room.editor, issue.issue_id)
    done = publish_issue(room.desk, room.editor, issue.issue_id, ("html", "epub", "json"))
    page = (issue_folder(room.desk, done) / "index.html").read_text("utf-8")
    assert "<circle" in page
    assert "集合的包含" in page
    assert "图片来源：Kuaibao" in page
    assert "Set A" not in page.partition("<main")[2].partition("<script")[0]
