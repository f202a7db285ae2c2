"""Applications, keys, quotas, the ledger and the audit log, over HTTP."""

import re

import httpx2
import pytest
from running import Running, make_service

FORM = {
    "name": "Headlines",
    "purpose": "Draft headlines of a bulletin",
    "audience": "editors",
    "output_seen_by": "editors only",
    "human_in_the_loop": "an editor reads all",
}
FREE = {"input": {}, "output": {}}


class Person:
    """A key holder."""

    def __init__(self, url, key, application_id=0):
        self.url, self.headers, self.application_id = (
            url,
            {"Authorization": f"Bearer {key}"},
            application_id,
        )
        self.key = key

    def call(self, method, path, body=None):
        return httpx2.request(method, self.url + path, json=body, headers=self.headers, timeout=60)

    def complete(self, **fields):
        fields = {"model": "fake", "prompt": "Hi", "max_tokens": 4} | fields
        return self.call("POST", "/v1/completions", fields)

    def decide(self, application_id, **decision):
        body = {"status": "approved", "reasons": "a test"} | decision
        answer = self.call("POST", f"/v1/kuaibao/applications/{application_id}/decision", body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def admin(server):
    return Person(server.url, server.key)


@pytest.fixture
def apply(server, request):
    def sign_up(name):
        form = {**FORM, "name": name}
        service = server.service
        from kuaibao.service.policy import ApplicationForm

        form.pop("name")
        unique = re.sub(r"[^\w-]", "-", f"{name}-{request.node.name}")
        secret, application = service.sign_up(unique, "", name, ApplicationForm(**form))
        return Person(server.url, secret, application.application_id)

    return sign_up


def test_the_waiting_list_from_sign_up_to_suspension(server, admin):
    answer = httpx2.post(
        server.url + "/v1/kuaibao/sign-up", json={"person": "wanda", **FORM}, timeout=60
    )
    assert answer.status_code == 200
    wanda = Person(server.url, answer.json()["secret"], answer.json()["application_id"])
    assert wanda.complete().status_code == 403
    path = f"/v1/kuaibao/applications/{wanda.application_id}"
    assert (
        admin.call("POST", path + "/question", {"text": "Who reads it?"}).json()["status"]
        == "questions"
    )
    assert wanda.call("POST", path + "/answer", {"text": "Me."}).json()["status"] == "submitted"
    events = wanda.call("GET", path).json()["events"]
    assert "Who reads it?" in [e["text"] for e in events]
    admin.decide(wanda.application_id)
    assert wanda.complete().status_code == 200
    admin.decide(wanda.application_id, status="suspended")
    assert wanda.complete().status_code == 403
    admin.decide(wanda.application_id)
    admin.call("POST", path + "/switch", {"is_killed": True})
    assert wanda.complete().status_code == 403


def test_sign_up_is_limited_by_address(tmp_path):
    with Running(make_service(tmp_path)) as server:  # its own: the limit counts by address
        answers = [
            httpx2.post(
                server.url + "/v1/kuaibao/sign-up", json={"person": f"eve{i}", **FORM}, timeout=60
            )
            for i in range(6)
        ]
    assert answers[-1].status_code == 429
    assert "Retry-After" in answers[-1].headers


def test_an_expired_approval_opens_nothing(admin, apply):
    late = apply("late")
    admin.decide(late.application_id, expires_at=1.0)
    assert "expired" in late.complete().json()["error"]["message"]


ADMIN_CALLS = [
    ("POST", "/v1/kuaibao/applications/{mine}/question", {"text": "?"}),
    ("POST", "/v1/kuaibao/applications/{mine}/decision", {"status": "approved", "reasons": "me"}),
    ("POST", "/v1/kuaibao/applications/{mine}/switch", {"is_killed": False}),
    ("POST", "/v1/kuaibao/applications/{mine}/keys", {"scopes": ["admin"]}),
    ("GET", "/v1/kuaibao/held", None),
    ("POST", "/v1/kuaibao/held/1", {"decision": "harmless"}),
    ("GET", "/v1/kuaibao/audit", None),
]
OTHERS_CALLS = [
    ("GET", "/v1/kuaibao/applications/{other}", None),
    ("POST", "/v1/kuaibao/applications/{other}/answer", {"text": "x"}),
    ("POST", "/v1/kuaibao/applications/{other}/keys", {}),
    ("DELETE", "/v1/kuaibao/keys/{other_key}", None),
    ("POST", "/v1/kuaibao/keys/{other_key}/rotate", {}),
    ("GET", "/v1/files/{other_file}", None),
    ("GET", "/v1/files/{other_file}/content", None),
    ("DELETE", "/v1/files/{other_file}", None),
    ("POST", "/v1/fine_tuning/jobs", {"model": "fake", "training_file": "{other_file}"}),
    ("GET", "/v1/fine_tuning/jobs/ftjob-none", None),
    ("POST", "/v1/fine_tuning/jobs/ftjob-none/cancel", {}),
]


def test_a_key_sees_only_its_own(server, admin, apply):
    mine, other = apply("mine"), apply("other")
    admin.decide(mine.application_id, policy=FREE)
    admin.decide(other.application_id, policy=FREE)
    upload = httpx2.post(
        server.url + "/v1/files", headers=other.headers, data={"purpose": "fine-tune"},
        files={"file": ("a.jsonl", b'{"prompt": "a", "completion": "b"}\n')}, timeout=60)  # fmt: skip
    assert upload.status_code == 200, upload.text
    places = {
        "mine": mine.application_id, "other": other.application_id,
        "other_key": other.call("GET", "/v1/kuaibao/keys").json()["data"][0]["key_id"],
        "other_file": upload.json()["id"],
    }  # fmt: skip

    def filled(value):
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        return value.format(**places) if isinstance(value, str) else value

    for method, path, body in ADMIN_CALLS:
        assert mine.call(method, filled(path), filled(body)).status_code == 403, path
    for method, path, body in OTHERS_CALLS:
        assert mine.call(method, filled(path), filled(body)).status_code in (400, 404), path
    other.complete()
    assert mine.call("GET", "/v1/files").json()["data"] == []
    assert mine.call("GET", "/v1/kuaibao/usage").json()["data"] == []
    assert [
        a["application_id"] for a in mine.call("GET", "/v1/kuaibao/applications").json()["data"]
    ] == [mine.application_id]
    assert other.call("DELETE", filled("/v1/files/{other_file}")).status_code == 200


def test_scopes_rotation_and_revocation(admin, apply):
    dev = apply("dev")
    admin.decide(dev.application_id, policy=FREE)
    keys = f"/v1/kuaibao/applications/{dev.application_id}/keys"
    reader = Person(dev.url, dev.call("POST", keys, {"scopes": ["embed"]}).json()["secret"])
    refused = reader.complete()
    assert refused.status_code == 403
    assert "complete" in refused.json()["error"]["message"]
    own = dev.call("GET", "/v1/kuaibao/keys").json()["data"]
    own.sort(key=lambda key: key["key_id"])
    assert not any("secret" in key or dev.key in str(key) for key in own)
    rotated = Person(
        dev.url,
        dev.call("POST", f"/v1/kuaibao/keys/{own[0]['key_id']}/rotate", {}).json()["secret"],
    )
    assert rotated.complete().status_code == dev.complete().status_code == 200
    assert dev.call("DELETE", f"/v1/kuaibao/keys/{own[0]['key_id']}").status_code == 200
    assert dev.complete().status_code == 401
    assert rotated.complete().status_code == 200


def test_ceilings_of_an_application(admin, apply):
    dev = apply("ceilings")
    admin.decide(
        dev.application_id, policy=FREE,
        ceilings={"max_input_tokens": 10, "max_output_tokens": 5, "requests_per_minute": 3,
                  "tokens_per_minute": 0, "tokens_per_day": 0, "tokens_per_month": 0},
    )  # fmt: skip
    assert dev.complete(prompt="x" * 11).json()["error"]["code"] == "input_ceiling"
    assert dev.complete(max_tokens=6).json()["error"]["code"] == "output_ceiling"
    statuses = [dev.complete().status_code for _ in range(4)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    limited = dev.complete()
    assert int(limited.headers["Retry-After"]) >= 1
    assert limited.json()["error"]["code"] == "rate_limit_exceeded"
    unknown = admin.call(
        "POST", f"/v1/kuaibao/applications/{dev.application_id}/decision",
        {"status": "approved", "reasons": "x", "ceilings": {"typo": 1}},
    )  # fmt: skip
    assert unknown.status_code == 400


@pytest.mark.parametrize("period", ["day", "month"])
def test_requests_are_counted_by_day_and_month(admin, apply, period):
    dev = apply(f"few-{period}")
    limits = {f"requests_per_{period}": 2, "tokens_per_day": 1000}
    admin.decide(dev.application_id, policy=FREE, ceilings=limits)
    assert [dev.complete().status_code for _ in range(3)] == [200, 200, 429]
    error = dev.complete().json()["error"]
    assert error["code"] == "insufficient_quota"
    assert f"2 requests a {period}" in error["message"]


def test_usage_is_counted_exactly_once_and_exported(admin, apply):
    dev = apply("counted")
    admin.decide(dev.application_id, policy=FREE)
    for _ in range(3):
        assert dev.complete(prompt="abcde", max_tokens=4, n=2, user="someone").status_code == 200
    (total,) = dev.call("GET", "/v1/kuaibao/usage?by=model").json()["data"]
    assert total["n_request"] == 3
    assert total["n_prompt_token"] == 15
    assert 0 < total["n_completion_token"] <= 24
    table = dev.call("GET", "/v1/kuaibao/usage.csv").text
    assert len(table.splitlines()) == 4
    assert "someone" not in table


def test_the_audit_log_verifies_and_notices_a_change(server, admin):
    verified = admin.call("GET", "/v1/kuaibao/audit").json()
    assert verified["verified"] >= 3
    import sqlalchemy

    from kuaibao import accounts

    with server.service.database.write() as connection:
        connection.execute(sqlalchemy.text("SAVEPOINT tamper"))
        table = next(
            name for name in sqlalchemy.inspect(connection).get_table_names() if "audit" in name
        )
        with pytest.raises(Exception, match=r"(?i)append|audit|chain"):
            connection.execute(sqlalchemy.text(f"UPDATE {table} SET actor = 'mallory'"))
            accounts.verify_audit(connection, chain="service")
        connection.execute(sqlalchemy.text("ROLLBACK TO tamper"))
