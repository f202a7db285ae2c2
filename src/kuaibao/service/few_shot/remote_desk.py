"""The bulletin's way to a running text service: headlines, draft translations, answers.

An entry point makes one from the environment: `KUAIBAO_SERVICE_URL`, `KUAIBAO_SERVICE_KEY`, and
`KUAIBAO_SERVICE_MODEL` (the first of the service's models if not set). Each task is a few-shot
template of the service by its name (`headline-en`, `translation-en-zh`, `answer-zh`), in the key
holder's newest version.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from kuaibao.errors import InputError, KuaibaoError

__all__ = ["FewShotDesk", "configured_desk"]

TIMEOUT_S = 120.0
_MARK = {"en": "Question:", "zh": "问题："}


class FewShotDesk:
    """Fits the bulletin's protocols `Translator`, `Headliner` and `Answerer`.

    Args:
        url: Of the service, without `/v1`.
        key: With the scope `complete`.
        model: One of its models; the first if not named.
    """

    def __init__(self, url: str, key: str, model: str = "") -> None:
        self._url, self._key, self._model = url.rstrip("/"), key, model

    def translate(self, sentences: Sequence[str], *, source: str, target: str) -> Sequence[str]:
        """One sentence for each, in order; an empty one where the model said nothing."""
        name = f"translation-{source}-{target}"
        return [self._complete(name, sentence) for sentence in sentences]

    def headline(self, text: str, *, language: str) -> str:
        """A headline for a text, in its language."""
        return self._complete(f"headline-{language}", text)

    def answer(self, question: str, passages: Sequence[str], *, language: str) -> str:
        """An answer from numbered passages, citing them as `[1]`."""
        numbered = " ".join(f"[{i}] {text}" for i, text in enumerate(passages, 1))
        mark = _MARK.get(language, _MARK["en"])
        return self._complete(f"answer-{language}", f"{numbered} {mark} {question}")

    def _complete(self, template: str, text: str) -> str:
        body = {"model": self._model_name(), "input": " ".join(text.split())}
        answer = self._ask("POST", f"/v1/kuaibao/templates/{template}/complete", body)
        return str(answer["output"])

    def _model_name(self) -> str:
        if not self._model:
            listed = self._ask("GET", "/v1/models")["data"]
            if not listed:
                raise InputError(f"the text service at {self._url} has no model")
            self._model = str(listed[0]["id"])
        return self._model

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            answer = httpx2.request(
                method, self._url + path, json=body, headers=headers, timeout=TIMEOUT_S
            )
            value: Any = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise KuaibaoError(
                f"the text service at {self._url} does not answer: {error}",
                hint="Start it with: kuaibao serve-models",
            ) from error
        if answer.status_code != 200 or not isinstance(value, dict):
            said = value.get("error", {}) if isinstance(value, dict) else {}
            raise KuaibaoError(f"the text service refuses: {said.get('message', value)}")
        return value


def configured_desk(environment: Mapping[str, str] | None = None) -> FewShotDesk:
    """From `KUAIBAO_SERVICE_URL`, `KUAIBAO_SERVICE_KEY` and `KUAIBAO_SERVICE_MODEL`.

    Raises:
        InputError: Address or key is not set.
    """
    values = os.environ if environment is None else environment
    url, key = values.get("KUAIBAO_SERVICE_URL", ""), values.get("KUAIBAO_SERVICE_KEY", "")
    if not (url and key):
        raise InputError(
            "few-shot texts come from a running text service, and none is named",
            hint="Set KUAIBAO_SERVICE_URL (http://127.0.0.1:8000) and KUAIBAO_SERVICE_KEY.",
        )
    return FewShotDesk(url, key, values.get("KUAIBAO_SERVICE_MODEL", ""))
