"""int8 models stay near the whole ones and give each sequence its own numbers in any batch."""

import copy
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from families import hub_model

from kuaibao.transformer import CheckpointError, Stepper, load_pretrained, save_pretrained
from kuaibao.transformer.quantized import QuantizedLinear, quantize


def both(family, folder):
    hub_model(family).save_pretrained(folder)
    whole = load_pretrained(folder)
    return whole, quantize(copy.deepcopy(whole))


@pytest.mark.parametrize("family", ["gpt2", "imagegpt", "pegasus"])
def test_logits_stay_near(family, tmp_path):
    whole, small = both(family, tmp_path)
    ids = torch.arange(30).reshape(2, 15) % 30 + 1
    given = (ids, ids[:, :7]) if family == "pegasus" else (ids,)
    with torch.no_grad():
        expected, found = whole(*given), small(*given)
    assert not torch.equal(found, expected)
    assert (found - expected).std() < 0.05 * expected.std()


def test_rows_never_depend_on_their_neighbours():
    torch.manual_seed(1)
    layer = torch.nn.Linear(64, 48)
    small = QuantizedLinear(layer.weight.detach(), layer.bias.detach())
    x = torch.randn(9, 64) * torch.logspace(-3, 3, 9)[:, None]
    together = small(x)
    for i in range(9):
        assert torch.equal(small(x[i : i + 1])[0], together[i])
        assert (together[i] - layer(x[i])).abs().max() < 0.05 * layer(x[i]).abs().max()
    assert torch.equal(small(torch.zeros(2, 64)), layer.bias.detach().expand(2, 48))


def test_a_batch_gives_what_each_prompt_gets_alone(tmp_path):
    _, small = both("gpt2", tmp_path)
    prompts = [[5, 6, 7], [1], [9, 3, 2, 8]]
    together = small.generate(prompts, max_new_tokens=12)
    for i, prompt in enumerate(prompts):
        assert small.generate([prompt], max_new_tokens=12)[0][0].tokens == together[i][0].tokens


def test_what_is_quantised_is_not_saved(tmp_path):
    _, small = both("gpt2", tmp_path)
    with pytest.raises(CheckpointError, match="quantised"):
        save_pretrained(small, tmp_path / "out")


def test_steps_of_equal_and_unequal_lengths_agree_with_the_whole_pass(tmp_path):
    hub_model("gpt2").save_pretrained(tmp_path)
    model = load_pretrained(tmp_path)
    for prompts in ([[1, 2, 3], [4, 5, 6]], [[1, 2, 3], [4]]):
        stepper = Stepper(model, 2, 12)
        for slot, prompt in enumerate(prompts):
            stepper.prefill(slot, prompt)
        rows = [list(p) for p in prompts]
        for token in (7, 8, 9):
            found = stepper.step([0, 1], [token, token + 1])
            for slot, row in enumerate(rows):
                row.append(token + slot)
                with torch.no_grad():
                    assert (found[slot] - model(torch.tensor([row]))[0, -1]).abs().max() < 1e-4
