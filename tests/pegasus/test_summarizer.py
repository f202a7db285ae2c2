"""A model that writes: its settings, its beams by transformers, long texts, support, the shell."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import transformers

sys.path.insert(0, str(Path(__file__).parent))

from small_training import pairs, trained_folder

from kuaibao.bulletin.config import load_config
from kuaibao.bulletin.pipeline import build
from kuaibao.cli.main import main
from kuaibao.errors import InputError
from kuaibao.pegasus.long_documents import chunk_sentences, extract_to_fit
from kuaibao.pegasus.summarizer import (
    PegasusSummarizer,
    configured_summarizer,
    load_summarizer,
)
from kuaibao.pegasus.support import support_summary
from kuaibao.pegasus.tokenizer import load_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def writer(folder: Path) -> PegasusSummarizer:
    return load_summarizer(folder)


@dataclass
class Ran:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The command line in this process, which has torch already."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        else:
            code = 0
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return call


def test_a_batch_gives_what_each_document_gives_alone(writer: PegasusSummarizer) -> None:
    documents = [pair["document"] for pair in pairs()]
    together = writer.write([*documents, ""])
    assert together == [pair["summary"] for pair in pairs()] + [""]
    assert [writer.write([d])[0] for d in documents] == together[:-1]


def test_settings_come_from_the_checkpoint_then_the_preset_then_the_caller(folder: Path) -> None:
    own = load_summarizer(folder).decoding
    assert (own.num_beams, own.max_input, own.max_target) == (8, 64, 32)
    preset = load_summarizer(folder, preset="xsum", num_beams=3).decoding
    assert (preset.num_beams, preset.length_penalty, preset.max_target) == (3, 0.6, 64)
    for wrong in ({"preset": "xsun"}, {"num_beams": 0}, {"long_documents": "skip"}):
        with pytest.raises(InputError):
            load_summarizer(folder, **wrong)


@pytest.mark.parametrize("preset", ["xsum", "arxiv"])
def test_beams_are_those_of_transformers_with_the_published_settings(
    tmp_path: Path, folder: Path, preset: str
) -> None:
    words = load_tokenizer(folder)
    torch.manual_seed(1)
    config = transformers.PegasusConfig(
        vocab_size=words.vocab_size, d_model=32, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64,
        decoder_ffn_dim=64, max_position_embeddings=64, dropout=0, attention_dropout=0,
        activation_dropout=0, init_std=0.4,
    )  # fmt: skip
    theirs = transformers.PegasusForConditionalGeneration(config).eval()
    theirs.save_pretrained(tmp_path)
    words.save(tmp_path)
    ours = load_summarizer(tmp_path, preset=preset, max_target=24)
    settings = ours.decoding
    documents = [pair["document"] for pair in pairs()[:3]]
    rows = [words.encode(d, max_length=settings.max_input) for d in documents]
    wanted: list[str] = []
    for row in rows:
        found = theirs.generate(
            torch.tensor([row]), num_beams=settings.num_beams, max_length=24,
            length_penalty=settings.length_penalty, early_stopping=False, do_sample=False,
        )  # fmt: skip
        wanted.append(words.decode(found[0].tolist()[1:]))
    assert ours.write(documents) == wanted


def chinese_checkpoint(folder: Path) -> transformers.PegasusForConditionalGeneration:
    """Laid out as Randeng-Pegasus: `vocab.txt` of jieba's words and pieces, ids as published."""
    words = ["<pad>", "</s>", "<mask_1>", "<mask_2>", "<unk>", "模型", "阅读", "文本", "写", "摘要",
             "，", "。", "它", "短", "的", "天", "下", "雪", "GPT", "##s", "3", "研究", "人员"]  # fmt: skip
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    torch.manual_seed(2)
    config = transformers.PegasusConfig(
        vocab_size=len(words), d_model=32, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_ffn_dim=64, max_position_embeddings=64, init_std=0.4, pad_token_id=0,
        eos_token_id=1, decoder_start_token_id=0,
    )  # fmt: skip
    model = transformers.PegasusForConditionalGeneration(config).eval()
    model.save_pretrained(folder)
    return model


def test_a_chinese_checkpoint_is_read_by_words_and_written_beam_for_beam(tmp_path: Path) -> None:
    theirs = chinese_checkpoint(tmp_path)
    ours = load_summarizer(tmp_path, num_beams=4, max_target=12)
    words = load_tokenizer(tmp_path)
    text = "模型阅读文本，写短的摘要。研究人员下雪天阅读它。"
    ids = words.encode(text)
    lines = (tmp_path / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert [lines[i] for i in ids[:6]] == ["模型", "阅读", "文本", "，", "写", "短"]
    assert ids[-1] == 1
    assert words.decode(ids) == text
    found = theirs.generate(
        torch.tensor([ids]), num_beams=4, max_length=12, length_penalty=0.8, do_sample=False,
        early_stopping=False,
    )  # fmt: skip
    assert ours.write([text]) == [words.decode(found[0].tolist()[1:])]


@pytest.mark.parametrize("way", ["extract", "chunks", "extrapolate", "truncate"])
def test_a_long_text_is_summarised_in_every_way(folder: Path, way: str) -> None:
    writer = load_summarizer(folder, long_documents=way, num_beams=2)
    text = " ".join(pair["document"] for pair in pairs())
    assert writer.count_tokens(text) > 3 * writer.limit
    (summary,) = writer.write([text])
    assert summary
    if way == "truncate":
        assert summary == writer.write_short([text])[0]


def test_what_is_extracted_fits_and_begins_with_the_first_sentence() -> None:
    sentences = [f"Word{i} is like word{i + 1} and others." for i in range(300)]
    lengths = [7 + i % 5 for i in range(300)]
    kept = extract_to_fit(sentences, lengths, 100)
    assert kept == sorted(kept)
    assert kept[0] == 0
    assert 90 <= sum(lengths[i] for i in kept) <= 100
    assert extract_to_fit(["One flood of words."], [500], 100) == [0]
    assert extract_to_fit([], [], 100) == []


def test_chunks_hold_every_sentence_once_and_are_even() -> None:
    lengths = [10] * 25
    chunks = chunk_sentences(lengths, 100)
    assert [i for chunk in chunks for i in chunk] == list(range(25))
    assert [len(chunk) for chunk in chunks] == [9, 9, 7]
    assert [len(c) for c in chunk_sentences([500, 3, 3], 100)] == [1, 2]


def test_each_sentence_points_at_its_support_and_foreign_claims_are_told() -> None:
    document = "Penrose draws 12 diagrams. It was written by Katherine Ye. Snow fell in 1999."
    good, bad = support_summary(
        ["Penrose draws diagrams.", "They say Apple bought Penrose for 300 million."], document
    )
    assert [s.index for s in good.support] == [0]
    assert document[good.support[0].start : good.support[0].end] == good.support[0].text
    assert good.unsupported_numbers == good.unsupported_names == ()
    assert bad.unsupported_numbers == ("300 million",)
    assert "Apple" in " ".join(bad.unsupported_names)
    assert support_summary("", document) == []


def test_the_command_writes_with_support(
    tmp_path: Path, folder: Path, run: Callable[..., Ran]
) -> None:
    file = tmp_path / "tool.txt"
    file.write_text(pairs()[3]["document"], encoding="utf-8")
    result = run("summarize", str(file), "--model", str(folder), "--json")
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert [s["text"] for s in answer["sentences"]] == [pairs()[3]["summary"]]
    assert answer["strategy"] == "pegasus"
    support = answer["sentences"][0]["support"]
    assert support[0]["index"] == 0
    plain = run("summarize", str(file), "--strategy", str(folder), "--beams", "2")
    assert plain.stdout.strip() == pairs()[3]["summary"]


def test_settings_that_would_be_ignored_are_refused(
    tmp_path: Path, folder: Path, run: Callable[..., Ran]
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("One. Two.", encoding="utf-8")
    assert run("summarize", str(file), "--beams", "4").returncode == 2
    wrong = run("summarize", str(file), "-m", str(tmp_path))
    assert wrong.returncode == 2
    assert "holds no model" in wrong.stderr


def test_a_paper_is_told_in_its_five_parts(
    tmp_path: Path, folder: Path, run: Callable[..., Ran]
) -> None:
    file = tmp_path / "paper.txt"
    file.write_text(
        "Summaries are often cut from sentences. We propose a model that writes gap sentences. "
        "The encoder is trained to fill gaps. We evaluate it on 12 data sets. "
        "It achieves state of the art results on all of them.",
        encoding="utf-8",
    )
    answer = json.loads(run("summarize", str(file), "--paper", "--json").stdout)
    assert list(answer["fields"]) == ["background", "innovation", "model", "experiments", "results"]
    assert "sentences" not in answer
    written = json.loads(run("summarize", str(file), "--paper", "-m", str(folder), "--json").stdout)
    assert written["fields"] == answer["fields"]
    assert written["sentences"]


def test_a_model_is_evaluated_on_pairs(
    tmp_path: Path, folder: Path, run: Callable[..., Ran]
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(map(json.dumps, pairs())), encoding="utf-8")
    result = run("evaluate", "summaries", str(file), "--model", str(folder), "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert figures["rouge1"]["mean"] == figures["rougeLsum"]["mean"] == 1.0
    assert 0 < figures["novelty"]["mean"] < 1


def test_the_bulletins_summariser_is_the_configured_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="needs a model"):
        configured_summarizer()
    monkeypatch.setenv("KUAIBAO_SUMMARIZER", str(folder))
    written = configured_summarizer().summarize(pairs()[1]["document"], n_sentence=3, language="en")
    assert list(written) == [pairs()[1]["summary"]]
    chinese = configured_summarizer().summarize("这是中文。它读不懂。", n_sentence=3, language="zh")
    assert chinese == []


def test_an_issue_is_drafted_by_the_model_that_bulletin_toml_names(
    tmp_path: Path, folder: Path
) -> None:
    bulletin = tmp_path / "bulletin"
    (bulletin / "notes").mkdir(parents=True)
    (bulletin / "bulletin.toml").write_text(
        f'''series = "B"
day = 2020-06-30
formats = ["json"]
[reading]
full_text = false
[writing]
strategy = "pegasus"
model = "{folder}"
[[sources]]
id = "notes"
kind = "folder"
path = "notes"
section = "news"
''',
        encoding="utf-8",
    )
    (bulletin / "notes" / "a.md").write_text(
        f"---\ntitle: A server\ndate: 2020-06-20\n---\n\n{pairs()[2]['document']}\n",
        encoding="utf-8",
    )
    build(load_config(bulletin), tmp_path / "out")
    issue = json.loads((tmp_path / "out" / "issue.json").read_text(encoding="utf-8"))
    draft = issue["sections"][0]["items"][0]["draft"]
    assert [s["text"] for s in draft["sentences"]] == [pairs()[2]["summary"]]
    assert draft["sentences"][0]["evidence"][0]["sentence"] == 0
    assert draft["strategy"] == "pegasus"
