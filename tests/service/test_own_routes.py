"""Our own routes: summaries and diagrams, metered and guarded like completions."""

import httpx2
import pytest
from running import Running, make_service

TEXT = (
    "The library opened a new reading room. The room holds forty desks. "
    "Readers may book the desks at home. A sensor measures the light of the room every hour."
)
DOMAIN = "type Set\npredicate Subset(Set, Set)"
SUBSTANCE = "Set A, B\nSubset(A, B)\nAutoLabel All"
STYLE = """canvas {
  width = 200
  height = 200
}
forall Set x {
  x.icon = Circle { r: ? }
  ensure lessThan(10, x.icon.r)
  ensure lessThan(x.icon.r, 80)
}
forall Set x; Set y where Subset(x, y) { ensure contains(y.icon, x.icon, 5) }
"""


def post(server, path, body, key=None):
    headers = {"Authorization": f"Bearer {key or server.key}"}
    return httpx2.post(server.url + path, json=body, headers=headers, timeout=100)


def test_a_summary_points_at_its_sentences_and_is_metered(server):
    answer = post(server, "/v1/summaries", {"text": TEXT, "n_sentences": 2}).json()
    assert len(answer["sentences"]) == 2
    for sentence in answer["sentences"]:
        assert TEXT[sentence["start"] : sentence["end"]] == sentence["text"]
    headers = {"Authorization": f"Bearer {server.key}"}
    usage = httpx2.get(
        server.url + "/v1/kuaibao/usage?by=endpoint", headers=headers, timeout=60
    ).json()["data"]
    (row,) = [row for row in usage if row["group"] == "summaries"]
    assert row["n_prompt_token"] >= answer["usage"]["prompt_tokens"] > 20


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": TEXT, "model": "nobody"}, {"text": 3}])
def test_a_wrong_order_for_a_summary_is_told(server, body):
    answer = post(server, "/v1/summaries", body)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]


def test_an_application_s_policy_stops_a_text(tmp_path):
    from kuaibao.service.policy import ApplicationForm, Decision, Policy

    with Running(make_service(tmp_path)) as server:
        form = ApplicationForm(
            purpose="Summaries",
            audience="editors",
            output_seen_by="editors",
            human_in_the_loop="an editor",
        )
        secret, application = server.service.sign_up("olga", "", "Summaries", form)
        server.service.applications.decide(
            application.application_id,
            Decision(status="approved", reasons="a test", policy=Policy(input={"personal_data": "refuse"}, output={})),
            actor="test",
        )  # fmt: skip
        refused = post(
            server, "/v1/summaries", {"text": TEXT + " Write to anna@example.org."}, secret
        )
        assert refused.status_code == 403
        assert "personal_data" in refused.json()["error"]["message"]
        assert post(server, "/v1/summaries", {"text": TEXT}, secret).status_code == 200


def test_a_diagram_is_drawn_and_described(server):
    body = {"substance": SUBSTANCE, "style": STYLE, "domain": DOMAIN, "seed": "s", "candidates": 2}
    answer = post(server, "/v1/diagrams", body)
    assert answer.status_code == 200, answer.text
    drawn = answer.json()
    assert drawn["svg"].startswith("<svg")
    assert drawn["violation"] < 0.01
    assert post(server, "/v1/diagrams", body).json()["svg"] == drawn["svg"]


def test_a_wrong_program_is_told_with_its_place(server):
    body = {"substance": "Set A\nSett B", "style": STYLE, "domain": DOMAIN}
    answer = post(server, "/v1/diagrams", body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert "Sett" in error["message"]
    assert ":2:1" in error["message"]


def test_a_model_s_summary_is_redacted_as_the_policy_says(tmp_path, monkeypatch):
    from kuaibao.service.api import summaries
    from kuaibao.service.policy import ApplicationForm, Decision, Policy

    class Engine:
        def summarize(self, document, *, n_sentence, language):
            return ["Write to anna@example.org.", "The room\nis new."]

    monkeypatch.setattr(summaries, "_engine", lambda name: Engine())
    with Running(make_service(tmp_path)) as server:
        form = ApplicationForm(
            purpose="Summaries",
            audience="editors",
            output_seen_by="editors",
            human_in_the_loop="one",
        )
        secret, application = server.service.sign_up("rita", "", "Summaries", form)
        server.service.applications.decide(
            application.application_id,
            Decision(status="approved", reasons="a test", policy=Policy(input={}, output={"personal_data": "redact"})),
            actor="test",
        )  # fmt: skip
        answer = post(server, "/v1/summaries", {"text": TEXT, "model": "engine"}, secret).json()
    first, second = (sentence["text"] for sentence in answer["sentences"])
    assert "anna@example.org" not in first
    assert "█" in first
    assert second == "The room is new."
