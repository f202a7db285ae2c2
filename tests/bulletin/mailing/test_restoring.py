"""A desk that was put back sends nothing twice and lets nobody in who was let out."""

from kuaibao import accounts
from kuaibao.bulletin.desk import (
    PieceText,
    assign,
    close_issue,
    list_issues,
    make_issue,
    move_piece,
    place_piece,
    publish_issue,
    save_text,
)
from kuaibao.bulletin.mailing import add_subscriber, list_mailings, queue_issue, send_queued
from kuaibao.bulletin.restoring import restore_desk
from kuaibao.database import back_up

QUIET = lambda seconds: None  # noqa: E731


def published(room):
    piece_id = room.found()[0]
    move_piece(room.desk, room.editor, piece_id, "pick")
    assign(room.desk, room.editor, piece_id, compiler_id=room.compiler.person_id)
    save_text(room.desk, room.compiler, piece_id, PieceText(title="题", body="正文。"),
              base_revision=0)  # fmt: skip
    move_piece(room.desk, room.compiler, piece_id, "compile")
    move_piece(room.desk, room.proofreader, piece_id, "proofread")
    move_piece(room.desk, room.editor, piece_id, "accept")
    issue = make_issue(room.desk, room.editor, room.series.series_id)
    place_piece(room.desk, room.editor, piece_id, issue.issue_id)
    close_issue(room.desk, room.editor, issue.issue_id)
    return publish_issue(room.desk, room.editor, issue.issue_id, ("html", "json")).issue_id


def test_a_queue_in_the_copy_is_uncertain_and_the_running_desk_goes_on(room, smtp, tmp_path):
    desk = room.desk
    for n in range(3):
        add_subscriber(desk, room.editor, room.series.series_id, f"r{n}@example.net")
    queue_issue(desk, room.editor, published(room))
    with desk.store.database.write() as connection:
        secret, _ = accounts.start_session(connection, room.editor.person)
    copy = back_up(desk.store.database, tmp_path / "copy.db")
    assert send_queued(desk, smtp.settings, sleep=QUIET) == 3
    make_issue(desk, room.editor, room.series.series_id)
    assert len(list_issues(desk)) == 2
    restore_desk(copy, desk.store.database.path)
    assert len(list_issues(desk)) == 1
    (mailing,) = list_mailings(desk)
    assert (mailing.progress.handing, mailing.progress.queued) == (3, 0)
    assert send_queued(desk, smtp.settings, sleep=QUIET) == 0
    assert len(smtp.taken) == 3
    with desk.store.database.read() as connection:
        assert accounts.find_session(connection, secret) is None
    assert make_issue(desk, room.editor, room.series.series_id).number == 2
