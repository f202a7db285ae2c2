"""The report as a page, in both languages."""

import re
import string
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from observations import observed, probe

import kuaibao.doctor
from kuaibao.doctor.advice import advise
from kuaibao.doctor.page import render_page
from kuaibao.doctor.page_words import _CHINESE
from kuaibao.doctor.report import report_of
from kuaibao.doctor.sentences import _TEXTS, say
from kuaibao.doctor.verdict import VERDICTS, diagnose
from kuaibao.errors import InputError


@pytest.fixture
def report():
    """Of a loop that waits for decoding, with a cure and a warning."""
    seen = observed(wait=0.085, forward=0.005, backward=0.01)
    seen.probes = [probe(warm_s=0.08, decode_s=0.07, gather_s=0.001)]
    seen.loader.duplicate_seeds, seen.loader.n_workers = True, 0
    seen.settings["data_parallel"] = True
    diagnosis = diagnose(seen)
    advice = advise(seen, diagnosis)
    assert diagnosis.verdict == "decode"
    assert advice
    return report_of(seen, diagnosis, advice, command=["python", "train.py"], exit_status=0)


def test_the_page_says_in_chinese_all_that_it_says_in_english(report):
    page = render_page(report, "zh")
    assert '<html lang="zh-CN">' in page
    assert "循环在等样本解码" in page
    assert "每步用" not in render_page(report)
    english = {*report["evidence"], *report["warnings"]}
    english |= {text for one in report["advice"] for text in (one["what"], one["why"])}
    assert english == set(report["translations"]["zh"])
    assert any("解码 占" in text for text in report["translations"]["zh"].values())
    for sentence in report["translations"]["zh"].values():
        assert re.search("[\u4e00-\u9fff]", sentence) or "fused" in sentence


def test_a_language_without_a_page_is_refused(report):
    with pytest.raises(InputError, match="'fr'"):
        render_page(report, "fr")


@pytest.mark.parametrize("key", sorted(_TEXTS))
def test_both_languages_tell_the_same_values(key):
    english, chinese = (
        {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in _TEXTS[key]
    )
    assert english == chinese
    assert say(key, **dict.fromkeys(english, 3.0) | _words(english)).chinese


def _words(names):
    """Values that are texts."""
    texts = {"place", "function", "verdict", "error", "name", "share", "threads", "memory", "cold",
             "warm", "decode", "collate", "gather"}  # fmt: skip
    return {name: "x" if name not in ("share",) else 0.5 for name in names & texts}


def test_every_word_of_the_page_has_its_chinese():
    folder = Path(kuaibao.doctor.__file__).parent
    text = (folder / "page.html.jinja").read_text(encoding="utf-8")
    words = set(re.findall(r'(?<!\w)t\("([^"]+)"\)', text)) | set(VERDICTS)
    assert words <= set(_CHINESE)
