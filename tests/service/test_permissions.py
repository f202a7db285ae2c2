"""Who may call what: every documented call has its row, for every role."""

import pytest
from running import make_service

from kuaibao.service.policy import ApplicationForm, Decision, Policy
from kuaibao.service.service import SCOPES

FORM = ApplicationForm(purpose="p", audience="a", output_seen_by="o", human_in_the_loop="h")
TEXT = {"model": "fake", "prompt": "a", "max_tokens": 1}
TASK = {"model": "fake", "input": "a"}

# Call → (what it needs, a body that is right). `open`: nobody's key; `waiting`: also of an application
# that is not approved; `any`: any live key; a scope; `admin`. {…} stands for somebody else's.
CALLS = {
    "GET /health": ("open", None),
    "GET /ready": ("open", None),
    "GET /metrics": ("open", None),
    "GET /v1/kuaibao/rules": ("open", None),
    "POST /v1/kuaibao/sign-up": ("open", {}),
    "GET /v1/kuaibao/applications": ("waiting", None),
    "GET /v1/kuaibao/applications/{application_id}": ("waiting", None),
    "POST /v1/kuaibao/applications/{application_id}/answer": ("waiting", {"text": "x"}),
    "POST /v1/kuaibao/applications": ("any", {"name": "n", **vars(FORM)}),
    "POST /v1/kuaibao/applications/{application_id}/keys": ("any", {}),
    "GET /v1/kuaibao/keys": ("any", None),
    "DELETE /v1/kuaibao/keys/{key_id}": ("any", None),
    "POST /v1/kuaibao/keys/{key_id}/rotate": ("any", {}),
    "GET /v1/kuaibao/usage": ("any", None),
    "GET /v1/kuaibao/usage.csv": ("any", None),
    "GET /v1/kuaibao/budgets": ("any", None),
    "POST /v1/kuaibao/budgets": ("any", {"scope": "key", "subject_id": "{key_id}", "amount": 1}),
    "DELETE /v1/kuaibao/budgets/{budget_id}": ("any", None),
    "POST /v1/kuaibao/applications/{application_id}/question": ("admin", {"text": "x"}),
    "POST /v1/kuaibao/applications/{application_id}/decision": (
        "admin", {"status": "approved", "reasons": "r", "policy": {"input": {}, "output": {}}},
    ),
    "POST /v1/kuaibao/applications/{application_id}/switch": ("admin", {"is_killed": False}),
    "GET /v1/kuaibao/held": ("admin", None),
    "POST /v1/kuaibao/held/{held_id}": ("admin", {"decision": "harmless"}),
    "GET /v1/kuaibao/audit": ("admin", None),
    "GET /v1/models": ("any", None),
    "GET /v1/models/{model_id}": ("any", None),
    "GET /v1/engines": ("any", None),
    "GET /v1/engines/{engine_id}": ("any", None),
    "POST /v1/completions": ("complete", TEXT),
    "POST /v1/engines/{engine_id}/completions": ("complete", TEXT),
    "POST /v1/chat/completions": (
        "complete", {"model": "fake", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]},
    ),
    "POST /v1/engines/{engine_id}/search": ("complete", {"query": "a", "documents": ["b"]}),
    "POST /v1/classifications": (
        "complete", {"model": "fake", "query": "a", "examples": [["a", "b"], ["c", "d"]]},
    ),
    "POST /v1/answers": (
        "complete", {"model": "fake", "question": "a", "examples": [["a", "b"]], "examples_context": "c",
                     "documents": ["d"]},
    ),
    "POST /v1/summaries": ("complete", {"text": "One sentence stands here. Another follows it."}),
    "POST /v1/images/completions": ("complete", {"model": "none"}),
    "POST /v1/diagrams": ("complete", {"substance": "", "style": "", "domain": ""}),
    "GET /v1/kuaibao/templates": ("any", None),
    "GET /v1/kuaibao/templates/{name}": ("any", None),
    "POST /v1/kuaibao/templates": ("complete", {"name": "n", "template": {}}),
    "DELETE /v1/kuaibao/templates/{name}": ("complete", None),
    "POST /v1/kuaibao/templates/{name}/complete": ("complete", TASK),
    "POST /v1/kuaibao/templates/{name}/evaluate": ("complete", {"model": "fake"}),
    "POST /v1/kuaibao/templates/{name}/choose": ("complete", {"model": "fake"}),
    "POST /v1/embeddings": ("embed", {"model": "fake", "input": "a"}),
    "POST /v1/engines/{engine_id}/embeddings": ("embed", {"input": "a"}),
    "POST /v1/files": ("files", None),
    "GET /v1/files": ("files", None),
    "GET /v1/files/{file_id}": ("files", None),
    "GET /v1/files/{file_id}/content": ("files", None),
    "DELETE /v1/files/{file_id}": ("files", None),
    "POST /v1/fine_tuning/jobs": ("tune", {"model": "fake", "training_file": "{file_id}"}),
    "GET /v1/fine_tuning/jobs": ("tune", None),
    "GET /v1/fine_tuning/jobs/{job_id}": ("tune", None),
    "POST /v1/fine_tuning/jobs/{job_id}/cancel": ("tune", {}),
    "GET /v1/fine_tuning/jobs/{job_id}/events": ("tune", None),
}  # fmt: skip
OWN = ("{application_id}", "{key_id}", "{budget_id}", "{file_id}", "{job_id}", "{name}")
"""Parts of a path that name what belongs to somebody."""


class House:
    """Keys of every role, and things that belong to Olga."""

    def __init__(self, server):
        service = self.service = server.service
        self.keys = {"nobody": "", "wrong": "kb-nonsense", "admin": server.key}
        self.keys["waiting"], _ = service.sign_up("wim", "", "waits", FORM)
        olga, application = service.sign_up("olga", "", "olga's", FORM)
        free = Decision(status="approved", reasons="r", policy=Policy(input={}, output={}))
        application = service.applications.decide(application.application_id, free, actor="t")
        self.keys["olga"] = olga
        _, hers = service.sign_up("dora", "", "dora's", FORM)
        hers = service.applications.decide(hers.application_id, free, actor="t")
        for scope in SCOPES[:-1]:
            self.keys[scope], _ = service.make_key(hers, scopes=(scope,), actor="t")
        self.keys["dora"], _ = service.make_key(hers, actor="t")
        caller = service.identify(olga)
        from kuaibao.service.files import FileStore
        from kuaibao.service.jobs import JobBook
        from kuaibao.service.usage import Budget

        line = b'{"prompt": "a", "completion": "b"}\n'
        file_id = FileStore(service).add(caller, "a.jsonl", "fine-tune", line)["id"]
        job = JobBook(service).create(
            caller, model="fake", training_file=file_id, validation_file="", suffix="",
            hyperparameters={}, seed=1,
        )  # fmt: skip
        budget = service.budgets.set(
            Budget(scope="key", subject_id=caller.key.key_id, amount=1e9), actor="olga"
        )
        from kuaibao.service.few_shot import Template, TemplateBook

        TemplateBook(service.database).add(caller.person.person_id, "hers", Template(), actor="t")
        self.names = {
            "application_id": application.application_id, "key_id": caller.key.key_id,
            "budget_id": budget.budget_id, "file_id": file_id, "job_id": job["id"], "name": "hers",
            "engine_id": "fake", "model_id": "fake", "held_id": 999,
        }  # fmt: skip

    def call(self, client, label, role):
        method, path = label.split(" ")
        _, body = CALLS[label]
        if body is not None:
            body = {k: self.names[v[1:-1]] if isinstance(v, str) and v[:1] == "{" else v
                    for k, v in body.items()}  # fmt: skip
        headers = {"Authorization": f"Bearer {self.keys[role]}"} if self.keys[role] else {}
        more = {"json": body} if body is not None else {}
        if label == "POST /v1/files":
            more = {"data": {"purpose": "fine-tune"},
                    "files": {"file": ("a.jsonl", b'{"prompt": "a", "completion": "b"}\n')}}  # fmt: skip
        return client.request(method, path.format(**self.names), headers=headers, **more)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    from starlette.testclient import TestClient

    from kuaibao.service.api import create_app

    service = make_service(tmp_path_factory.mktemp("roles"))

    class Opened:
        pass

    opened = Opened()
    opened.service, opened.key = service, service.first_administrator_key()
    made = House(opened)
    # Without its lifespan: the fine-tuning worker would try the jobs.
    made.client = TestClient(create_app(service), raise_server_exceptions=False)
    yield made
    service.close()


def test_every_documented_call_has_its_row(house):
    document = house.client.get("/openapi.json").json()
    calls = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert calls == set(CALLS)


@pytest.mark.parametrize("label", [c for c in CALLS if CALLS[c][0] != "open"])
def test_each_role_may_do_what_its_row_says(house, label):
    needs, _ = CALLS[label]
    if label.startswith("DELETE") or "rotate" in label or "cancel" in label:
        roles = ["nobody", "wrong", "waiting", *SCOPES[:-1], "dora"]
    else:
        roles = sorted(house.keys, key="admin".__eq__)  # what an administrator sets binds others
    for role in roles:
        status = house.call(house.client, label, role).status_code
        if role in ("nobody", "wrong"):
            assert status == 401, (label, role)
        elif (
            (role == "waiting" and needs != "waiting")
            or (needs == "admin" and role != "admin")
            or (needs in SCOPES[:-1] and role in SCOPES[:-1] and role != needs)
        ):
            assert status == 403, (label, role)
        else:
            assert status not in (401, 403), (label, role)
            assert status < 500, (label, role)


@pytest.mark.parametrize(
    "label",
    [c for c in CALLS if any(o in c for o in OWN) and CALLS[c][0] not in ("admin", "open")]
    + ["POST /v1/kuaibao/budgets", "POST /v1/fine_tuning/jobs"],
)
def test_what_is_another_s_is_not_there(house, label):
    needs, _ = CALLS[label]
    for role in {"dora", needs if needs in SCOPES else "dora"}:
        assert house.call(house.client, label, role).status_code == 404, (label, role)


@pytest.mark.parametrize("scopes", [[], ["complete"], ["embed", "tune"]])
def test_a_key_makes_no_key_that_may_more_than_itself(house, scopes):
    hers = house.service.identify(house.keys["dora"]).application.application_id
    headers = {"Authorization": f"Bearer {house.keys['embed']}"}
    path = f"/v1/kuaibao/applications/{hers}/keys"
    assert house.client.post(path, json={"scopes": scopes}, headers=headers).status_code == 403
    assert house.client.post(path, json={"scopes": ["embed"]}, headers=headers).status_code == 200
    whole = house.service.identify(house.keys["dora"]).key.key_id
    path = f"/v1/kuaibao/keys/{whole}/rotate"
    assert house.client.post(path, headers=headers).status_code == 403


def test_lists_and_sums_hold_ones_own_alone(house):
    house.call(house.client, "POST /v1/completions", "olga")
    for label in ("GET /v1/files", "GET /v1/fine_tuning/jobs", "GET /v1/kuaibao/usage",
                  "GET /v1/kuaibao/usage.csv", "GET /v1/kuaibao/applications", "GET /v1/kuaibao/keys",
                  "GET /v1/kuaibao/budgets", "GET /v1/kuaibao/templates"):  # fmt: skip
        seen = house.call(house.client, label, "dora").text
        own = house.call(house.client, label, "olga").text
        for mark in ("olga", house.names["file_id"], house.names["job_id"], '"hers"'):
            assert mark not in seen, label
        assert own != seen or label == "GET /v1/kuaibao/budgets"
