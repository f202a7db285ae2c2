"""What people decide in the web page, or through its API, teaches the ranking."""

import time

import pytest
from newsroom import entry, file_entries
from serving import Serving

from kuaibao.bulletin.store import list_decisions

ROBOTS = "Robots with new grippers sort parcels in a warehouse of the harbour, night after night."
PAINTINGS = "Paintings of the old masters come back to the museum after a long restoration."


@pytest.fixture
def server(tmp_path):
    with Serving(tmp_path, 0) as serving:
        entries = tuple(
            entry(
                n,
                title=f"{'Robots' if n % 2 else 'Paintings'} in the news, story {n}",
                summary=f"{ROBOTS if n % 2 else PAINTINGS} Number {n} of them was shown on Monday.",
            )
            for n in range(8)
        )
        file_entries(serving.desk, entries)
        yield serving


def _found(client):
    return client.get("/api/v1/pieces", params={"state": "found"}).json()


def _move(client, piece, move):
    answer = client.post(f"/api/v1/pieces/{piece['piece_id']}/moves", json={"move": move})
    assert answer.status_code == 200, answer.text


def test_the_inbox_is_ranked_by_what_was_picked_and_dropped(server):
    with server.api("editor", "read", "write", "publish") as client:
        pieces = _found(client)
        robots = [p for p in pieces if p["lead_title"].startswith("Robots")]
        paintings = [p for p in pieces if p["lead_title"].startswith("Paintings")]
        for piece in robots[:2]:
            _move(client, piece, "pick")
        for piece in paintings[:2]:
            _move(client, piece, "drop")
        before = {p["piece_id"]: p["score"] for p in _found(client)}
        assert client.post("/api/v1/collect").json()["is_started"]
        until = time.monotonic() + 60
        while {p["piece_id"]: p["score"] for p in _found(client)} == before:
            assert time.monotonic() < until, "the inbox was not weighed again"
        ranked = _found(client)
        assert len(ranked) == 4
        assert [p["lead_title"].split()[0] for p in ranked[:2]] == ["Robots", "Robots"]
        assert any("like what was picked" in reason for reason in ranked[0]["reasons"])


def test_each_choice_is_in_the_log_and_taking_it_back_too(server):
    with server.api("editor", "read", "write") as client:
        first, second, *_ = _found(client)
        _move(client, first, "pick")
        _move(client, first, "drop")
        _move(client, first, "undo")  # the drop: it is picked again
        _move(client, first, "restore")
        where = f"/api/v1/pieces/{second['piece_id']}/section"
        client.put(where, params={"section": "tools"})
        client.put(where, params={"section": "tools"})
        _move(client, second, "pick")
        text = {"title": "题目", "body": "正文。", "base_revision": 0}
        _move(client, second, "take")
        client.put(f"/api/v1/pieces/{second['piece_id']}/text", json=text)
    log = [
        (d.item_id, d.section, d.action, d.to_section) for d in list_decisions(server.desk.store)
    ]
    one, other = first["item_id"], second["item_id"]
    assert log == [
        (one, "news", "picked", None),
        (one, "news", "dropped", None),
        (one, "news", "picked", None),
        (one, "news", "undone", None),
        (other, "news", "moved", "tools"),
        (other, "tools", "picked", None),
        (other, "tools", "edited", None),
    ]
    assert {d.person for d in list_decisions(server.desk.store)} == {"editor"}


def test_an_entry_that_was_joined_by_mistake_becomes_a_piece_of_its_own(server):
    one = entry(20, entry_id="a", title="A first story of the day", url="https://example.org/same")
    other = entry(
        21, entry_id="b", title="A second story of the day", url="https://example.org/same"
    )
    file_entries(server.desk, (one, other))
    with server.api("editor", "read", "write") as client, server.browser("editor") as browser:
        pieces = {p["lead_title"]: p for p in _found(client)}
        (piece,) = [p for title, p in pieces.items() if title.endswith("story of the day")]
        path = f"/api/v1/pieces/{piece['piece_id']}"
        told = client.get(f"{path}/entries").json()
        assert told[1]["reason"] == "same address example.org/same"
        page = browser.get(f"/pieces/{piece['piece_id']}").text
        assert told[1]["reference"] in page
        browser.cookies.set("kuaibao_language", "zh")
        assert "网址相同 example.org/same" in browser.get(f"/pieces/{piece['piece_id']}").text
        parted = client.post(f"{path}/part", json={"reference": told[1]["reference"]}).json()
        assert parted["piece_id"] != piece["piece_id"]
        assert parted["lead_title"] == told[1]["entry"]["title"]
        assert len(client.get(f"{path}/entries").json()) == 1
        again = client.post(f"{path}/part", json={"reference": told[1]["reference"]})
        assert again.status_code == 422
