"""A language model behind an OpenAI-compatible endpoint proposes Substance."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from kuaibao.diagrams.domains import DOMAINS
from kuaibao.errors import KuaibaoError

__all__ = ["EndpointError", "EndpointProposer"]

_MAX_ANSWER = 1_000_000
_MAX_SENTENCE = 2_000
_ASK = """You write programs that draw statements of mathematics. The known domains are below.
Answer with one JSON object and nothing else: {"domain": NAME, "substance": PROGRAM}, or
{"domain": ""} if no domain fits. PROGRAM declares every object before use, one statement a line
("Type name", "Predicate(a, b)", "c := Function(a, b)"), and labels objects with
"Label name $TeX$". Say only what the sentence says.
"""


class EndpointError(KuaibaoError):
    """The endpoint does not answer, or not in its form."""


@dataclass(frozen=True)
class EndpointProposer:
    """Asks `POST {base_url}/chat/completions`; the address is the user's own choice."""

    base_url: str
    name: str
    """The model."""
    key: str = ""
    timeout_s: float = 60.0

    def propose(self, sentence: str) -> tuple[str, str] | None:
        """The domain and Substance that the model proposes, or None.

        Raises:
            EndpointError: No answer, or none in OpenAI's form.
        """
        answer = self._ask(sentence[:_MAX_SENTENCE])
        match = re.search(r"\{[\s\S]*\}", answer)
        try:
            found: Any = json.loads(match[0]) if match else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        proposal = cast("dict[str, Any]", found)
        domain, substance = proposal.get("domain"), proposal.get("substance")
        if domain not in DOMAINS or not isinstance(substance, str) or not substance.strip():
            return None
        return str(domain), substance.strip() + "\n"

    def _ask(self, sentence: str) -> str:
        import httpx2

        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        body = {
            "model": self.name,
            "messages": [
                {"role": "system", "content": _ASK + _vocabulary()},
                {"role": "user", "content": sentence},
            ],
            "temperature": 0,
        }
        try:
            with httpx2.stream(
                "POST", f"{self.base_url.rstrip('/')}/chat/completions", json=body,
                headers=headers, timeout=self.timeout_s, follow_redirects=False,
            ) as response:  # fmt: skip
                data = b""
                for chunk in response.iter_bytes():
                    data += chunk
                    if len(data) > _MAX_ANSWER:
                        raise EndpointError("the model's answer is too large")
                if response.status_code != 200:
                    raise EndpointError(f"the model's endpoint answered {response.status_code}")
            answer: Any = json.loads(data)["choices"][0]["message"]["content"]
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise EndpointError(f"the model's endpoint does not answer: {error}") from error
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise EndpointError("the model's answer is not in OpenAI's form") from error
        return answer if isinstance(answer, str) else ""


def _vocabulary() -> str:
    """Every Domain without comments and notation."""
    parts: list[str] = []
    for domain in DOMAINS.values():
        lines = domain.path.read_text(encoding="utf-8").splitlines()
        kept = [one for one in lines if one and not one.startswith(("--", "notation"))]
        parts.append(f"\nDomain {domain.name}:\n" + "\n".join(kept))
    return "\n".join(parts)
