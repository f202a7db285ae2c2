"""Few-shot templates: kept in versions, measured with intervals, chosen, used by the bulletin."""

import asyncio
import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import Running, make_service
from test_access import Person
from typer.testing import CliRunner

from kuaibao.errors import InputError, KuaibaoError
from kuaibao.service.few_shot import (
    Example,
    Selection,
    Template,
    choose_examples,
    evaluate,
    parse_template,
    prompt_that_fits,
)
from kuaibao.service.few_shot.evaluation import interval
from kuaibao.service.few_shot.remote_desk import FewShotDesk, configured_desk
from kuaibao.service.few_shot.store import builtin_names

COLOURS = ["red", "green", "blue", "grey", "pink", "gold"]
POOL = tuple(Example(f"paint the {c} wall number {i}", c) for i, c in enumerate(COLOURS))
TASKS = [Example(f"the {c} wall stands alone, day {i}", c) for i, c in enumerate(COLOURS * 3)]


class Copycat:
    """Answers as the shown example does that shares the most words: a model that learns to copy."""

    room = 10_000

    def __init__(self):
        self.n_call = 0

    def count(self, text):
        return len(text.split())

    def _blocks(self, prompt):
        *solved, question = [b for b in prompt.split("\n\n") if "Output:" in b]
        return [b.split("\nOutput: ") for b in solved], question

    async def complete(self, prompt, *, max_tokens, stop):
        self.n_call += 1
        solved, question = self._blocks(prompt)
        asked = set(question.split())
        best = max(solved, key=lambda s: len(asked & set(s[0].split())), default=["", "no idea"])
        return " " + best[1]

    async def score(self, prompt, answer):
        said = await self.complete(prompt, max_tokens=9, stop="")
        return (-0.1 if said == answer else -3.0), 1


def run(work):
    return asyncio.run(work)


def test_a_prompt_is_the_instruction_the_examples_and_the_question():
    template = Template(instruction="Name the colour.", examples=POOL[:1])
    assert template.render("a blue door", template.shown_for("a blue door")) == (
        "Name the colour.\n\nInput: paint the red wall number 0\nOutput: red\n\n"
        "Input: a blue door\nOutput:"
    )


def test_the_nearest_example_stands_last():
    template = Template(examples=POOL, selection=Selection(how="nearest", n_example=2))
    assert template.shown_for("a grey wall")[-1].output == "grey"


def test_a_prompt_that_does_not_fit_loses_its_first_examples():
    template = Template(examples=POOL, selection=Selection(n_example=6))
    writer = Copycat()
    writer.room = 40
    prompt = prompt_that_fits(template, "a wall", template.shown_for("a wall"), writer, 5)
    assert writer.count(prompt) <= 35
    assert "gold" in prompt
    assert "paint the red" not in prompt
    with pytest.raises(InputError, match="does not fit"):
        prompt_that_fits(template, "word " * 50, [], writer, 5)


def test_the_choice_finds_that_near_examples_help_and_reports_on_other_tasks():
    template = Template(examples=POOL)
    choice = run(choose_examples(template, TASKS, Copycat(), metric="exact", counts=(0, 1, 2, 6)))
    assert choice.selection == Selection(how="nearest", n_example=1)
    assert choice.test.mean == 1.0
    assert choice.zero_shot.mean == 0.0
    assert len(choice.test.scores) == len(TASKS) // 2
    assert choice.test.low < 1.0
    by_likelihood = run(choose_examples(template, TASKS, Copycat(), metric="likelihood"))
    assert by_likelihood.selection.how == "nearest"


def test_where_examples_do_not_help_none_is_shown():
    tasks = [Example(f"riddle {i}", "nobody knows") for i in range(8)]
    choice = run(choose_examples(Template(examples=POOL), tasks, Copycat(), metric="exact"))
    assert choice.selection.n_example == 0


def test_a_task_of_the_pool_is_refused_and_the_pool_leaves_each_out():
    template = Template(examples=POOL, selection=Selection(how="nearest", n_example=1))
    with pytest.raises(InputError, match="stands among the examples"):
        run(choose_examples(template, [*TASKS, POOL[0]], Copycat()))
    own = run(evaluate(template, POOL, Copycat(), is_pool=True))
    assert own.mean == 0.0  # each colour stands in one example alone


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60), st.booleans())
def test_an_interval_holds_the_mean_and_stays_within_bounds(scores, is_binary):
    low, high = interval(scores, is_binary=is_binary)
    assert 0 <= low <= sum(scores) / len(scores) + 1e-9
    assert sum(scores) / len(scores) - 1e-9 <= high <= 1


def test_the_wilson_interval_is_the_known_one():
    assert interval([1.0] * 8 + [0.0] * 2, is_binary=True) == pytest.approx(
        (0.4902, 0.9433), abs=1e-4
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[", "JSON"),
        ("[]", "object"),
        ('{"instructions": ""}', "instruction"),
        ('{"examples": [{"input": "a"}]}', "example 1"),
        ('{"selection": {"how": "nearst"}}', "nearest"),
        ('{"max_tokens": 0}', "max_tokens"),
        ('{"selection": {"how": "fixed", "places": [3]}}', "places"),
    ],
)
def test_a_wrong_template_is_told(text, word):
    with pytest.raises(InputError) as caught:
        parse_template(text)
    assert word in str(caught.value)


@given(st.text(max_size=60) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["examples", "selection", "how", "input", "stop"]), inner),
    max_leaves=8,
).map(json.dumps))  # fmt: skip
def test_no_text_breaks_the_parser(text):
    try:
        template = parse_template(text)
    except KuaibaoError:
        return
    assert parse_template(template.to_json()) == template


def test_the_program_s_own_templates_render_in_both_languages():
    assert {"headline-en", "headline-zh", "translation-en-zh", "answer-zh"} <= set(builtin_names())


# --- over the API, from the shell, for the bulletin


@pytest.fixture
def person(server):
    return Person(server.url, server.key)


def test_versions_stay_and_reports_are_kept(person):
    path = "/v1/kuaibao/templates"
    body = {"name": "colours", "template": {"examples": [vars(e) for e in POOL], "max_tokens": 3}}
    assert person.call("POST", path, body).json()["version"] == 1
    body["template"]["instruction"] = "Name the colour."
    assert person.call("POST", path, body).json()["version"] == 2
    tasks = [vars(task) for task in TASKS[:6]]
    order = {"model": "fake", "tasks": tasks, "metric": "likelihood", "counts": [0, 2]}
    report = person.call("POST", f"{path}/colours/evaluate", order | {"version": 1})
    assert report.status_code == 400  # `counts` belongs to choose
    order.pop("counts")
    report = person.call("POST", f"{path}/colours/evaluate", order | {"version": 1}).json()
    assert report["low"] <= report["mean"] <= report["high"]
    chosen = person.call("POST", f"{path}/colours/choose", order | {"counts": [0, 2]})
    assert chosen.status_code == 200, chosen.text
    assert chosen.json()["version"] == 3
    shown = person.call("GET", f"{path}/colours").json()
    assert shown["versions"] == [1, 2, 3]
    assert [r["kind"] for r in shown["reports"]] == ["choice", "evaluation"]
    assert person.call("GET", f"{path}/colours?version=1").json()["template"]["instruction"] == ""
    used = person.call("POST", f"{path}/colours/complete", {"model": "fake", "input": "a red door"})
    assert used.json()["version"] == 3
    assert person.call("DELETE", f"{path}/colours").json()["versions"] == 3
    assert person.call("GET", f"{path}/colours").status_code == 404


def test_what_a_template_uses_is_metered(server, person):
    def n_request():
        totals = server.service.ledger.totals("endpoint")
        return sum(t.n_request for t in totals if t.group == "templates")

    before = n_request()
    body = {"model": "fake", "input": "The library has a new room."}
    person.call("POST", "/v1/kuaibao/templates/headline-en/complete", body)
    assert n_request() == before + 1


def test_the_bulletin_s_desk_speaks_through_a_running_service(server):
    desk = configured_desk({"KUAIBAO_SERVICE_URL": server.url, "KUAIBAO_SERVICE_KEY": server.key})
    assert isinstance(desk.headline("The library has a new room.", language="en"), str)
    assert len(desk.translate(["One.", "Two."], source="en", target="zh")) == 2
    assert isinstance(desk.answer("Which?", ["A passage."], language="en"), str)
    with pytest.raises(KuaibaoError, match="refuses"):
        FewShotDesk(server.url, "kb-wrong").headline("x", language="en")
    with pytest.raises(KuaibaoError, match="does not answer"):
        FewShotDesk("http://127.0.0.1:9", "k").headline("x", language="en")
    with pytest.raises(InputError, match="none is named"):
        configured_desk({})


def test_another_person_s_templates_are_not_seen(server, person):
    from kuaibao.service.policy import ApplicationForm, Decision

    form = ApplicationForm(purpose="p", audience="a", output_seen_by="o", human_in_the_loop="h")
    secret, application = server.service.sign_up("tessa", "", "templates", form)
    server.service.applications.decide(
        application.application_id, Decision(status="approved", reasons="r"), actor="test"
    )
    tessa = Person(server.url, secret)
    path = "/v1/kuaibao/templates"
    person.call("POST", path, {"name": "mine", "template": {}})
    assert tessa.call("GET", f"{path}/mine").status_code == 404
    assert tessa.call("DELETE", f"{path}/mine").status_code == 404
    assert "mine" not in [t["name"] for t in tessa.call("GET", path).json()["data"]]


def test_the_shell_keeps_and_shows_templates(tmp_path):
    from kuaibao.cli.service import app

    service = make_service(tmp_path)
    service.first_administrator_key()
    service.close()
    file = tmp_path / "t.toml"
    file.write_text('instruction = "Say it"\n[[examples]]\ninput = "a"\noutput = "b"\n')
    shell = CliRunner()

    def call(*arguments):
        return shell.invoke(app, ["template", *arguments, "--data", str(tmp_path), "--json"])

    added = call("add", "say", str(file))
    assert added.exit_code == 0, added.output
    assert json.loads(added.stdout)["version"] == 1
    assert json.loads(call("show", "say").stdout)["template"]["instruction"] == "Say it"
    assert "headline-en" in [t["name"] for t in json.loads(call("list").stdout)]


def test_a_template_runs_on_another_server_through_the_gate(server, tmp_path, monkeypatch):
    from kuaibao.service.models import make_spec

    monkeypatch.setenv("FAR_KEY", server.key)
    service = make_service(tmp_path, remote_keys={"big": "FAR_KEY"})
    service.pool.add(make_spec(service.settings, "big", server.url + "/v1#fake"))
    with Running(service) as gate:
        headers = {"Authorization": f"Bearer {gate.key}"}
        path = gate.url + "/v1/kuaibao/templates"
        short = {"name": "short", "template": {"examples": [vars(POOL[0])], "max_tokens": 3}}
        httpx2.post(path, json=short, headers=headers, timeout=60)
        path += "/short/"
        body = {"model": "big", "input": "We release data."}
        answer = httpx2.post(path + "complete", json=body, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        (row,) = service.ledger.totals("model")
        assert row.n_completion_token > 0
        body = {"model": "big", "metric": "likelihood"}
        refused = httpx2.post(path + "evaluate", json=body, headers=headers, timeout=60)
        assert refused.status_code == 400
