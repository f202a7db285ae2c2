"""The stages from the choice to the issue: draft each item, then put an edition together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from kuaibao.bulletin.config import BulletinConfig
from kuaibao.bulletin.model import (
    Draft,
    DraftSentence,
    Issue,
    IssueItem,
    IssueSection,
    Item,
    Signature,
)
from kuaibao.bulletin.pipeline.choosing import Choice, languages_of, manuscript_for, text_entry
from kuaibao.bulletin.settings import BulletinSettings, EditionSettings
from kuaibao.bulletin.store import (
    Store,
    StoredDraft,
    entry_hash,
    get_draft,
    hash_issue,
    save_draft,
    save_signatures,
    signatures_of,
)
from kuaibao.bulletin.writing import (
    DRAFT_VERSION,
    Manuscript,
    Pictures,
    Summarizer,
    Translator,
    Writer,
    draw_figures,
    find_summarizer,
    find_translator,
    is_strategy,
    lead_figure,
    make_draft,
)
from kuaibao.errors import InputError, MissingExtraError
from kuaibao.files import hash_value
from kuaibao.text import split_sentences

__all__ = ["draft_edition", "make_issue", "writer_of"]


SUMMARIZER = "pegasus"
"""The entry point that loads a model's folder."""
TUNED_MODEL = "models/tuned"
"""Where `kuaibao tune` puts a model that is better."""


def writer_of(config: BulletinConfig) -> tuple[Writer, tuple[str, ...]]:
    """How drafts are made, and what of it is left out.

    Raises:
        InputError: No summariser or translator of the name is installed, or no such model.
    """
    own = config.settings.writing
    is_extractive = is_strategy(own.strategy)
    if own.model and is_extractive:
        raise InputError(
            f"[writing] model is set, but strategy = '{own.strategy}' takes none",
            hint=f"strategy = '{SUMMARIZER}' loads a model.",
        )
    summarizer = None if is_extractive else _summarizer(config)
    synopsis, notices = None, ()
    if own.synopsis:
        try:
            synopsis = find_summarizer(SUMMARIZER, _model(config, own.synopsis))
        except MissingExtraError as error:
            notices = (f"tools get no written line: {error.message}",)
    writer = Writer(
        strategy=own.strategy,
        n_sentence=own.n_sentence,
        summarizer=summarizer,
        synopsis=synopsis,
        translator=_translator(config) if own.translator else None,
    )
    return writer, notices


def _translator(config: BulletinConfig) -> Translator:
    own = config.settings.writing
    folder = str(config.folder / own.translator_folder) if own.translator_folder else ""
    return find_translator(own.translator, folder)


def _summarizer(config: BulletinConfig) -> Summarizer:
    own = config.settings.writing
    is_ours = own.strategy == SUMMARIZER
    return find_summarizer(own.strategy, _model(config, own.model) if is_ours else own.model)


def _model(config: BulletinConfig, name: str) -> str:
    """A folder beside bulletin.toml, or the name as it stands (a hub id); else the tuned one."""
    folder = config.folder / (name or TUNED_MODEL)
    return str(folder) if folder.is_dir() else name


def draft_edition(
    store: Store,
    edition: EditionSettings,
    items: Sequence[Item],
    manuscripts: Mapping[str, Manuscript],
    writer: Writer,
) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """Draft what has no draft of the same input yet.

    Yields:
        For each item, whether it was drafted now, and what could not be drawn in it.
    """
    languages = languages_of(edition)
    for item in items:
        written = manuscript_for(item, manuscripts, languages)
        index = text_entry(item, languages) if written is None else None
        digest = _input_hash(item, written, index, writer, edition.language)
        known = get_draft(store, item.item_id, edition.language)
        if known is not None and (known.input_hash == digest or not known.input_hash):
            yield False, ()
            continue
        notices: tuple[str, ...] = ()
        if written is not None:
            notices = _keep_manuscript(store, item, edition.language, written, digest)
        elif index is not None:
            draft = make_draft(item, index, edition.language, writer)
            save_draft(store, StoredDraft(draft=draft, edition=edition.language, input_hash=digest))
        yield True, notices


def _input_hash(
    item: Item, written: Manuscript | None, index: int | None, writer: Writer, language: str
) -> str:
    """Of everything that a draft is made from."""
    if written is not None:
        people = [(s.role, s.person) for s in written.signatures]
        return hash_value([DRAFT_VERSION, "person", written.title, written.body_markdown, people])
    entry = item.entries[index or 0]
    models = [getattr(m, "name", "") for m in (writer.summarizer, writer.synopsis) if m is not None]
    models += [name] if (name := getattr(writer.translator, "name", "")) else []
    how = [writer.strategy, writer.n_sentence, writer.translator is not None, language, *models]
    return hash_value([DRAFT_VERSION, item.item_id, entry_hash(entry), how])


def _keep_manuscript(
    store: Store, item: Item, edition: str, written: Manuscript, digest: str
) -> tuple[str, ...]:
    drawn = draw_figures(written.body_markdown)
    sentences = tuple(DraftSentence(text=s.text) for s in split_sentences(written.entry.content))
    draft = Draft(
        item_id=item.item_id, language=written.language, title=written.title,
        sentences=sentences, strategy="person", is_machine=False,
    )  # fmt: skip
    stored = StoredDraft(
        draft=draft, edition=edition, input_hash=digest, body_markdown=written.body_markdown,
        figures=drawn.figures,
    )  # fmt: skip
    save_draft(store, stored)
    save_signatures(store, item.item_id, edition, written.signatures)
    return drawn.notices


def make_issue(
    store: Store, settings: BulletinSettings, edition: EditionSettings, choice: Choice, day: date,
    pictures: Pictures | None = None,
) -> Issue:  # fmt: skip
    """The edition as it is printed, frozen by its hash."""
    sections = tuple(
        IssueSection(
            kind=section.kind,
            title=edition.section_titles.get(section.kind, ""),
            items=tuple(
                _printed(store, item, edition, pictures if settings.pictures.lead else None)
                for item in choice.get(section.kind, [])
            ),
        )
        for section in settings.sections
    )
    filled = tuple(section for section in sections if section.items)
    running = settings.running_number or settings.number
    cover = None
    if pictures is not None and settings.pictures.cover:
        cover = pictures.cover(settings.series, running)
    issue = Issue(
        series=edition.series, title=edition.title, language=edition.language,
        number=settings.number, running_number=running, cover=cover,
        day=day, sections=filled, publisher=edition.publisher, editors=edition.editors,
        contact=edition.contact, base_url=settings.base_url, disclaimer=edition.disclaimer,
        highlights=_highlights(filled),
    )  # fmt: skip
    return dataclasses.replace(issue, content_hash=hash_issue(issue))


def _printed(
    store: Store, item: Item, edition: EditionSettings, pictures: Pictures | None
) -> IssueItem:
    stored = get_draft(store, item.item_id, edition.language)
    if stored is None:
        draft = Draft(item_id=item.item_id, language=edition.language, title=item.lead.title)
        return IssueItem(item=item, draft=draft)
    signed = signatures_of(store, item.item_id, edition.language)
    figures = stored.figures
    if pictures is not None:
        lead = lead_figure(
            item, pictures.of(item.item_id), title=stored.draft.title, language=edition.language
        )
        figures = (lead, *figures) if lead.image else figures
    return IssueItem(
        item=item,
        draft=stored.draft,
        signatures=signed or _house_signatures(edition),
        body_markdown=stored.body_markdown,
        figures=figures,
    )


def _house_signatures(edition: EditionSettings) -> tuple[Signature, ...]:
    """Those whom bulletin.toml names for everything that nobody signed by hand."""
    own = edition.signatures
    made: list[Signature] = []
    if own.compiled_by:
        made.append(Signature(role="compiled", person=own.compiled_by))
    if own.proofread_by:
        made.append(Signature(role="proofread", person=own.proofread_by))
    return tuple(made)


def _highlights(sections: Sequence[IssueSection]) -> tuple[str, ...]:
    """The first item of each section but the conferences."""
    return tuple(s.items[0].draft.title for s in sections if s.kind != "conferences")
