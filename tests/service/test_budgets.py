"""Budgets by month: alerts once at each threshold, an end where one is wanted."""

import logging
import smtplib

import pytest
from running import make_service, wait_until
from test_access import FREE, Person
from typer.testing import CliRunner

from kuaibao.errors import InputError
from kuaibao.service.errors import RateLimitError
from kuaibao.service.usage import Budget, BudgetBook, UsageRow

JUNE, JULY = 1_592_000_000.0, 1_594_000_000.0


def row(n=0, **fields):
    values = {"request_id": f"r{n}", "application_id": 1, "key_id": 1, "person_id": 1,
              "model": "m", "endpoint": "e"}  # fmt: skip
    return UsageRow(**values | fields)


@pytest.fixture
def service(tmp_path):
    made = make_service(tmp_path, prices={"m": {"prompt": 1000.0, "completion": 1000.0}})
    yield made
    made.close()


def use(service, book, n, n_token, at=JUNE, **fields):
    one = row(n, **fields)
    service.ledger.open(one, n_token, now=at)
    told = book.count(one, n_token, float(n_token), now=at)
    service.ledger.update(one, n_token, 0, status="done")
    return [alert.threshold for alert in told]


def test_each_threshold_is_told_once_a_month(service):
    told = []
    book = BudgetBook(service.database, told.append)
    book.set(Budget(scope="key", subject_id=1, amount=10), actor="test")
    assert use(service, book, 1, 4) == []
    assert use(service, book, 2, 5) == [50, 80]
    assert use(service, book, 3, 1) == [100]
    assert use(service, book, 4, 50) == []
    assert use(service, book, 5, 9, key_id=2) == []
    assert use(service, book, 6, 6, at=JULY) == [50]
    assert [alert.threshold for alert in told] == [50, 80, 100, 50]


def test_a_restart_neither_forgets_nor_tells_again(service):
    BudgetBook(service.database, lambda _: None).set(
        Budget(scope="application", subject_id=1, amount=10, unit="tokens"), actor="test"
    )
    assert use(service, BudgetBook(service.database, lambda _: None), 1, 6) == [50]
    after = BudgetBook(service.database, lambda _: None)
    assert use(service, after, 2, 1) == []
    assert use(service, after, 3, 1) == [80]
    (one,) = after.list()
    assert after.used(one, now=JUNE) == 8


def test_what_was_used_before_a_budget_was_set_counts(service):
    book = BudgetBook(service.database, lambda _: None)
    assert use(service, book, 1, 9) == []
    book.set(Budget(scope="key", subject_id=1, amount=10), actor="test")
    assert use(service, book, 2, 0) == [50, 80]


def test_a_hard_budget_ends_requests_and_a_higher_one_opens_them(service):
    book = BudgetBook(service.database, lambda _: None)
    book.set(Budget(scope="person", subject_id=1, amount=5, is_hard=True), actor="test")
    use(service, book, 1, 5)
    with pytest.raises(RateLimitError) as caught:
        book.check(row(2), now=JUNE)
    assert caught.value.code == "insufficient_quota"
    book.check(row(2), now=JULY)
    book.check(row(2, person_id=2), now=JUNE)
    book.set(Budget(scope="person", subject_id=1, amount=50, is_hard=True), actor="test")
    book.check(row(2), now=JUNE)


@pytest.mark.parametrize(
    "fields", [{"scope": "house"}, {"unit": "cows"}, {"amount": 0}, {"thresholds": ()}]
)
def test_a_budget_that_is_none_is_refused(service, fields):
    values = {"scope": "key", "subject_id": 1, "amount": 1.0} | fields
    with pytest.raises(InputError):
        service.budgets.set(Budget(**values), actor="test")


def test_an_alert_is_logged_and_mailed(tmp_path, caplog, monkeypatch):
    sent = []

    class Server:
        def __init__(self, host, port, timeout):
            assert (host, port) == ("mail.example.org", 2525)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def ehlo(self):
            pass

        def has_extn(self, _name):
            return False

        def send_message(self, message):
            sent.append(message)

    monkeypatch.setattr(smtplib, "SMTP", Server)
    service = make_service(tmp_path, smtp="mail.example.org:2525")
    service.budgets.set(
        Budget(scope="key", subject_id=1, amount=10, unit="tokens", email="a@example.org"),
        actor="test",
    )
    with caplog.at_level(logging.WARNING, logger="kuaibao.service.budgets"):
        service.budgets.count(row(), 9, 0.0)
    assert [r.fields["threshold"] for r in caplog.records] == [50, 80]
    wait_until(lambda: len(sent) == 2)
    assert sent[0]["To"] == "a@example.org"
    service.close()


def test_over_the_api_everybody_sees_and_sets_their_own(server):
    from kuaibao.service.policy import ApplicationForm

    admin = Person(server.url, server.key)
    form = ApplicationForm(purpose="p", audience="a", output_seen_by="o", human_in_the_loop="h")
    people = []
    for name in ("berta", "bruno"):
        secret, application = server.service.sign_up(name, "", name, form)
        admin.decide(application.application_id, policy=FREE)
        people.append(Person(server.url, secret, application.application_id))
    berta, bruno = people
    path = "/v1/kuaibao/budgets"
    order = {
        "scope": "application",
        "subject_id": berta.application_id,
        "amount": 9,
        "unit": "tokens",
    }
    assert bruno.call("POST", path, order).status_code == 404
    made = berta.call("POST", path, order)
    assert made.status_code == 200, made.text
    assert berta.complete(prompt="abcde", max_tokens=4).status_code == 200
    seen = berta.call("GET", path).json()
    assert seen["data"][0]["used"] == 9
    assert sorted(a["threshold"] for a in seen["alerts"]) == [50, 80, 100]
    assert bruno.call("GET", path).json()["data"] == []
    assert bruno.call("DELETE", f"{path}/{made.json()['budget_id']}").status_code == 404
    assert admin.call("POST", path, order | {"is_hard": True}).status_code == 200
    assert berta.complete().status_code == 429
    assert berta.call("POST", path, order | {"amount": 900}).status_code == 403
    assert berta.call("DELETE", f"{path}/{made.json()['budget_id']}").status_code == 403
    assert admin.call("DELETE", f"{path}/{made.json()['budget_id']}").status_code == 200
    assert berta.complete().status_code == 200


def test_the_shell_sets_lists_and_ends_budgets(tmp_path):
    import json

    from kuaibao.cli.service import app

    make_service(tmp_path).close()
    shell = CliRunner()

    def call(*arguments):
        run = shell.invoke(app, ["budgets", *arguments, "--data", str(tmp_path), "--json"])
        assert run.exit_code == 0, run.output
        return json.loads(run.stdout)

    (one,) = call("key:3", "--amount", "20", "--threshold", "75", "--hard")["budgets"]
    assert (one["amount"], one["thresholds"], one["is_hard"]) == (20, [75], True)
    assert call()["budgets"] == [one]
    assert call("key:3", "--amount", "0")["budgets"] == []


def test_the_shell_exports_usage_and_a_formula_stays_a_text(tmp_path):
    import csv

    from kuaibao.cli.service import app

    service = make_service(tmp_path)
    for n, model in enumerate(("m", "=1+1")):
        service.ledger.open(row(n, model=model), 3)
    service.close()
    run = CliRunner().invoke(app, ["usage", "--csv", "--data", str(tmp_path)])
    assert run.exit_code == 0, run.output
    lines = list(csv.DictReader(run.stdout.splitlines()))
    assert [line["model"] for line in lines] == ["m", "'=1+1"]
