"""Settings from TOML and from variables: what is wrong is named with its place, before the start."""

import pytest

from kuaibao.errors import InputError
from kuaibao.service.settings import load_settings


def test_variables_go_over_the_file_and_flags_over_both(tmp_path):
    file = tmp_path / "k.toml"
    file.write_text('port = 1\nn_slot = 2\nmemory_gb = 3\n[models]\na = "x"\n')
    environment = {"KUAIBAO_PORT": "4", "KUAIBAO_N_SLOT": "5", "KUAIBAO_MODELS": "b=y,c=z"}
    found = load_settings(file, environment, port=6)
    assert (found.port, found.n_slot, found.memory_gb) == (6, 5, 3.0)
    assert found.models == {"b": "y", "c": "z"}


def test_prices_may_come_from_a_variable():
    found = load_settings(None, {"KUAIBAO_PRICES": "small=0.5:1.5,big=2:4"})
    assert found.prices["small"] == {"prompt": 0.5, "completion": 1.5}
    assert found.prices["big"] == {"prompt": 2.0, "completion": 4.0}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot = 1\n", "unknown setting 'prot'"),
        ("port = 99999\n", "port lies between 0 and 65535, got 99999"),
        ("n_slot = -1\n", "n_slot lies between"),
        ("memory_gb = 0\n", "memory_gb lies between"),
        ("port = true\n", "port must be int"),
        ("[models]\nmine = 3\n", "models: 'mine' must be a text, got 3"),
        ('[prices]\nmine = "x"\n', "prices: 'mine' must have prompt and completion"),
        ("[prices.mine]\npromt = 1.0\n", "unknown part 'promt' of 'mine'"),
        ("[prices.mine]\nprompt = -1.0\n", "prompt of 'mine' is a number from 0"),
        ("port = \n", "is not valid TOML"),
    ],
)
def test_a_file_s_fault_is_told_with_its_place(tmp_path, text, told):
    file = tmp_path / "k.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load_settings(file, {})
    assert told in str(caught.value)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("PORT", "x", "'x' is no int"),
        ("PORT", "-4", "port lies between"),
        ("LOG_REQUESTS", "maybe", "'maybe' is neither true nor false"),
        ("MODELS", "folder", "not of the form NAME=VALUE"),
        ("PRICES", "mine=1", "not of the form NAME=PROMPT:COMPLETION"),
        ("PRICES", "mine=1:nan", "is a number from 0"),
        ("MEMORY_GB", "nan", "memory_gb lies between"),
    ],
)
def test_a_variable_s_fault_is_told_with_its_name(name, text, told):
    with pytest.raises(InputError, match=f"KUAIBAO_{name}") as caught:
        load_settings(None, {f"KUAIBAO_{name}": text})
    assert told in str(caught.value)
