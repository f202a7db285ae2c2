"""Two people at one text: nothing that was typed is lost."""

from hypothesis import given
from hypothesis import strategies as st

from kuaibao.bulletin.desk import (
    PieceText,
    assign,
    diff_strings,
    diff_texts,
    get_text,
    list_revisions,
    merge_texts,
    move_piece,
    restore_text,
    save_text,
)
from kuaibao.bulletin.desk.merging import merge_strings, units_of

SENTENCES = st.lists(
    st.sampled_from(["One. ", "Two!\n", "三。", "四？", "Five; ", "六，", "\n", "pi is 3.14. "]),
    max_size=8,
).map("".join)


@given(st.text(max_size=200))
def test_the_units_of_a_text_are_the_text(text):
    assert "".join(units_of(text)) == text


@given(SENTENCES, SENTENCES)
def test_what_one_person_changed_alone_is_taken_over(base, mine):
    assert merge_strings(base, mine, base) == (mine, [])
    assert merge_strings(base, base, mine) == (mine, [])
    assert merge_strings(base, mine, mine) == (mine, [])


@given(SENTENCES, SENTENCES, SENTENCES)
def test_every_sentence_is_in_the_merge_or_in_a_conflict(base, mine, theirs):
    merged, conflicts = merge_strings(base, mine, theirs)
    kept = merged + "".join(own + other for _, own, other in conflicts)
    new = [u for u in units_of(mine) if u not in units_of(base)]
    new += [u for u in units_of(theirs) if u not in units_of(base)]
    assert all(unit.strip() in kept for unit in new)


@given(SENTENCES, SENTENCES)
def test_a_diff_holds_both_texts(old, new):
    changes = diff_strings(old, new)
    assert "".join(c.text for c in changes if c.kind != "removed") == new
    assert "".join(c.text for c in changes if c.kind != "added") == old


def test_changes_of_different_sentences_merge():
    base = PieceText(title="T", body="One. Two. Three.")
    mine = PieceText(title="T", body="One, mended. Two. Three.")
    theirs = PieceText(title="New", body="One. Two. Three, mended.")
    merge = merge_texts(base, mine, theirs)
    assert merge.text == PieceText(title="New", body="One, mended. Two. Three, mended.")
    assert merge.conflicts == ()


def _assigned(room):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    assign(room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id)
    first = PieceText(title="题目", body="第一句。第二句。第三句。")
    return piece_id, save_text(room.desk, room.compiler, piece_id, first, base_revision=0).piece


def test_two_editors_at_one_text_are_merged_and_both_texts_stay_in_the_history(room):
    piece_id, piece = _assigned(room)
    base = piece.revision
    mine = PieceText(title="题目", body="第一句改了。第二句。第三句。")
    theirs = PieceText(title="题目", body="第一句。第二句。第三句也改了。")
    save_text(room.desk, room.editor, piece_id, theirs, base_revision=base)
    saved = save_text(room.desk, room.compiler, piece_id, mine, base_revision=base)
    assert saved.status == "merged"
    assert get_text(room.desk, room.editor, piece_id).body == "第一句改了。第二句。第三句也改了。"
    assert {mine, theirs} <= {r.text for r in list_revisions(room.desk, room.editor, piece_id)}


def test_a_conflict_changes_nothing_and_keeps_the_late_text_aside(room):
    piece_id, piece = _assigned(room)
    theirs = PieceText(title="题目", body="他们的第一句。第二句。第三句。")
    mine = PieceText(title="题目", body="我的第一句。第二句。第三句。")
    save_text(room.desk, room.editor, piece_id, theirs, base_revision=piece.revision)
    saved = save_text(room.desk, room.compiler, piece_id, mine, base_revision=piece.revision)
    assert saved.status == "conflict"
    assert [(c.mine, c.theirs) for c in saved.conflicts] == [("我的第一句。", "他们的第一句。")]
    assert get_text(room.desk, room.editor, piece_id) == theirs
    assert get_text(room.desk, room.editor, piece_id, saved.aside) == mine


def test_undoing_is_a_revision_that_can_be_undone(room):
    piece_id, piece = _assigned(room)
    later = PieceText(title="另一个题目", body="全新的一句。")
    save_text(room.desk, room.compiler, piece_id, later, base_revision=piece.revision)
    restore_text(room.desk, room.compiler, piece_id, piece.revision)
    assert get_text(room.desk, room.editor, piece_id).title == "题目"
    revisions = list_revisions(room.desk, room.editor, piece_id)
    assert [r.kind for r in revisions] == ["restored", "written", "written"]
    assert diff_texts(revisions[1].text, revisions[0].text)[0].part == "title"
