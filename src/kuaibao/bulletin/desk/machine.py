"""Drafts by a machine: extracts, an installed translator, any OpenAI-compatible endpoint.

A machine never writes over what a person wrote: its text is then kept aside, to be looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from kuaibao.bulletin.desk import tables
from kuaibao.bulletin.desk.desk import Desk
from kuaibao.bulletin.desk.errors import EndpointError
from kuaibao.bulletin.desk.pieces import Piece, load_facts, load_piece, load_text
from kuaibao.bulletin.desk.roles import Actor
from kuaibao.bulletin.desk.series import Series, get_series
from kuaibao.bulletin.desk.sources import Original, original_of
from kuaibao.bulletin.desk.text import PieceText
from kuaibao.bulletin.desk.workflow import Decision, decide_edit
from kuaibao.bulletin.desk.writing import add_revision, checked, stand
from kuaibao.bulletin.writing import Writer, find_translator, make_draft
from kuaibao.errors import InputError

__all__ = ["KEY_VARIABLE", "Endpoint", "MachineDraft", "draft_by_machine", "endpoint_of",
           "has_translator", "machine_sentences"]  # fmt: skip

OFFLINE = "offline"
"""The translator that is asked if no other is named."""
KEY_VARIABLE = "KUAIBAO_DESK_MODEL_KEY"
"""The environment variable that holds the endpoint's key; a key is never stored."""

_MAX_ANSWER = 2_000_000
_NAMES = {"en": "English", "zh": "Simplified Chinese"}

How = Literal["extract", "endpoint", "translator"]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible server: `POST {base_url}/chat/completions`."""

    base_url: str
    model: str
    key: str = ""
    timeout_s: float = 120.0


@dataclass(frozen=True, kw_only=True)
class MachineDraft:
    """What a machine wrote, and whether it stands."""

    piece: Piece
    text: PieceText
    revision: int
    is_standing: bool


def endpoint_of(desk: Desk, environ: Mapping[str, str] = os.environ) -> Endpoint | None:
    """The endpoint that the settings name; None if they name none."""
    base, model = desk.setting("model_url").rstrip("/"), desk.setting("model_name")
    if not base or not model:
        return None
    return Endpoint(base_url=base, model=model, key=environ.get(KEY_VARIABLE, ""))


def draft_by_machine(
    desk: Desk, actor: Actor, piece_id: int, how: How = "extract", *, n_sentence: int = 3,
    translator: str = "",
) -> MachineDraft:  # fmt: skip
    """Let a machine draft a piece.

    Raises:
        EndpointError: The endpoint is not set, does not answer, or not in its form.
        InputError: No translator of the name is installed, or none for the languages.
        MissingExtraError: The translator lacks what it needs.
    """
    actor.require("draft_by_machine")
    with desk.store.database.read() as connection:
        piece = load_piece(connection, piece_id)
        decide_edit(load_facts(connection, piece), actor)
    series = get_series(desk, piece.series_id)
    original = original_of(desk, series, piece)
    text, made_by = _write(desk, series, piece, original, how, n_sentence, translator)
    text = checked(text)
    with desk.change() as change:
        piece = load_piece(change.connection, piece_id)
        decision = decide_edit(load_facts(change.connection, piece), actor)
        number = add_revision(change, piece, text, 0, "machine", base=piece.revision, note=made_by)
        is_free = piece.revision == 0 or piece.is_machine or not piece.has_text
        if is_free:
            # Nobody becomes an author by pressing a button; whoever signs does.
            quiet = Decision(state=decision.state, voids=decision.voids, makes_author=False)
            stand(change, actor, piece, text, number, quiet, "machine_draft", is_machine=True)
        else:
            change.log(
                actor, "machine_draft", piece_id=piece_id, from_state=piece.state,
                to_state=piece.state, revision=number, details={"aside": True},
            )  # fmt: skip
        return MachineDraft(
            piece=load_piece(change.connection, piece_id), text=text, revision=number,
            is_standing=is_free,
        )  # fmt: skip


def has_translator(desk: Desk) -> bool:
    """Whether the settings name a folder of translation packages."""
    return bool(desk.setting("translator_folder"))


def _translator_folder(desk: Desk) -> str:
    """From the bulletin's folder, as in bulletin.toml."""
    named = desk.setting("translator_folder")
    return str(desk.folder / named) if named else ""


def machine_sentences(desk: Desk, piece_id: int) -> frozenset[str]:
    """Every sentence that a machine ever wrote for a piece."""
    columns = tables.revision.c
    query = select(columns.payload).where(columns.piece_id == piece_id, columns.kind == "machine")
    with desk.store.database.read() as connection:
        texts = [PieceText.from_json(p) for p in connection.execute(query).scalars()]
    return frozenset(s for text in texts for _, s in text.sentences())


def _write(
    desk: Desk, series: Series, piece: Piece, original: Original, how: How, n_sentence: int,
    translator: str,
) -> tuple[PieceText, str]:  # fmt: skip
    writer = Writer(n_sentence=n_sentence)
    if how == "translator":
        name = translator or OFFLINE
        folder = _translator_folder(desk) if name == OFFLINE else ""
        writer = Writer(n_sentence=n_sentence, translator=find_translator(name, folder))
    draft = make_draft(original.item, original.entry_index, series.language, writer)
    template = series.template(piece.section)
    fields = tuple((name, " ".join(s.text for s in part)) for name, part in draft.fields)
    body = _joined([s.text for s in draft.sentences])
    if template:
        known = dict(fields)
        fields = tuple((name, known.get(name, "")) for name in template)
    elif fields:
        body, fields = _joined([text for _, text in fields]), ()
    extract = PieceText(title=draft.title, body=body, fields=fields)
    if how != "endpoint":
        return extract, draft.strategy
    endpoint = endpoint_of(desk)
    if endpoint is None:
        raise EndpointError(
            "no model's endpoint is set", hint="An administrator names one in the settings."
        )
    return _by_endpoint(endpoint, series, original, extract), endpoint.model


def _by_endpoint(
    endpoint: Endpoint, series: Series, original: Original, extract: PieceText
) -> PieceText:
    """Title and each part apart, so that nothing has to be parsed out of a model's prose."""
    language = _NAMES.get(series.language, series.language)
    ask = (
        f"You draft items of a research bulletin in {language}. Answer with the {language} text "
        "only. Keep every number, unit, date and name as the original has it; add nothing."
    )
    if original.language == series.language:
        body = _ask(endpoint, ask, f"Summarise in three sentences:\n\n{original.text[:12_000]}")
        return PieceText(title=extract.title, body=body, fields=())
    title = _ask(endpoint, ask, f"Translate this title:\n\n{extract.title}").splitlines()
    body = _ask(endpoint, ask, f"Translate:\n\n{extract.body}") if extract.body else ""
    fields = tuple(
        (name, _ask(endpoint, ask, f"Translate:\n\n{text}") if text else "")
        for name, text in extract.fields
    )
    return PieceText(title=title[0] if title else "", body=body, fields=fields)


def _ask(endpoint: Endpoint, system: str, user: str) -> str:
    """One answer; the address is the administrator's own choice and may be this machine."""
    import httpx2

    headers = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "temperature": 0,
    }
    try:
        with httpx2.stream(
            "POST", f"{endpoint.base_url}/chat/completions", json=body, headers=headers,
            timeout=endpoint.timeout_s, follow_redirects=False,
        ) as response:  # fmt: skip
            data = b""
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > _MAX_ANSWER:
                    raise EndpointError("the model's answer is too large")
            if response.status_code != 200:
                raise EndpointError(f"the model's endpoint answered {response.status_code}")
        answer = json.loads(data)["choices"][0]["message"]["content"]
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise EndpointError(f"the model's endpoint does not answer: {error}") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise EndpointError("the model's answer is not in OpenAI's form") from error
    if not isinstance(answer, str) or not answer.strip():
        raise EndpointError("the model gave an empty answer")
    return answer.strip()


def _joined(sentences: list[str]) -> str:
    out = ""
    for sentence in sentences:
        gap = "" if not out or out[-1] > "\u2e80" else " "
        out += gap + sentence
    return out


def standing_text(desk: Desk, piece: Piece) -> PieceText:
    """The text that stands, for those who were let in already."""
    with desk.store.database.read() as connection:
        return load_text(connection, piece.piece_id, piece.revision)


def require_known_way(how: str) -> How:
    """The way as a checked word.

    Raises:
        InputError: It is none.
    """
    if how == "extract" or how == "endpoint" or how == "translator":
        return how
    raise InputError(f"{how!r} is no way to draft", hint="Known: extract, endpoint, translator.")
