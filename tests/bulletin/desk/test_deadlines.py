from datetime import timedelta

import pytest
from newsroom import TRANSLATION, open_newsroom

from kuaibao.bulletin.desk import (
    PieceText,
    assign,
    list_notifications,
    move_piece,
    remind,
    save_text,
)


@pytest.fixture
def room(tmp_path):
    with open_newsroom(tmp_path) as opened:
        yield opened


def give(room, days):
    piece_id = room.found()[0]
    if days is not None:
        due = (room.desk.today + timedelta(days=days)).isoformat()
    move_piece(room.desk, room.editor, piece_id, "pick")
    assign(
        room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id,
        proofreader_id=room.proofreader.person_id, due=due if days is not None else "",
    )  # fmt: skip
    return piece_id


def kinds(room, role):
    return [n.kind for n in list_notifications(room.desk, room.people[role])]


def test_the_compiler_is_told_once_the_day_before_and_once_when_late(room):
    piece_id = give(room, 3)
    assert remind(room.desk) == 0
    room.clock.at += 2 * 86_400
    assert [remind(room.desk), remind(room.desk)] == [1, 0]
    room.clock.at += 2 * 86_400
    assert [remind(room.desk), remind(room.desk)] == [1, 0]
    assert kinds(room, "compiler") == ["late", "due_soon", "assigned"]
    told = list_notifications(room.desk, room.compiler)[0]
    assert told.piece_id == piece_id
    assert told.details["title"].startswith("A model learns to read")


def test_after_compiling_it_is_the_proofreaders_turn_and_then_nobodys(room):
    piece_id = give(room, 1)
    save_text(room.desk, room.compiler, piece_id, PieceText(title="题", body=TRANSLATION),
              base_revision=0)  # fmt: skip
    move_piece(room.desk, room.compiler, piece_id, "compile", is_translation=True)
    assert remind(room.desk) == 1
    assert kinds(room, "proofreader")[0] == "due_soon"
    assert "due_soon" not in kinds(room, "compiler")
    move_piece(room.desk, room.proofreader, piece_id, "proofread")
    room.clock.at += 9 * 86_400
    assert remind(room.desk) == 0


def test_another_day_is_told_of_anew_and_no_day_never(room):
    piece_id = give(room, 1)
    assert remind(room.desk) == 1
    later = (room.desk.today + timedelta(days=5)).isoformat()
    people = {"compiler_id": room.compiler.person_id, "proofreader_id": room.proofreader.person_id}
    assign(room.desk, room.editor, piece_id, due=later, **people)
    assert remind(room.desk) == 0
    room.clock.at += 4 * 86_400
    assert remind(room.desk) == 1
    assign(room.desk, room.editor, piece_id, due="", **people)
    room.clock.at += 99 * 86_400
    assert remind(room.desk) == 0
