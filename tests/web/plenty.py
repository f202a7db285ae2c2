"""A newsroom with something on every page: items in all states, issues, mail, hooks, pictures."""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from newsroom import NOW, SOURCE_TEXT, TRANSLATION, Newsroom, entry, file_entries
from pydantic import TypeAdapter
from serving import Serving
from sqlalchemy import update

from kuaibao.bulletin.desk import (
    Desk,
    PieceText,
    Section,
    Series,
    Term,
    add_comment,
    add_series,
    add_term,
    add_token,
    assign,
    close_issue,
    correct_issue,
    draft_by_machine,
    get_piece,
    get_series,
    list_pieces,
    make_issue,
    move_piece,
    place_piece,
    publish_issue,
    save_text,
    set_issue,
    set_section,
    set_series,
)
from kuaibao.bulletin.hooks import add_hook
from kuaibao.bulletin.hooks import tables as hook_tables
from kuaibao.bulletin.mailing import add_subscriber, queue_issue, subscribe, unsubscribe
from kuaibao.bulletin.mailing import tables as mail_tables
from kuaibao.bulletin.model import Conference, Entry, PartialDate
from kuaibao.bulletin.sources.protocol import SourceResult
from kuaibao.bulletin.writing import ItemPicture, ItemPictures
from kuaibao.files import write_text

CONFIG = """
series = "智能信息技术跟踪扫描动态快报"
language = "zh"

[pictures]
lead = true
cover = true

[[sources]]
id = "wire"
kind = "feed"
url = "https://example.org/feed.xml"

[[sources]]
id = "preprints"
kind = "arxiv"
query = "cat:cs.CL"

[[sources]]
id = "a-source-with-a-name-longer-than-any-column-of-a-telephone-would-like"
kind = "feed"
url = "https://example.org/other.xml"

[[sources]]
id = "silent"
kind = "feed"
url = "https://example.org/silent.xml"
"""
PENROSE = (
    "```penrose 每个 B 都是 A\ndomain: sets\nstyle: euler\nSet A, B\nB ⊂ A\nAutoLabel All\n```"
)
LONG_TITLE = (
    "Pre-training with Extracted Gap-sentences for Abstractive Summarization of Unusually Long "
    "Titles in Scientific Bulletins: A Study of Typographic Overflow"
)
_WORDS = ("transformer", "summaries", "diagrams", "pixels", "library", "bottlenecks", "retrieval")
_PICTURES = TypeAdapter(ItemPictures)


@dataclass(frozen=True)
class Rich:
    """Where to look."""

    serving: Serving
    published: int
    """An issue that was published, with an erratum."""
    is_open: int
    """An issue that is being filled."""
    pieces: dict[str, int]
    """A piece of each state, and `paper`, `machine`, `tellings`, `figure`."""
    pending: str
    """The token of a subscriber who has not confirmed."""


def enrich(serving: Serving) -> Rich:
    """Fill the desk of a new server; its clock stands in November 2026."""
    desk, room = serving.desk, serving.room
    desk.clock = room.clock
    _name_series(desk, room)
    file_entries(desk, tuple(_entries()))
    _drop_programs(serving.folder / "diagrams")
    _judge_sources(desk)
    _gloss(desk, room)
    _show_pictures(serving, desk)
    published = _published_issue(desk, room)
    is_open, pieces = _open_issue(desk, room)
    _discuss(desk, room, pieces)
    token = _mail(desk, room, published)
    _hook(desk, room)
    add_token(desk, room.editor, "nightly export", ["read"], days=90)
    add_token(desk, room.administrator, "backup", ["read", "admin"], days=365)
    return Rich(serving, published, is_open, pieces, token)


def pages(rich: Rich) -> dict[str, list[str]]:
    """Every page, by the role that sees most of it (`""`: nobody is signed in)."""
    issue, now, pieces = rich.published, rich.is_open, rich.pieces
    own = [f"/pieces/{pieces[name]}" for name in sorted(pieces)]
    return {
        "": ["/signin", "/read", "/subscribe/1", f"/subscription/{rich.pending}", "/nothing",
             f"/read/{issue}/index.html"],
        "administrator": ["/people", "/sources", "/settings", "/hooks", "/subscribers", "/notes",
                          "/calendar", "/trends", "/terms", "/archive", "/archive?q=model",
                          "/archive?q=nothingatall", "/inbox?q=nothingatall"],
        "editor": ["/inbox", "/inbox?state=dropped", "/work?who=all", "/issues", f"/issues/{now}",
                   f"/issues/{issue}", f"/issues/{issue}/correct/{pieces['published']}",
                   f"/issues/{now}/preview", "/trends/map", *own,
                   f"/pieces/{pieces['published']}/history", f"/pieces/{pieces['found']}/history",
                   "/settings", "/figures/", "/figures/program/pipeline"],
        "compiler": ["/work", "/notes", f"/pieces/{pieces['assigned']}"],
        "proofreader": ["/work", f"/pieces/{pieces['compiled']}"],
        "reader": ["/read", "/settings", "/inbox"],
    }  # fmt: skip


def _name_series(desk: Desk, room: Newsroom) -> None:
    own = get_series(desk, room.series.series_id)
    set_series(
        desk, room.administrator,
        dataclasses.replace(own, name="智能信息技术跟踪扫描动态快报", publisher="国家科学图书馆示例",
                            editors=("陈文", "李平"), contact="bulletin@example.org",
                            base_url="https://bulletin.example.org/zh/",
                            disclaimer="本快报由示例数据制作。"),
    )  # fmt: skip
    add_series(
        desk, room.administrator,
        Series(name="Intelligent Information Technology Bulletin", language="en",
               text_languages=("en", "*"), publisher="The Demo Library",
               sections=(Section(kind="news", title="This month"),
                         Section(kind="papers", fields=("question", "method", "findings")))),
    )  # fmt: skip


def _entries() -> list[Entry]:
    made = [
        entry(n, title=f"New {_WORDS[n % 7]} and {_WORDS[(n + 3) % 7]} for readers, part {n}",
              published=PartialDate(value=NOW - timedelta(days=9 * n), precision="day"))
        for n in range(10, 40)
    ]  # fmt: skip
    made.append(
        entry(1, source_id="preprints", entry_id="2006.00001v2", kind="paper", title=LONG_TITLE,
              authors=("Zhang San", "Li Si", "M. Keller", "O'Neill, P.", "Wang Wu"),
              identifiers=(("arxiv", "2006.00001v2"), ("doi", "10.1000/demo.1")),
              venue="Proceedings of the Demo Conference", licence="CC BY 4.0",
              url="https://example.org/papers/2006.00001")
    )  # fmt: skip
    made.append(
        entry(2, source_id="a-source-with-a-name-longer-than-any-column-of-a-telephone-would-like",
              entry_id="tool==1.4.0", kind="tool", title="typeset-and-never-break 1.4.0",
              licence="Apache-2.0", url="https://example.org/" + "long-address-" * 12)
    )  # fmt: skip
    meeting = Conference(
        name="The Demo Conference on Summaries", start=date(2026, 12, 7), end=date(2026, 12, 10),
        place="Lisbon, Portugal",
        deadline=PartialDate(value=datetime(2026, 11, 27, 23, 59, tzinfo=UTC), precision="minute",
                             zone="AoE"),
    )  # fmt: skip
    made.append(
        entry(3, source_id="calls", entry_id="demo-2026", kind="conference",
              title="The Demo Conference on Summaries", url="https://example.org/demo-2026",
              conference=meeting)
    )  # fmt: skip
    # The same story from two sources: one piece with two tellings.
    title = "A national library opens its reading room to language models"
    for source in ("wire", "silent"):
        made.append(entry(4, source_id=source, entry_id=f"library-{source}", title=title,
                          url=f"https://example.org/{source}/library"))  # fmt: skip
    return made


def _drop_programs(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pipeline.substance").write_text(
        "Set A, B, C\nA ⊂ B\nB ⊂ C\nAutoLabel All\n", "utf-8"
    )
    trio = {"substance": "pipeline.substance", "style": ["kuaibao:sets/euler.style"],
            "domain": "kuaibao:sets/sets.domain"}  # fmt: skip
    (folder / "pipeline.trio.json").write_text(json.dumps(trio), "utf-8")


def _judge_sources(desk: Desk) -> None:
    run = desk.store.begin_run(NOW)
    told = {
        "preprints": SourceResult(status="out_of_quota", message="https://export.arxiv.org/: the server asks to wait 3600 s (429)"),
        "a-source-with-a-name-longer-than-any-column-of-a-telephone-would-like":
            SourceResult(status="changed_layout", message="nothing on the page matches 'article h2'"),
        "silent": SourceResult(status="broken", message="https://example.org/silent.xml: the server answered 500"),
    }  # fmt: skip
    for source_id, result in told.items():
        desk.store.save_fetch(run, source_id, "feed", result)
    desk.store.finish_run(run, {})


def _gloss(desk: Desk, room: Newsroom) -> None:
    rows = (
        ("model", "模型", ("模特",), False), ("language model", "语言模型", (), True),
        ("GPT-Kitten", "GPT-Kitten", (), False), ("network", "网络", (), False),
        ("abstractive summarization", "生成式摘要", ("抽象摘要",), True),
    )  # fmt: skip
    for source, target, avoid, needs_original in rows:
        add_term(desk, room.editor, Term(
            source_language="en", target_language="zh", source=source, target=target, avoid=avoid,
            needs_original=needs_original, note="house style" if avoid else "",
        ))  # fmt: skip


def _show_pictures(serving: Serving, desk: Desk) -> None:
    from kuaibao.bulletin.writing import pictures_of

    desk.pictures = pictures_of(serving.web.config)
    assert desk.pictures is not None


def _pictures(desk: Desk, item_id: str) -> None:
    """As the sorter would have left them."""
    assert desk.pictures is not None
    shapes = (("chart", (200, 60, 40)), ("photograph", (60, 90, 150)), ("logo", (90, 140, 90)))
    found = ItemPictures(
        asked=tuple(f"https://example.org/{kind}.png" for kind, _ in shapes),
        pictures=tuple(
            ItemPicture(url=f"https://example.org/{kind}.png", kind=kind, probability=0.9,
                        width=320, height=180, image=picture(colour), title=f"A {kind}")
            for kind, colour in shapes
        ),
        lead="https://example.org/chart.png", reason="a chart says most of a paper",
        skipped=("https://example.org/lost.png: it answered 404",),
        kinds=("chart", "diagram", "formula", "logo", "photograph", "screenshot"),
    )  # fmt: skip
    write_text(desk.pictures._file(item_id), _PICTURES.dump_json(found).decode())


def picture(colour: tuple[int, int, int], width: int = 320, height: int = 180) -> str:
    """A PNG with stripes as a `data:` URI."""
    rows = b"".join(
        b"\0" + b"".join(bytes(colour) if (x // 40 + y // 30) % 2 else b"\xf3\xee\xe3" for x in range(width))
        for y in range(height)
    )  # fmt: skip

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")  # fmt: skip
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _pieces(desk: Desk, room: Newsroom, **which: Any) -> list[int]:
    found = list_pieces(desk, room.editor, series_id=room.series.series_id, limit=500, **which)
    return [p.piece_id for p in found]


def _text(title: str, body: str = TRANSLATION, **fields: str) -> PieceText:
    return PieceText(title=title, body=body, fields=tuple(fields.items()))


def _work(desk: Desk, room: Newsroom, piece_id: int, text: PieceText, until: str = "ready") -> None:
    """Take a piece through the steps up to a state."""
    piece = get_piece(desk, room.editor, piece_id)
    if piece.state == "found":
        move_piece(desk, room.editor, piece_id, "pick")
    if until == "picked":
        return
    people = {"compiler_id": room.compiler.person_id, "proofreader_id": room.proofreader.person_id}
    assign(desk, room.editor, piece_id, due="2026-11-18", **people)
    if until == "assigned":
        return
    base = save_text(desk, room.compiler, piece_id, _text("草稿", body="初稿。"), base_revision=0)
    save_text(desk, room.compiler, piece_id, text, base_revision=base.piece.revision)
    move_piece(desk, room.compiler, piece_id, "compile", is_translation=True)
    if until == "compiled":
        return
    move_piece(desk, room.proofreader, piece_id, "proofread")
    if until == "ready":
        move_piece(desk, room.editor, piece_id, "accept")


def _published_issue(desk: Desk, room: Newsroom) -> int:
    issue = make_issue(
        desk, room.editor, room.series.series_id, day="2026-11-10", title="让机器读书的十一月"
    )
    chosen = _pieces(desk, room)[:3]
    body = f"{TRANSLATION}\n\n#### 怎么做\n\n- 先**选**；\n- 再写。\n\n{PENROSE}\n\n> “只要次序，不要坐标。”——作者"
    texts = (
        _text("模型学会了阅读"),
        _text("图书馆如何读懂像素", body),
        _text("一个名字很长的题目：从《图像 GPT》到《语言模型》的二十年"),
    )
    for piece_id, text in zip(chosen, texts, strict=True):
        _work(desk, room, piece_id, text)
        place_piece(desk, room.editor, piece_id, issue.issue_id)
    close_issue(desk, room.editor, issue.issue_id)
    publish_issue(desk, room.editor, issue.issue_id)
    right = dataclasses.replace(texts[0], body=TRANSLATION.replace("4 小时", "四小时"))
    correct_issue(desk, room.editor, issue.issue_id, chosen[0], right, "时间的写法有误。")
    return issue.issue_id


def _open_issue(desk: Desk, room: Newsroom) -> tuple[int, dict[str, int]]:
    issue = make_issue(desk, room.editor, room.series.series_id, day="2026-11-30")
    set_issue(
        desk, room.editor, issue.issue_id, title="", day="2026-11-30", highlights=["让图书馆读书"]
    )
    published = _pieces(desk, room, states=["published"])[0]
    by_section = {kind: _pieces(desk, room, section=kind, states=["found"]) for kind in
                  ("news", "papers", "tools", "conferences")}  # fmt: skip
    news, paper = by_section["news"], by_section["papers"][0]
    tellings = _pieces(desk, room, words="national library")[0]
    news = [one for one in news if one != tellings]
    pieces = {
        "ready": news[0], "compiled": news[1], "assigned": news[2], "picked": news[3],
        "dropped": news[4], "found": news[5], "proofread": news[6], "machine": news[7],
        "paper": paper, "tellings": tellings, "published": published,
    }  # fmt: skip
    wrong = TRANSLATION.replace("3200", "3300").replace("模型", "模特", 1).replace("，", ",", 1)
    _work(desk, room, pieces["ready"], _text("读者可以试用新模型了"))
    _work(desk, room, pieces["proofread"], _text("校对过的题目"), "proofread")
    _work(desk, room, pieces["compiled"], _text("有错的题目 GPT-Kitten在这里", wrong), "compiled")
    _work(desk, room, pieces["assigned"], _text(""), "assigned")
    _work(desk, room, pieces["picked"], _text(""), "picked")
    _work(desk, room, tellings, _text(""), "picked")
    move_piece(desk, room.editor, pieces["dropped"], "drop")
    move_piece(desk, room.editor, pieces["machine"], "pick")
    draft_by_machine(desk, room.editor, pieces["machine"], how="extract")
    fields = {"background": "图书馆每月读一万篇论文。", "innovation": "提出间隔句。", "model": "",
              "experiments": "在 12 个数据集上试验。", "results": "结果好于以往。"}  # fmt: skip
    _work(
        desk, room, paper, _text("用间隔句预训练：给超长题目的论文写摘要", "", **fields), "compiled"
    )
    for kind in ("tools", "conferences"):
        move_piece(desk, room.editor, by_section[kind][0], "pick")
    set_section(desk, room.editor, tellings, "in_depth")
    inside = [pieces[n] for n in ("ready", "proofread", "compiled", "paper", "tellings")]
    for piece_id in (*inside, by_section["tools"][0], by_section["conferences"][0]):
        place_piece(desk, room.editor, piece_id, issue.issue_id)
    _pictures(desk, get_piece(desk, room.editor, paper).item_id)
    return issue.issue_id, pieces


def _discuss(desk: Desk, room: Newsroom, pieces: dict[str, int]) -> None:
    said = (
        ("compiled", "数字与原文不符：应为 3,200。", "number", "3300 页"),
        ("compiled", "“模特”是误译。", "terminology", "模特"),
        ("proofread", "句子可以更短。", "wording", ""),
        ("assigned", "Please begin with the numbers.", "", ""),
    )  # fmt: skip
    for name, text, error_class, quote in said:
        add_comment(
            desk, room.proofreader, pieces[name], text, error_class=error_class, quote=quote
        )


def _mail(desk: Desk, room: Newsroom, issue_id: int) -> str:
    root, series_id = room.administrator, room.series.series_id
    for name, value in {
        "smtp_host": "127.0.0.1", "smtp_port": "9", "smtp_security": "none",
        "mail_sender": "bulletin@example.org", "public_url": "https://desk.example.org",
        "anonymous_reading": "yes",
    }.items():  # fmt: skip
        desk.set_setting(root, name, value)
    for n in range(4):
        add_subscriber(desk, root, series_id, f"reader{n}@example.org")
    leaver = add_subscriber(desk, root, series_id, "somebody.with.a.very.long.name@department.university.example.org")  # fmt: skip
    unsubscribe(desk, leaver.token)
    subscribe(desk, series_id, "waiting@example.org", base_url="https://desk.example.org")
    mailing = queue_issue(desk, room.editor, issue_id)
    with desk.store.database.write() as connection:
        columns = mail_tables.delivery.c
        for n, state in enumerate(("sent", "failed", "handing"), start=1):
            connection.execute(
                update(mail_tables.delivery)
                .where(columns.delivery_id == n, columns.mailing_id == mailing.mailing_id)
                .values(state=state, not_before=4e9, message="550 no such user" if n == 2 else "")
            )
        connection.execute(update(mail_tables.delivery).values(not_before=4e9))
        connection.execute(update(mail_tables.letter).values(not_before=4e9))
        waiting = mail_tables.subscriber.c
        found = connection.execute(
            mail_tables.subscriber.select().where(waiting.email == "waiting@example.org")
        ).one()
    return str(found.token)


def _hook(desk: Desk, room: Newsroom) -> None:
    add_hook(
        desk, room.administrator, "https://example.org/hooks/published", ["published", "erratum"]
    )
    hook, _ = add_hook(desk, room.administrator, "https://example.org/" + "a-long-path/" * 8)
    with desk.store.database.write() as connection:
        connection.execute(
            update(hook_tables.hook)
            .where(hook_tables.hook.c.hook_id == hook.hook_id)
            .values(
                is_active=False,
                n_try=9,
                not_before=4e9,
                message="https://example.org/: the server answered 500",
            )
        )
        connection.execute(update(hook_tables.hook).values(not_before=4e9))


__all__ = ["CONFIG", "SOURCE_TEXT", "Rich", "enrich", "pages", "picture"]
