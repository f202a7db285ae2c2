"""Fine-tuning learns its examples, full or by adapters, ends early, and goes on after a kill."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from small import small_model

from kuaibao.errors import InputError
from kuaibao.gpt import finetune, read_examples
from kuaibao.service import finetune_process
from kuaibao.training import loop
from kuaibao.transformer import load_pretrained
from kuaibao.transformer.lora import add_lora, merge_lora
from kuaibao.transformer.tokenizers import load_tokenizer

ANSWERS = {"cat": " mat", "dog": " sun", "red": " blue"}


@pytest.fixture
def order(tmp_path):
    small_model(tmp_path / "base")
    rows = [{"prompt": f"{q}:", "completion": a} for q, a in ANSWERS.items()] * 2
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return {"model": str(tmp_path / "base"), "training_file": str(file),
            "folder": tmp_path / "tuned", "work_folder": tmp_path / "run", "batch_size": 6,
            "learning_rate_multiplier": 50.0, "n_epochs": 30}  # fmt: skip


def answer(folder, prompt):
    words = load_tokenizer(folder)
    ((found,),) = load_pretrained(folder).generate([words.encode(prompt)], max_new_tokens=8)
    return words.decode(found.tokens), found.finish_reason


def test_examples_are_learned_with_their_end(order):
    report = finetune(**order)
    assert {q: answer(order["folder"], f"{q}:") for q in ANSWERS} == {
        q: (a, "stop") for q, a in ANSWERS.items()
    }
    assert report["accuracy"] == 1.0
    assert report["n_trained_token"] > 30 * 6
    assert report["n_parameter"] == sum(
        p.numel() for p in load_pretrained(order["folder"]).parameters()
    )


def test_adapters_learn_other_answers_with_few_parameters(order, tmp_path):
    base = finetune(**order)
    others = dict(zip(ANSWERS, reversed(ANSWERS.values()), strict=True))
    rows = [{"prompt": f"{q}:", "completion": a} for q, a in others.items()]
    Path(order["training_file"]).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = finetune(**order | {"model": str(order["folder"]), "folder": tmp_path / "lora",
                                 "work_folder": tmp_path / "run2", "lora_rank": 4,
                                 "learning_rate_multiplier": 20.0})  # fmt: skip
    assert report["n_parameter"] < base["n_parameter"] / 5
    assert {q: answer(tmp_path / "lora", f"{q}:")[0] for q in others} == others


def test_a_killed_job_goes_on_to_the_same_model(order, tmp_path, monkeypatch):
    whole = finetune(**order | {"n_epochs": 6})
    expected = load_pretrained(order["folder"]).state_dict()
    step = loop.Trainer.step

    def dies(self, n):
        if n == 4:
            raise KeyboardInterrupt
        return step(self, n)

    again = order | {"n_epochs": 6, "folder": tmp_path / "b", "work_folder": tmp_path / "run2"}
    monkeypatch.setattr(loop.Trainer, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        finetune(**again)
    monkeypatch.setattr(loop.Trainer, "step", step)
    assert finetune(**again) == whole
    for name, tensor in load_pretrained(tmp_path / "b").state_dict().items():
        assert torch.equal(tensor, expected[name])


def test_it_ends_early_and_keeps_the_best(order, tmp_path):
    wrong = tmp_path / "other.jsonl"
    rows = [{"prompt": f"{q}:", "completion": " ran"} for q in ANSWERS]
    wrong.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = finetune(**order | {"validation_file": str(wrong), "patience": 2})
    assert report["n_epoch"] < 30
    assert report["n_step"] == report["best_step"] + 2


def test_the_services_process_writes_what_the_job_book_reads(order, tmp_path):
    job = tmp_path / "job"
    job.mkdir()
    settings = {"n_epochs": 1, "batch_size": 2, "seed": 3, "learning_rate_multiplier": 0.5}
    (job / "order.json").write_text(
        json.dumps({"model": order["model"], "training_file": order["training_file"],
                    "validation_file": "", "hyperparameters": settings, "folder": str(job)})
    )  # fmt: skip
    finetune_process.main(str(job / "order.json"))
    assert json.loads((job / "result.json").read_text())["n_trained_token"] > 0
    assert load_pretrained(job / "model").config.n_embd == 32


def test_adapters_change_nothing_at_first_and_merge_exactly(tmp_path):
    model, _ = small_model(tmp_path)
    ids = torch.arange(20)[None]
    with torch.no_grad():
        before = model(ids)
        n = add_lora(model, rank=2)
        assert n == sum(p.numel() for p in model.parameters() if p.requires_grad)
        assert torch.equal(model(ids), before)
        for name, parameter in model.named_parameters():
            if name.endswith(".b"):
                parameter.normal_(0, 0.1)
        merged = merge_lora(model)
        assert list(merged.state_dict()) == list(load_pretrained(tmp_path).state_dict())
        assert (merged(ids) - model(ids)).abs().max() < 1e-4
        assert not torch.allclose(model(ids), before, atol=1e-2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no examples"), ("{", "x.jsonl:1: not JSON"), ("[1]", "prompt"),
        ('{"prompt": "a", "completion": "b"}\n\n{"prompt": 1}', "x.jsonl:3: an example"),
        ('{"messages": [{"role": "user", "content": "a"}]}', "assistant"),
        ('{"messages": [3]}', "message"),
    ],
)  # fmt: skip
def test_wrong_lines_are_named(text, message, tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_examples(file)


def test_chats_become_prompts_as_the_service_writes_them(tmp_path):
    from kuaibao.service.api.chat import render_chat
    from kuaibao.service.api.forms import ChatMessage

    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    file = tmp_path / "x.jsonl"
    answer = {"role": "assistant", "content": "Yes."}
    file.write_text(json.dumps({"messages": [*messages, answer]}))
    (example,) = read_examples(file)
    assert example.prompt == render_chat([ChatMessage(**m) for m in messages])
    assert example.completion == " Yes."
