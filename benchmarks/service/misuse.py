"""What the misuse checks find and where they raise false alarms, in English and Chinese.

`labelled.tsv` was written for this measurement: short, hard sentences, some of them beside the point on
purpose; so its shares say more about the checks' limits than about everyday traffic. False alarms are
also counted on real text: the documentation of scikit-learn and of this project. Intervals are
Wilson's, 95 %.

python benchmarks/service/misuse.py [--small]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
from collections import defaultdict
from pathlib import Path

from kuaibao.service.few_shot.evaluation import interval
from kuaibao.service.policy.checks import CHECKS, Watcher
from kuaibao.text import has_han, split_sentences

HERE = Path(__file__).parent
ALARMS = ("toxic_language", "profanity", "harassment_request", "personal_data", "links")
ALSO = {("toxic_language", "en"): ("profanity",)}
"""Checks that are held against another's sentences."""


def found(check: str, text: str) -> bool:
    return CHECKS[check](text, 1, Watcher()) is not None


def share(hits: list[bool]) -> str:
    low, high = interval([float(hit) for hit in hits], is_binary=True)
    return f"{sum(hits)} of {len(hits)} ({100 * low:.0f} to {100 * high:.0f} %)"


def on_labelled() -> None:
    groups: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for line in (HERE / "labelled.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            check, language, label, text = line.split("\t")
            for name in (check, *ALSO.get((check, language), ())):
                hit = found(name, text)
                groups[name, language, label].append(hit)
                if hit != (label == "1"):
                    print(f"   {'missed' if label == '1' else 'false alarm'}: {name}: {text}")
    for check, language in sorted({key[:2] for key in groups}):
        print(f"{check:18} {language}: found {share(groups[check, language, '1'])}; "
              f"false alarms {share(groups[check, language, '0'])}")  # fmt: skip


def real_sentences(small: bool) -> dict[str, list[str]]:
    import sklearn

    texts: list[str] = []
    for module in list(pkgutil.iter_modules(sklearn.__path__))[: 4 if small else None]:
        if module.name.startswith("_") or module.name == "tests":
            continue
        for _, value in inspect.getmembers(importlib.import_module(f"sklearn.{module.name}")):
            texts.append(inspect.getdoc(value) or "")
    root = HERE.parents[1]
    ours = [
        path.read_text(encoding="utf-8") for path in [*root.glob("docs/*.md"), *root.glob("*.md")]
    ]
    sentences = {
        s.text for text in [*texts, *ours] for s in split_sentences(text) if len(s.text) > 20
    }
    return {
        "en": sorted(s for s in sentences if not has_han(s)),
        "zh": sorted(s for s in sentences if has_han(s)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    on_labelled()
    for language, sentences in real_sentences(small).items():
        for check in ALARMS:
            hits = [found(check, sentence) for sentence in sentences]
            print(f"real text {language}: {check:18} {sum(hits)} alarms in {len(hits)} sentences")


if __name__ == "__main__":
    main()
