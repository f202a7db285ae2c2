"""An error says what was wrong, where, and what to do."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.errors import InputError, KuaibaoError, MissingExtraError, Place, did_you_mean


def test_the_caret_stands_under_the_word():
    place = Place(file="b.toml", line=12, column=8, source_line='kind = "arxv"', length=6)
    text = str(InputError("unknown source kind 'arxv'", place=place, hint="Did you mean 'arxiv'?"))
    assert text.splitlines() == [
        "b.toml:12:8: unknown source kind 'arxv'",
        '  kind = "arxv"',
        "         ^^^^^^",
        "Did you mean 'arxiv'?",
    ]


@pytest.mark.parametrize(
    "error",
    [
        InputError("wrong", place=Place(file="a", line=1, column=2), hint="mend it"),
        MissingExtraError("models", needed_for="kuaibao train"),
    ],
)
def test_an_error_crosses_process_borders(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.exit_code == error.exit_code


@given(st.text(), st.integers(0, 300), st.integers(0, 300), st.text(max_size=60))
def test_any_place_can_be_rendered(message, line, column, source):
    place = Place(file="f", line=line, column=column, source_line=source)
    error = KuaibaoError(message, place=place)
    assert message in str(error)
    assert error.to_json()["column"] == column


def test_a_misspelt_name_gets_the_nearest_known_one():
    assert did_you_mean("arxv", ["feed", "arxiv"]) == "Did you mean 'arxiv'? Known: arxiv, feed."
    assert did_you_mean("x", []) == ""


def test_a_message_that_quotes_a_lone_surrogate_can_be_written():
    error = InputError("no model '\ud800'", hint="\udfff")
    assert str(error).encode() == b"no model '\\ud800'\n\\udfff"
