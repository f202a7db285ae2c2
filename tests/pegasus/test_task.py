"""Training PEGASUS by recipe: what it learns, what it resumes, what it refuses."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from small_training import (
    finetune_recipe,
    pairs,
    pretrain_recipe,
    trained_folder,
    write_pairs,
)

from kuaibao.errors import InputError
from kuaibao.pegasus.buckets import bucket_order
from kuaibao.pegasus.masking import SENTENCE_MASK
from kuaibao.pegasus.objective import IGNORED, SummaryObjective
from kuaibao.pegasus.tokenizer import SENTENCE_MASK_ID, WORD_MASK_ID, load_tokenizer
from kuaibao.training import RecipeError, find_task, train
from kuaibao.transformer import load_pretrained


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_pretrained(folder).state_dict()


def test_a_handful_of_pairs_is_learned_by_heart(tmp_path: Path) -> None:
    folder = trained_folder(tmp_path)
    model, words = load_pretrained(folder), load_tokenizer(folder)
    sources = [words.encode(pair["document"], max_length=64) for pair in pairs()]
    written = model.generate(sources, max_new_tokens=32, num_beams=2)
    texts = [words.decode(found[0].tokens) for found in written]
    assert texts == [pair["summary"] for pair in pairs()]


@pytest.mark.parametrize("kind", ["finetune", "pretrain"])
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, kind: str) -> None:
    def recipe(name: str, steps: int):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        write_pairs(folder, 40)
        if kind == "finetune":
            return finetune_recipe(folder, steps=steps, checkpoint_every=3, dropout=0.1)
        more = 'objective = "both"\nratio = [0.15, 0.45]\nnoise = 0.2'
        return pretrain_recipe(folder, steps=steps, data=more, checkpoint_every=3)

    whole = recipe("whole", 7)
    train(find_task(whole), whole)
    cut = recipe("cut", 3)
    train(find_task(cut), cut)
    rest = recipe("cut", 7)
    train(find_task(rest), rest, resume=True)
    first, second = (weights(tmp_path / name / "run" / "model") for name in ("whole", "cut"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_pretraining_batches_hold_gaps_and_masked_words(tmp_path: Path) -> None:
    write_pairs(tmp_path, 40)
    recipe = pretrain_recipe(tmp_path, data='objective = "both"\nstrategy = "lead"')
    task = find_task(recipe)
    batch = task.batch(np.arange(4), np.random.default_rng(0))
    ids = batch["input_ids"]
    assert bool((ids == SENTENCE_MASK_ID).any(1).all())
    assert bool((ids == WORD_MASK_ID).any())
    assert batch["masked_labels"].shape == ids.shape
    assert bool((batch["masked_labels"][ids == WORD_MASK_ID] != IGNORED).all())
    # Each row's gap is its document's first sentence.
    first = task.tokenizer.decode([i for i in batch["labels"][0].tolist() if i != IGNORED])
    assert any(pair["document"].startswith(first) for pair in pairs(40))
    assert SENTENCE_MASK not in first


def test_masks_are_drawn_anew_and_held_out_ones_are_always_the_same(tmp_path: Path) -> None:
    write_pairs(tmp_path, 40)
    task = find_task(pretrain_recipe(tmp_path, data='objective = "masked-words"'))
    first, second, again = (
        task.batch(np.arange(8), np.random.default_rng(seed))["input_ids"] for seed in (0, 1, 0)
    )
    assert not torch.equal(first, second)
    assert torch.equal(first, again)
    task.model.eval()
    with torch.inference_mode():
        assert task.evaluate(task.model) == task.evaluate(task.model)


def test_a_decoder_begins_as_the_encoder_after_masked_words_alone(tmp_path: Path) -> None:
    write_pairs(tmp_path, 40)
    recipe = pretrain_recipe(tmp_path, data='objective = "masked-words"')
    result = train(find_task(recipe), recipe)
    assert result.model_folder is not None
    state = weights(result.model_folder)
    ours = state["blocks.0.feed_forward.up.weight"]
    assert torch.equal(ours, state["encoder.0.feed_forward.up.weight"])
    assert not torch.equal(ours, torch.zeros_like(ours))


def test_fine_tuning_begins_with_the_weights_and_words_of_pretraining(tmp_path: Path) -> None:
    write_pairs(tmp_path, 40)
    first = pretrain_recipe(tmp_path)
    train(find_task(first), first)
    second = finetune_recipe(tmp_path, run='initial_model = "run/model"', model="")
    task = find_task(replace(second, out="tuned"))
    assert task.tokenizer.vocab_size == load_tokenizer(tmp_path / "run" / "model").vocab_size
    before = weights(tmp_path / "run" / "model")
    own = task.model.net.state_dict()
    assert all(torch.equal(own[name], before[name]) for name in before)
    with pytest.raises(RecipeError, match="brings its own sizes"):
        find_task(finetune_recipe(tmp_path, run='initial_model = "run/model"'))
    other = replace(second, out="dropout", model={"dropout": 0.25})
    net = find_task(other).model.net
    assert all(torch.equal(net.state_dict()[name], before[name]) for name in before)
    assert net.config.dropout == net.blocks[0].dropout.p == 0.25


def test_a_model_is_saved_in_half_precision_when_asked(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    sizes: list[int] = []
    for kind in ("float32", "float16"):
        recipe = finetune_recipe(tmp_path, steps=1, data=f'saved_as = "{kind}"')
        recipe = replace(recipe, out=kind)
        train(find_task(recipe), recipe)
        sizes.append((tmp_path / kind / "model" / "model.safetensors").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    assert weights(tmp_path / "float16" / "model")["tokens.weight"].dtype == torch.float32


def test_so_many_pairs_are_drawn_and_none_is_held_out_twice(tmp_path: Path) -> None:
    write_pairs(tmp_path, 40)
    task = find_task(finetune_recipe(tmp_path, data="n_pairs = 5\nvalidation_share = 0.2"))
    assert task.n_sample == 5
    known = {tuple(row.tolist()) for row in task.train.sources}
    assert not known & {tuple(row.tolist()) for row in task.validation.sources}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('corpus = ["pairs.jsonl"]', "one of them"),
        ("lenght = 3", "unknown setting 'data.lenght'"),
        ("n_pairs = true", "data.n_pairs must be like"),
        ('objective = "gaps"', "not one of the known values"),
        ("label_smoothing = 1.5", "below 1"),
    ],
)
def test_a_wrong_data_table_is_named(tmp_path: Path, data: str, message: str) -> None:
    write_pairs(tmp_path)
    with pytest.raises(RecipeError, match=message):
        find_task(finetune_recipe(tmp_path, data=data))


def test_a_missing_file_and_a_wrong_strategy_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pairs\.jsonl"):
        find_task(finetune_recipe(tmp_path))
    write_pairs(tmp_path)
    with pytest.raises(InputError, match="unknown strategy"):
        find_task(pretrain_recipe(tmp_path, data='strategy = "best"'))


def test_buckets_hold_like_lengths_and_every_sample_at_most_once() -> None:
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 200, 1003).astype(np.int32)
    order = bucket_order(lengths, 16, np.random.default_rng(1))
    assert len(order) == len(set(order.tolist())) == 1003 // 16 * 16
    batches = lengths[order].reshape(-1, 16)
    plain = lengths[generator.permutation(1003)[: len(order)]].reshape(-1, 16)
    assert batches.max(1).sum() < 0.7 * plain.max(1).sum()
    assert not np.array_equal(order, bucket_order(lengths, 16, np.random.default_rng(2)))


def test_label_smoothing_is_the_mixture_with_the_uniform_distribution(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    task = find_task(finetune_recipe(tmp_path, data="label_smoothing = 0.1"))
    batch = task.batch(np.arange(4), np.random.default_rng(0))
    net = task.model.net
    labels = batch["labels"]
    start = torch.zeros_like(labels[:, :1])
    read = torch.cat([start, labels.clamp(min=0)[:, :-1]], 1)
    logits = net(batch["input_ids"], read, batch["attention_mask"]).double().detach().numpy()
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    total, n = 0.0, 0
    for row, wanted in zip(log_p, labels.numpy(), strict=True):
        for scores, label in zip(row, wanted, strict=True):
            if label != IGNORED:
                total -= 0.9 * scores[label] + 0.1 * scores.mean()
                n += 1
    with torch.inference_mode():
        smoothed = float(task.loss(task.model.train(), batch))
        plain = float(task.loss(task.model.eval(), batch))
    assert smoothed == pytest.approx(total / n, rel=1e-5)
    assert plain != smoothed
    with torch.inference_mode():
        assert float(SummaryObjective(net, 0.0).train()(batch)["summary"]) == plain
