"""Text becomes shards once: bounded, resumable, the same by any workers; groups stay together."""

import importlib.util
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.errors import InputError, MissingExtraError
from kuaibao.gpt import corpus as corpus_module
from kuaibao.gpt import iterate_documents, prepare_corpus
from kuaibao.gpt.corpus import TokenStream
from kuaibao.gpt.documents import resolve_source

TEXTS = [f"number {i} is {'even' if i % 2 == 0 else 'odd'}, 数字 {i}." for i in range(60)]


@pytest.fixture
def texts(tmp_path):
    rows = [{"text": text, "group": f"g{i // 3}"} for i, text in enumerate(TEXTS)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path / "in"


def prepare(texts, cache, **more):
    settings = {"vocab_size": 300, "validation_share": 0.2, "part_bytes": 400} | more
    return prepare_corpus([texts], cache, **settings)


def documents_of(stream, words):
    tokens = [int(t) for shard in stream.shards for t in shard]
    found, current = [], []
    for token in tokens:
        if token == words.eos_id:
            found.append(words.decode(current))
            current = []
        else:
            current.append(token)
    assert not current
    return found


def test_every_document_is_in_one_stream_and_groups_stay_together(texts, tmp_path):
    corpus = prepare(texts, tmp_path / "cache")
    assert len(corpus.train.shards) > 3
    train = documents_of(corpus.train, corpus.tokenizer)
    held_out = documents_of(corpus.validation, corpus.tokenizer)
    assert sorted(train + held_out) == sorted(TEXTS)
    assert 0 < len(held_out) < len(train)
    number = {text: i for i, text in enumerate(TEXTS)}
    assert not {number[t] // 3 for t in train} & {number[t] // 3 for t in held_out}
    assert corpus.n_validation_byte == sum(len(t.encode()) for t in held_out)


def test_several_processes_make_the_same_shards(texts, tmp_path):
    prepare(texts, tmp_path / "one")
    prepare(texts, tmp_path / "two", workers=2)
    for file in sorted((tmp_path / "one").glob("*.npy")):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="extra 'cluster' (ray) is not installed"
)
@pytest.mark.timeout(900)
def test_a_ray_cluster_makes_the_same_shards(texts, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # a busy machine starts it slowly
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray
    from ray.cluster_utils import Cluster

    prepare(texts, tmp_path / "one")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address)
    try:
        assert len(ray.nodes()) == 2
        prepare(texts, tmp_path / "ray", workers="ray")
    finally:
        ray.shutdown()
        cluster.shutdown()
    for file in sorted((tmp_path / "one").glob("*.npy")):
        assert file.read_bytes() == (tmp_path / "ray" / file.name).read_bytes()


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="ray is installed")
def test_without_ray_it_says_what_to_install(texts, tmp_path):
    with pytest.raises(MissingExtraError, match="cluster"):
        prepare(texts, tmp_path / "ray", workers="ray")


def test_a_killed_preparation_makes_only_what_is_missing(texts, tmp_path, monkeypatch):
    prepare(texts, tmp_path / "whole")
    encode, made = corpus_module.encode_part, []

    def dies(part, folder):
        made.append(part.index)
        if len(made) == 3:
            raise KeyboardInterrupt
        return encode(part, folder)

    monkeypatch.setattr(corpus_module, "encode_part", dies)
    with pytest.raises(KeyboardInterrupt):
        prepare(texts, tmp_path / "killed")
    assert not (tmp_path / "killed" / "manifest.json").exists()
    prepare(texts, tmp_path / "killed")
    assert made[:4] == [0, 1, 2, 2]
    assert made[3:] == list(range(2, max(made) + 1))
    for file in (tmp_path / "whole").glob("*.npy"):
        assert file.read_bytes() == (tmp_path / "killed" / file.name).read_bytes()


def test_it_is_made_anew_only_if_something_changed(texts, tmp_path, monkeypatch):
    prepare(texts, tmp_path / "cache")
    made = []
    encode = corpus_module.encode_part
    monkeypatch.setattr(
        corpus_module, "encode_part", lambda p, f: (made.append(p.index), encode(p, f))[1]
    )
    prepare(texts, tmp_path / "cache")
    assert made == []
    (texts / "more.txt").write_text("something else")
    prepare(texts, tmp_path / "cache")
    assert made


def test_damaged_shards_are_told_and_then_made_anew(texts, tmp_path):
    prepare(texts, tmp_path / "cache")
    path = tmp_path / "cache" / "train-00001.npy"
    good = path.read_bytes()
    for bad in (b"", good[:50], good[:-2]):
        path.write_bytes(bad)
        with pytest.raises(InputError, match="Run again"):
            prepare(texts, tmp_path / "cache")
        prepare(texts, tmp_path / "cache")
        assert path.read_bytes() == good


@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.integers(1, 7))
def test_windows_are_slices_of_their_shard(sizes, length):
    start, shards = 0, []
    for size in sizes:
        shards.append(np.arange(start, start + size, dtype=np.uint16))
        start += size
    stream = TokenStream(shards)
    n = stream.n_window(length)
    assert n == sum(max(0, s - 1) // length for s in sizes)
    if n:
        windows = stream.windows(np.arange(n), length)
        assert (np.diff(windows, axis=1) == 1).all()
        assert len(set(windows[:, 0].tolist())) == n
        ends = np.cumsum(sizes)
        assert (
            np.searchsorted(ends, windows[:, 0], "right")
            == np.searchsorted(ends, windows[:, -1], "right")
        ).all()


def test_wrong_input_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        list(iterate_documents([tmp_path / "none"]))
    with pytest.raises(InputError, match="does not exist"):
        resolve_source("none", tmp_path)
    with pytest.raises(InputError, match="no name"):
        resolve_source("debian:../x", tmp_path)
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n{')
    with pytest.raises(InputError, match=r"x\.jsonl:2: not JSON"):
        list(iterate_documents([tmp_path]))
    (tmp_path / "x.jsonl").write_text("[]\n" + "[" * 10_000)
    with pytest.raises(InputError, match=r"x\.jsonl:2"):
        list(iterate_documents([tmp_path]))
    (tmp_path / "x.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no text"):
        prepare_corpus([tmp_path], tmp_path / "c", vocab_size=300)


def test_long_files_are_cut_so_that_some_text_can_be_held_out(tmp_path):
    (tmp_path / "long.txt").write_text(
        "".join(f"line {i}\n" for i in range(20_000)) + "x" * 120_000
    )
    pieces = [d.text for d in iterate_documents([tmp_path])]
    assert "".join(pieces) == (tmp_path / "long.txt").read_text()
    assert max(map(len, pieces)) < 60_000
    assert len({d.is_held_out(0.5) for d in iterate_documents([tmp_path])}) == 2


def test_the_files_own_split_decides(tmp_path):
    rows = [{"text": f"text {i}", "split": "test" if i % 4 == 0 else "train"} for i in range(20)]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
    corpus = prepare_corpus([tmp_path / "r.jsonl"], tmp_path / "c", vocab_size=300)
    assert documents_of(corpus.validation, corpus.tokenizer) == [
        f"text {i}" for i in range(0, 20, 4)
    ]
