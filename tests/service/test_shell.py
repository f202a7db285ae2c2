"""`kuaibao service` does from the shell what the console does."""

import json
import time

import pytest
from running import make_service
from typer.testing import CliRunner

from kuaibao.cli.service import app
from kuaibao.service.errors import KeyRefusedError

FORM = ["--person", "anna", "--name", "letters", "--purpose", "p", "--audience", "a",
        "--output-seen-by", "o", "--human-in-the-loop", "h"]  # fmt: skip


@pytest.fixture
def shell(tmp_path):
    service = make_service(tmp_path)
    service.first_administrator_key()

    def run(*arguments):
        done = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path), "--json"])
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout)

    yield run, service
    service.close()


def approved(run):
    number = run("apply", *FORM)["application_id"]
    run("review", str(number), "--approve", "--reasons", "small", "--ceiling", "tokens_per_day=50")
    return number


def test_a_key_is_made_with_an_end_rotated_and_revoked(shell):
    run, service = shell
    number = approved(run)
    made = run("keys", "--make-for", str(number), "--scope", "complete", "--expires-in-days", "2")
    assert made["expires_at"] == pytest.approx(time.time() + 2 * 86_400, abs=600)
    successor = run("keys", "--rotate", str(made["key_id"]))
    caller = service.identify(successor["secret"])
    assert caller.application.application_id == number
    assert caller.key.scopes == ("complete",)
    assert service.identify(made["secret"]).key.expires_at < time.time() + 2 * 3600
    run("keys", "--revoke", str(successor["key_id"]))
    with pytest.raises(KeyRefusedError):
        service.identify(successor["secret"])
    actions = [entry["action"] for entry in run("audit")["entries"]]
    assert actions.count("key rotated") == actions.count("key revoked") == 1


def test_held_texts_are_listed_and_judged(shell):
    run, service = shell
    for text in ("one", "two"):
        service.review_queue.add(
            request_id="r", application_id=1, side="input", check="toxic_language",
            reason="because", text=text, retention_days=3,
        )  # fmt: skip
    first, second = run("held")
    assert (first["text"], second["text"]) == ("one", "two")
    assert [t["text"] for t in run("held", "--harmless", str(first["held_id"]))] == ["two"]
    assert run("held", "--misuse", str(second["held_id"])) == []
    assert service.review_queue.judgement(1, "input", "one") == "harmless"
    assert service.review_queue.judgement(1, "input", "two") == "misuse"
    assert service.review_queue.judgement(1, "output", "two") is None
