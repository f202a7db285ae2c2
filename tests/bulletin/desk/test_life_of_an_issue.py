"""From found to published, corrected, and what must not happen on the way."""

import dataclasses
import json

import pytest
from newsroom import TRANSLATION, entry, file_entries, open_newsroom

from kuaibao import accounts
from kuaibao.accounts import PermissionDeniedError
from kuaibao.bulletin.desk import (
    AUDIT_CHAIN,
    NotReadyError,
    PieceText,
    StaleError,
    WorkflowError,
    add_comment,
    ask_to_publish,
    assign,
    close_issue,
    correct_issue,
    draft_by_machine,
    draft_issue,
    finish_publications,
    get_desk_issue,
    get_piece,
    issue_folder,
    issue_pieces,
    list_notifications,
    make_issue,
    move_piece,
    obstacles_of,
    place_piece,
    publish_issue,
    reopen_issue,
    reorder,
    save_text,
    similar_sentences,
    undo_move,
)
from kuaibao.bulletin.publishing import render
from kuaibao.bulletin.store import hash_issue
from kuaibao.errors import InputError

TEXT = PieceText(title="模型学会了阅读", body=TRANSLATION)
FORMATS = ("html", "json")


def write_and_sign(room, piece_id, text=TEXT):
    """Everything up to ready."""
    desk = room.desk
    move_piece(desk, room.editor, piece_id, "pick")
    assign(
        desk, room.editor, piece_id, compiler_id=room.compiler.person_id,
        proofreader_id=room.proofreader.person_id,
    )  # fmt: skip
    saved = save_text(desk, room.compiler, piece_id, text, base_revision=0)
    move_piece(
        desk, room.compiler, piece_id, "compile", revision=saved.piece.revision, is_translation=True
    )
    move_piece(desk, room.proofreader, piece_id, "proofread", revision=saved.piece.revision)
    return move_piece(desk, room.editor, piece_id, "accept")


def full_issue(room, n=2):
    issue = make_issue(room.desk, room.editor, room.series.series_id, day="2026-11-30")
    for piece_id in room.found()[:n]:
        write_and_sign(room, piece_id)
        place_piece(room.desk, room.editor, piece_id, issue.issue_id)
    return issue.issue_id


def test_an_issue_lives_from_found_to_published(room):
    issue_id = full_issue(room)
    closed = close_issue(room.desk, room.editor, issue_id)
    frozen = draft_issue(room.desk, issue_id)
    assert closed.content_hash == frozen.content_hash == hash_issue(frozen)
    done = publish_issue(room.desk, room.editor, issue_id, FORMATS)
    assert done.state == "published"
    folder = issue_folder(room.desk, done)
    page = (folder / "index.html").read_text("utf-8")
    assert "模型学会了阅读" in page
    assert "Chen Wen" in page
    assert "Li Ping" in page
    told = json.loads((folder / "issue.json").read_text("utf-8"))
    signed = told["sections"][0]["items"][0]["signatures"]
    assert [(s["role"], s["person"]) for s in signed] == [
        ("translated", "Chen Wen"), ("proofread", "Li Ping"),
    ]  # fmt: skip
    assert {p.state for p in issue_pieces(room.desk, issue_id)} == {"published"}
    with room.desk.store.database.read() as connection:
        assert accounts.verify_audit(connection, chain=AUDIT_CHAIN) > 10


def test_the_desk_prints_with_the_renderings_of_build(room):
    issue_id = full_issue(room, 1)
    close_issue(room.desk, room.editor, issue_id)
    publish_issue(room.desk, room.editor, issue_id, FORMATS)
    rendered, _ = render(draft_issue(room.desk, issue_id), FORMATS)
    folder = issue_folder(room.desk, get_desk_issue(room.desk, issue_id))
    assert (folder / "index.html").read_bytes() == rendered["html"]
    assert (folder / "issue.json").read_bytes() == rendered["json"]


def test_an_issue_with_an_unsigned_item_does_not_close(room):
    issue_id = full_issue(room, 1)
    other = room.found()[1]
    move_piece(room.desk, room.editor, other, "pick")
    place_piece(room.desk, room.editor, other, issue_id)
    with pytest.raises(NotReadyError) as caught:
        close_issue(room.desk, room.editor, issue_id)
    reasons = {o.reason for o in caught.value.obstacles if o.piece_id == other}
    assert {"not_ready", "no_text", "not_compiled", "not_proofread"} <= reasons
    assert get_desk_issue(room.desk, issue_id).state == "open"


def test_an_item_without_a_link_keeps_the_issue_open(tmp_path):
    with open_newsroom(tmp_path, n_story=0) as room:
        file_entries(room.desk, (entry(1, url=""),))
        piece_id = room.found()[0]
        with pytest.raises(WorkflowError) as caught:
            write_and_sign(room, piece_id)
        assert caught.value.reason == "no_link"


def test_a_change_after_proofreading_takes_the_item_back(room):
    piece = write_and_sign(room, room.found()[0])
    changed = dataclasses.replace(TEXT, title="改过的题目")
    saved = save_text(room.desk, room.editor, piece.piece_id, changed, base_revision=piece.revision)
    assert saved.piece.state == "compiled"
    with pytest.raises(WorkflowError) as caught:  # the editor has become an author
        move_piece(room.desk, room.editor, piece.piece_id, "proofread")
    assert caught.value.reason == "own_text"
    again = move_piece(room.desk, room.proofreader, piece.piece_id, "proofread")
    assert again.state == "proofread"


def test_nobody_signs_a_text_that_they_did_not_read(room):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    assign(room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id)
    first = save_text(room.desk, room.compiler, piece_id, TEXT, base_revision=0)
    changed = dataclasses.replace(TEXT, title="编辑改过的题目")
    save_text(room.desk, room.editor, piece_id, changed, base_revision=first.piece.revision)
    with pytest.raises(WorkflowError) as caught:
        move_piece(room.desk, room.compiler, piece_id, "compile", revision=first.piece.revision)
    assert caught.value.reason == "stale"


def test_one_person_cant_be_given_both_tasks(room):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    with pytest.raises(WorkflowError):
        assign(
            room.desk, room.editor, piece_id, compiler_id=room.editor.person_id,
            proofreader_id=room.editor.person_id,
        )  # fmt: skip


def test_a_closed_issue_takes_no_changes_until_it_is_opened_again(room):
    issue_id = full_issue(room, 1)
    close_issue(room.desk, room.editor, issue_id)
    other = room.found()[1]
    move_piece(room.desk, room.editor, other, "pick")
    with pytest.raises(WorkflowError):
        place_piece(room.desk, room.editor, other, issue_id)
    assert reopen_issue(room.desk, room.editor, issue_id).content_hash == ""
    assert place_piece(room.desk, room.editor, other, issue_id).issue_id == issue_id


def test_a_publication_that_was_killed_is_gone_on_with(room, monkeypatch):
    issue_id = full_issue(room, 1)
    content_hash = close_issue(room.desk, room.editor, issue_id).content_hash
    ask_to_publish(room.desk, room.editor, issue_id)

    def killed(*_args, **_options):
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr("kuaibao.bulletin.desk.publication.publish", killed)
        with pytest.raises(SystemExit):
            finish_publications(room.desk, FORMATS)
    assert get_desk_issue(room.desk, issue_id).state == "closed"
    (done,) = finish_publications(room.desk, FORMATS)
    assert (done.state, done.content_hash) == ("published", content_hash)
    assert finish_publications(room.desk, FORMATS) == []


def test_an_erratum_is_printed_and_the_hash_before_stays_on_record(room):
    issue_id = full_issue(room, 1)
    before = close_issue(room.desk, room.editor, issue_id).content_hash
    publish_issue(room.desk, room.editor, issue_id, FORMATS)
    piece_id = issue_pieces(room.desk, issue_id)[0].piece_id
    corrected = correct_issue(
        room.desk, room.editor, issue_id, piece_id, dataclasses.replace(TEXT, title="正确的题目"),
        "题目写错了",
    )  # fmt: skip
    assert corrected.errata[0].previous_hash == before != corrected.content_hash
    page = (issue_folder(room.desk, corrected) / "index.html").read_text("utf-8")
    assert "正确的题目" in page
    assert "更正《正确的题目》：题目写错了" in page
    with pytest.raises(InputError):
        correct_issue(room.desk, room.editor, issue_id, piece_id, TEXT, " ")


def test_the_order_of_an_issue_is_not_written_over(room):
    issue_id = full_issue(room, 2)
    first, second = [p.piece_id for p in issue_pieces(room.desk, issue_id)]
    reorder(room.desk, room.editor, issue_id, [second, first], known=[first, second])
    assert [p.piece_id for p in issue_pieces(room.desk, issue_id)] == [second, first]
    with pytest.raises(StaleError):
        reorder(room.desk, room.editor, issue_id, [first, second], known=[first, second])
    with pytest.raises(StaleError):
        reorder(room.desk, room.editor, issue_id, [first])


def test_numbers_run_on_through_the_years(room):
    series_id = room.series.series_id
    days = ("2026-11-30", "2026-12-30", "2027-01-30")
    made = [make_issue(room.desk, room.editor, series_id, day=day) for day in days]
    assert [(i.year, i.number, i.running_number) for i in made] == [
        (2026, 1, 1), (2026, 2, 2), (2027, 1, 3),
    ]  # fmt: skip


def test_a_drop_can_be_taken_back_by_the_one_who_dropped(room):
    piece_id = room.found()[0]
    move_piece(room.desk, room.compiler, piece_id, "drop")
    with pytest.raises(WorkflowError):
        undo_move(room.desk, room.editor, piece_id)
    assert undo_move(room.desk, room.compiler, piece_id).state == "found"


def test_a_reader_sees_nothing_of_the_desk(room):
    for call in (
        lambda: get_piece(room.desk, room.reader, room.found()[0]),
        lambda: move_piece(room.desk, room.reader, room.found()[0], "pick"),
        lambda: make_issue(room.desk, room.reader, room.series.series_id),
    ):
        with pytest.raises(PermissionDeniedError):
            call()


def test_those_who_work_on_an_item_are_told(room):
    piece_id = room.found()[0]
    write_and_sign(room, piece_id)
    add_comment(room.desk, room.proofreader, piece_id, "术语？", error_class="terminology")
    kinds = {n.kind for n in list_notifications(room.desk, room.compiler)}
    assert kinds == {"assigned", "was_proofread", "was_accepted", "commented"}
    assert {n.kind for n in list_notifications(room.desk, room.proofreader)} == {"to_proofread"}


def test_a_published_translation_is_remembered(room):
    issue_id = full_issue(room, 1)
    close_issue(room.desk, room.editor, issue_id)
    publish_issue(room.desk, room.editor, issue_id, FORMATS)
    near = "It read 3,300 pages in 4 hours."
    found = similar_sentences(room.desk, room.compiler, near, "en", "zh")
    assert found[0].target == "模型在 4 小时内读了 3200 页。"
    assert found[0].ratio > 0.9


def test_a_machine_never_writes_over_a_person(room):
    piece_id = room.found()[0]
    move_piece(room.desk, room.compiler, piece_id, "pick")
    move_piece(room.desk, room.compiler, piece_id, "take")
    made = draft_by_machine(room.desk, room.compiler, piece_id)
    assert made.is_standing
    assert made.piece.is_machine
    saved = save_text(room.desk, room.compiler, piece_id, TEXT, base_revision=made.revision)
    assert not saved.piece.is_machine
    again = draft_by_machine(room.desk, room.compiler, piece_id)
    assert not again.is_standing
    assert get_piece(room.desk, room.editor, piece_id).revision == saved.piece.revision


def test_obstacles_name_an_item_printed_before(room):
    issue_id = full_issue(room, 1)
    close_issue(room.desk, room.editor, issue_id)
    publish_issue(room.desk, room.editor, issue_id, FORMATS)
    assert obstacles_of(room.desk, issue_id) == ()
