"""Questions of package descriptions, asked from the shell."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small import small_model

from kuaibao.cli.main import main
from kuaibao.errors import InputError
from kuaibao.gpt import tasks
from kuaibao.gpt.documents import Document
from kuaibao.gpt.tasks import debian_choices, make_section_choices, make_summary_choices

SECTIONS = ["games", "doc", "libs", "net", "web", "math", "rare"]


def description(i):
    section = SECTIONS[i % 6 if i < 60 else 6]
    return f"Package: p{i}\nSummary: about {i}\nSection: {section}\n\nLong text of {i}."


DOCUMENTS = [Document(description(i), f"g{i}") for i in range(61)] + [Document("other")]


def test_sections_are_the_commonest_six():
    choices = make_section_choices(DOCUMENTS)
    assert len(choices) == 60
    assert choices[7].prompt == "Package: p7\nSummary: about 7\nSection:"
    assert choices[7].options[choices[7].answer] == " doc"
    assert " rare" not in choices[0].options


def test_summaries_stand_among_others():
    for i, choice in enumerate(make_summary_choices(DOCUMENTS)):
        assert choice.options[choice.answer] == f" about {i}"
        assert len(set(choice.options)) == 4
    assert {c.answer for c in make_summary_choices(DOCUMENTS)} == {0, 1, 2, 3}
    with pytest.raises(InputError, match="too few"):
        make_summary_choices(DOCUMENTS[:3])


def test_examples_and_questions_are_of_different_groups(tmp_path, monkeypatch):
    file = tmp_path / "d.jsonl"
    file.write_text("\n".join(json.dumps({"text": d.text, "group": d.group}) for d in DOCUMENTS))
    monkeypatch.setattr(tasks, "resolve_source", lambda name, folder: file)
    questions, examples = debian_choices("summaries", held_out=0.3)
    assert 0 < len(questions) < len(examples)
    assert not {q.prompt for q in questions} & {e.prompt for e in examples}
    with pytest.raises(InputError, match="Did you mean 'sections'"):
        debian_choices("section")


@pytest.fixture
def run(capfd):
    def command(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        told = capfd.readouterr()
        assert not ended.value.code, told.err
        return json.loads(told.out)

    return command


def test_the_shell_asks_and_measures(tmp_path, run):
    small_model(tmp_path / "m")
    rows = [
        {"prompt": f"the cat sat {i}", "options": [" a", " b"], "answer": i % 2} for i in range(4)
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "t.txt").write_text("so the cat sat 0 a and more")
    zero, two = run("evaluate", "choices", tmp_path / "q.jsonl", "-m", tmp_path / "m", "-k", 0, "-k", 2,
                    "--training-text", tmp_path / "t.txt", "--json")  # fmt: skip
    assert (zero["n_shot"], two["n_shot"], zero["n"], zero["n_clean"]) == (0, 2, 4, 3)
    assert set(zero["accuracy"]) == {"sum", "token", "byte", "unconditional"}
    lines = [json.dumps({"text": d.text, "group": d.group}) for d in DOCUMENTS]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    figures = run(
        "evaluate", "text", tmp_path / "d.jsonl", "-m", tmp_path / "m", "--held-out", 0.3, "--json"
    )
    assert 0 < figures["kneser_ney"] < figures["model"]
    assert run("evaluate", "text", tmp_path / "t.txt", "-m", tmp_path / "m", "--held-out", 0,
               "--json")["kneser_ney"] is None  # fmt: skip
