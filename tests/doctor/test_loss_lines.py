import pytest
import torch

from kuaibao.doctor.loss_lines import (
    check_replacement,
    load_function,
    make_inputs,
    profile_lines,
)
from kuaibao.errors import InputError

SLOW = """
import torch

def ranking(scores, targets):
    total, n = 0.0, 0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if targets[i] > targets[j]:
                total = total + torch.relu(1 - scores[i] + scores[j])
                n += 1
    return total / n

def vectorised(scores, targets):
    wins = targets[:, None] > targets[None, :]
    return torch.relu(1 - scores[:, None] + scores[None, :])[wins].mean()

def wrong_gradient(scores, targets):
    return vectorised(scores, targets).detach() + 0 * scores.sum()
"""


@pytest.fixture
def losses(tmp_path):
    path = tmp_path / "losses.py"
    path.write_text(SLOW)
    return path


def test_the_lines_of_a_loss_are_ranked_with_their_calls_and_waits(losses):
    lines = profile_lines(load_function(f"{losses}:ranking"), make_inputs(["12", "12"])(0))
    asked = next(row for row in lines if row.text.startswith("if targets"))
    summed = next(row for row in lines if row.text.startswith("total = total"))
    assert asked.n_runs == 144
    assert asked.n_synchronizations >= 144  # a tensor in an `if` is brought to Python
    assert summed.n_runs == 66
    assert summed.n_calls > 66
    assert sum(row.share for row in lines) == pytest.approx(1)
    assert lines[0].seconds >= lines[-1].seconds


def test_a_vectorised_replacement_is_found_equal_and_much_faster(losses):
    make = make_inputs(["40", "40"])
    found = check_replacement(
        load_function(f"{losses}:ranking"), load_function(f"{losses}:vectorised"), make, rounds=3
    )
    assert found.is_equal_value
    assert found.is_equal_gradient
    assert found.speedup.mid > 3


def test_a_replacement_with_another_gradient_is_refused(losses):
    found = check_replacement(
        load_function(f"{losses}:vectorised"), load_function(f"{losses}:wrong_gradient"),
        make_inputs(["20", "20"]), rounds=2,
    )  # fmt: skip
    assert found.is_equal_value
    assert not found.is_equal_gradient


def test_inputs_have_the_shapes_types_and_limits_that_were_written():
    real, whole = make_inputs(["4x3", "5:int64<8"])(1)
    assert real.shape == (4, 3)
    assert whole.dtype == torch.int64
    assert int(whole.max()) < 8
    assert torch.equal(real, make_inputs(["4x3", "5:int64<8"])(1)[0])


@pytest.mark.parametrize("text", ["", "3x", "x3", "4:float99", "3x-1"])
def test_a_shape_that_cannot_be_read_is_told(text):
    with pytest.raises(InputError):
        make_inputs([text])


def test_a_missing_function_is_told(losses):
    with pytest.raises(InputError, match="no function 'nothing'"):
        load_function(f"{losses}:nothing")
