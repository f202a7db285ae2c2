"""Which East Asian encoding wrote some bytes, told by what the text would be made of.

Every candidate decodes almost any bytes into characters; only the right one gives kana, Hangul or
the few dozen characters that every Chinese text is full of.
"""

from __future__ import annotations

import re

__all__ = ["guess_east_asian"]

_ENCODINGS = ("gb18030", "big5hkscs", "euc_jp", "cp932", "euc_kr")
_SIMPLIFIED = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子"
    "说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当"
    "使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你"
)
_TRADITIONAL = (
    "的一是在不了有和人這中大為上個國我以要他時來用們生到作地於出就分對成會可主發年動同工也能下過子"
    "說產種面而方後多定行學法所民得經十三之進著等部度家電力裡如水化高自二理起小物現實加量都兩體制機當"
    "使點從業本去把性好應開它合還因由其些然前外天政四日那社義事平形相全表間樣與關各重新線內數正心反你"
)
_COMMON = {"gb18030": frozenset(_SIMPLIFIED), "big5hkscs": frozenset(_TRADITIONAL)}
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u4e00-\u9fff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
MIN_CHARACTERS = 4
MIN_SCORE = 0.12


def guess_east_asian(sample: bytes) -> str:
    """The likeliest of GB 18030, Big5, EUC-JP, Shift_JIS and EUC-KR; "" if none is likely."""
    scores = {name: _score(sample, name) for name in _ENCODINGS}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= MIN_SCORE:
        return "cp949" if best == "euc_kr" else best
    return "gb18030" if _is_gb(sample) else ""


def _score(sample: bytes, encoding: str) -> float:
    """Share of telling characters among those beyond ASCII, less what can't be."""
    text = sample.decode(encoding, "replace")
    n_beyond = sum(c > "\x7f" for c in text)
    if n_beyond < MIN_CHARACTERS:
        return 0.0
    n_wrong = text.count("\ufffd") - (1 if text.endswith("\ufffd") else 0)  # cut in a character
    n_wrong += sum("\uff61" <= c <= "\uff9f" or "\ue000" <= c <= "\uf8ff" for c in text)
    if encoding in _COMMON:
        good = 2 * sum(c in _COMMON[encoding] for c in text)  # a third of any text, at most half
    elif encoding == "euc_kr":
        good = len(_HANGUL.findall(text)) - 3 * len(_HAN.findall(text))
    else:
        good = len(_KANA.findall(text))
    return (good - 4 * n_wrong) / n_beyond


def _is_gb(sample: bytes) -> bool:
    """Runs of two-byte characters, most of GB 2312's first level (rows B0 to D7)."""
    runs = _HIGH_RUN.findall(sample)
    n_byte = sum(map(len, runs))
    if n_byte < 8 or sum(len(run) % 2 for run in runs) * 20 > len(runs):
        return False  # single-byte alphabets have words of odd length too
    pairs = [run[i : i + 2] for run in runs for i in range(0, len(run) - 1, 2)]
    n_common = sum(
        (0xB0 <= pair[0] <= 0xD7 or 0xA1 <= pair[0] <= 0xA3) and pair[1] >= 0xA1 for pair in pairs
    )
    return n_common > 0.9 * len(pairs)
