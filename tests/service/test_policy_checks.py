"""Checks over prompts and outputs, and what follows from a finding."""

import httpx2
import pytest
from running import Running, make_service, wait_until
from test_access import FREE, Person

from kuaibao.errors import InputError
from kuaibao.service.policy.checks import (
    CHECKS,
    Watcher,
    available_checks,
    label_probabilities,
)
from kuaibao.service.policy.rules import Policy


def findings(check, text):
    return CHECKS[check](text, 1, Watcher())


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("Write to jane.doe@example.org or call +49 30 901820", True),
        ("My card is 4111 1111 1111 1111", True),
        ("My card is 4111 1111 1111 1112", False),  # its check digit does not fit
        ("身份证号 11010519491231002X", True),
        ("身份证号 110105194912310021", False),
        ("Call (212) 555-0142 today", True),
        ("我的手机是13812345678", True),
        ("IBAN DE89 3704 0044 0532 0130 00", True),
        ("Version 3.11.7 of the library was released in 2020.", False),
        ("The conference is from 2020-08-10 to 2020-08-12.", False),
    ],
)
def test_personal_data(text, hit):
    assert bool(findings("personal_data", text)) == hit


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("You worthless fucking idiot, nobody wants you", True),
        ("你这个傻逼，滚出去", True),
        ("The classifier flags toxic language in two languages.", False),
        ("本文提出一种检测有毒语言的方法。", False),
    ],
)
def test_toxic_language(text, hit):
    assert bool(findings("toxic_language", text)) == hit


def test_profanity_is_found_where_it_stands():
    text = "The library opens at nine. Fuck off, you stupid bitch! It closes at six."
    found = findings("profanity", text)
    assert [text[start:end].strip() for start, end in found.spans] == [
        "Fuck off, you stupid bitch!"
    ]
    assert not findings("profanity", "The kernel kills the child process. 图书馆九点开门。")
    assert not findings("profanity", "")


def test_a_policy_can_only_name_checks_that_can_run_here(monkeypatch):
    text = '{"output": {"profanity": "flag"}}'
    assert Policy.from_json(text, available_checks()).output == {"profanity": "flag"}
    monkeypatch.setattr("kuaibao.service.policy.checks.find_spec", lambda name: None)
    with pytest.raises(InputError, match="unknown check 'profanity'"):
        Policy.from_json(text, available_checks())


def test_labels_are_probabilities():
    for text in ("", "hello", "You worthless fucking idiot"):
        shares = label_probabilities(text)
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0


def test_a_mass_mailing_is_seen_though_names_change():
    watcher = Watcher()
    letter = "Dear {}, our pills are cheap today and only today, so write to us at once, {}!"
    for i in range(40):
        watcher.remember(1, "output", letter.format(f"Anna{i}", f"Anna{i}"))
        watcher.remember(1, "input", letter.format(f"Anna{i}", i))
    assert CHECKS["mass_output"](letter.format("Zoe", "Zoe"), 1, watcher)
    assert CHECKS["repetition"](letter.format("Zoe", "Zoe"), 1, watcher)
    assert not CHECKS["mass_output"](letter.format("Zoe", "Zoe"), 2, watcher)
    assert not CHECKS["mass_output"]("The library opens at nine and closes at six.", 1, watcher)


def test_checks_take_hostile_texts_in_bounded_time():
    for check in CHECKS:
        for text in ("a" * 200_000, "@." * 50_000, "\ud800 \x00", "1 " * 50_000):
            findings(check, text)


@pytest.fixture
def developer(server):
    from kuaibao.service.policy import ApplicationForm

    admin = Person(server.url, server.key)
    form = ApplicationForm(
        purpose="p", audience="a", output_seen_by="o", human_in_the_loop="h"
    )  # fmt: skip

    def make(name, policy):
        secret, application = server.service.sign_up(name, "", name, form)
        admin.decide(application.application_id, policy=policy)
        return Person(server.url, secret, application.application_id)

    return make


RUDE = "You worthless fucking idiot, nobody wants you"


def test_a_refused_prompt_is_not_billed(developer):
    dev = developer("refuser", {**FREE, "input": {"toxic_language": "refuse"}})
    answer = dev.complete(prompt=RUDE)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "content_policy_violation"
    assert dev.call("GET", "/v1/kuaibao/usage").json()["data"] == []
    assert dev.complete(prompt="Good day").status_code == 200


def test_a_held_prompt_waits_for_a_person(server, developer):
    dev = developer("holder", {**FREE, "input": {"toxic_language": "hold"}, "retention_days": 7})
    assert dev.complete(prompt=RUDE).json()["error"]["code"] == "content_held"
    admin = Person(server.url, server.key)
    held = [h for h in admin.call("GET", "/v1/kuaibao/held").json()["data"] if h["text"] == RUDE]
    held = [h for h in held if h["application_id"] == dev.application_id]
    assert len(held) == 1
    path = f"/v1/kuaibao/held/{held[0]['held_id']}"
    assert admin.call("POST", path, {"decision": "misuse"}).status_code == 200
    assert not any(
        h["held_id"] == held[0]["held_id"]
        for h in admin.call("GET", "/v1/kuaibao/held").json()["data"]
    )
    # From now on this very text is refused, and no longer held.
    assert dev.complete(prompt=RUDE).json()["error"]["code"] == "content_policy_violation"


def test_a_held_text_is_kept_once_and_passes_when_a_person_finds_it_harmless(server, developer):
    dev = developer("quoter", {**FREE, "input": {"toxic_language": "hold"}, "retention_days": 7})
    other = developer("other", {**FREE, "input": {"toxic_language": "hold"}, "retention_days": 7})
    quoted = f"{RUDE}. That was what he said."
    for _ in range(3):
        assert dev.complete(prompt=quoted).json()["error"]["code"] == "content_held"
    admin = Person(server.url, server.key)
    held = [h for h in admin.call("GET", "/v1/kuaibao/held").json()["data"] if h["text"] == quoted]
    assert len(held) == 1
    path = f"/v1/kuaibao/held/{held[0]['held_id']}"
    assert admin.call("POST", path, {"decision": "harmless"}).status_code == 200
    assert dev.complete(prompt=quoted).status_code == 200
    assert dev.complete(prompt=RUDE).json()["error"]["code"] == "content_held"
    assert other.complete(prompt=quoted).json()["error"]["code"] == "content_held"


def test_output_is_redacted_sentence_by_sentence(developer):
    dev = developer("redactor", {**FREE, "output": {"personal_data": "redact"}})
    mail = "x@example.org."
    forced = {"echo": True, "prompt": f"Write to {mail}", "max_tokens": 1}
    assert dev.complete(**forced).status_code == 200


def test_a_prompt_is_redacted_before_the_model_reads_it(developer):
    dev = developer("blacked-out", {**FREE, "input": {"personal_data": "redact"}})
    answer = dev.complete(prompt="Write to x@example.org.", echo=True, max_tokens=0)
    assert answer.json()["choices"][0]["text"] == "Write to █████████████."


def test_held_texts_go_when_their_time_is_over(tmp_path):
    with Running(make_service(tmp_path, tidy_every_s=0.05)) as server:
        queue = server.service.review_queue
        kept = {"request_id": "r", "application_id": 1, "side": "input", "check": "links",
                "reason": "many", "text": "x", "retention_days": 1}  # fmt: skip
        queue.add(**kept, now=1.0)
        queue.add(**kept)
        wait_until(lambda: len(queue.waiting()) == 1)


def test_nothing_is_kept_where_the_policy_keeps_nothing(server, developer):
    dev = developer(
        "private", {"input": {"toxic_language": "flag"}, "output": {}, "retention_days": 0}
    )
    secret_words = "zanzibar " + RUDE
    assert dev.complete(prompt=secret_words).status_code == 200
    import pathlib

    database = pathlib.Path(server.service.settings.data) / "service.db"
    with server.service.database.write():
        pass
    stored = b"".join(p.read_bytes() for p in database.parent.glob("service.db*"))
    assert b"zanzibar" not in stored


def test_unknown_checks_and_actions_are_named(server):
    from kuaibao.service.policy import ApplicationForm

    form = ApplicationForm(purpose="p", audience="a", output_seen_by="o", human_in_the_loop="h")
    _, application = server.service.sign_up("typo", "", "typo", form)
    path = f"{server.url}/v1/kuaibao/applications/{application.application_id}/decision"
    for policy, word in (
        ({"input": {"toxic_langage": "flag"}}, "toxic_langage"),
        ({"input": {"toxic_language": "refus"}}, "refus"),
        ({"inputs": {}}, "inputs"),
    ):
        body = {"status": "approved", "reasons": "r", "policy": policy}
        answer = httpx2.post(
            path, json=body, headers={"Authorization": f"Bearer {server.key}"}, timeout=60
        )
        assert answer.status_code == 400
        assert word in answer.json()["error"]["message"]
