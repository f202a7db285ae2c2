"""A series and the templates of its sections, by page and by API."""

from serving import Serving

from kuaibao.bulletin.desk import get_series, move_piece, set_section


def test_section_templates_are_edited_and_shape_the_item(tmp_path):
    with Serving(tmp_path, 1) as server:
        room = server.room
        series_id = room.series.series_id
        kinds = [s.kind for s in room.series.sections]
        labels = ["问题，方法, 结果" if kind == "news" else "" for kind in kinds]
        with server.browser("editor") as browser:
            answer = browser.submit(
                f"/settings/series/{series_id}", name="快报", section=kinds,
                heading=["要闻" if kind == "news" else "" for kind in kinds], labels=labels,
            )  # fmt: skip
            assert answer.status_code == 303
            series = get_series(server.desk, series_id)
            assert series.template("news") == ("问题", "方法", "结果")
            assert {s.kind: s.title for s in series.sections}["news"] == "要闻"
            assert series.template("papers") == ()
            (piece_id,) = room.found()
            move_piece(server.desk, room.editor, piece_id, "pick")
            set_section(server.desk, room.editor, piece_id, "news")
            page = browser.get(f"/pieces/{piece_id}").text
            assert all(f'name="field_name" value="{label}"' in page for label in ("问题", "结果"))
            twice = browser.submit(
                f"/settings/series/{series_id}", name="快报", section="news", heading="",
                labels="a, a",
            )  # fmt: skip
            assert twice.status_code == 422
        with server.api("editor", "read", "admin") as api:
            path = f"/api/v1/series/{series_id}"
            changed = api.put(path, json={"sections": [{"kind": "papers", "fields": ["model"]}]})
            assert changed.json()["sections"][0]["fields"] == ["model"]
            assert changed.json()["name"] == "快报"
            assert api.put(path, json={"sections": [{"kind": "gossip"}]}).status_code == 422
        with server.api("compiler", "read", "write") as api:
            assert api.put(path, json={"name": "x"}).status_code == 403


def test_a_series_is_founded_at_the_desk_and_gets_a_colour(tmp_path):
    with Serving(tmp_path, 1) as server:
        with server.browser("editor") as browser:
            founded = browser.submit("/settings/series", name="Second Bulletin", language="en")
            assert founded.status_code == 303
            again = browser.submit("/settings/series", name="Second Bulletin", language="en")
            assert again.status_code == 422
            page = browser.get("/settings").text
            assert "Second Bulletin" in page
            path = "/settings/series/2"
            blue = browser.submit(path, name="Second Bulletin", accent="#1f4e79")
            assert blue.status_code == 303
            assert get_series(server.desk, 2).accent == "#1f4e79"
            pale = browser.submit(path, name="Second Bulletin", accent="#ffee99")
            assert "too light" in pale.text
            browser.submit("/issues", series_id="2", day="2026-12-01")
            assert "--red: #1f4e79" in browser.get("/issues/1/preview").text
        with server.api("editor", "read", "admin") as api:
            made = api.post("/api/v1/series", json={"name": "第三种快报", "language": "zh"})
            assert made.status_code == 201
            assert made.json()["text_languages"] == ["zh", "*"]
