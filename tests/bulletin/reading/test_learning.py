"""What editors decide changes what comes next, at once, section by section, and is told in words."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuaibao.bulletin.model import Entry, Item
from kuaibao.bulletin.reading.learning import (
    Learner,
    LogisticModel,
    Vocabulary,
    library_of,
    open_learner,
)
from kuaibao.bulletin.reading.learning.features import words_of
from kuaibao.bulletin.sources import SourceResult
from kuaibao.bulletin.store import Decision, Sameness, Store, join_entries, list_decisions

NOW = datetime(2020, 7, 1, tzinfo=UTC)
TITLES = {
    "graph1": "Graph layout by constrained optimization", "graph2": "A tape machine for graph drawing",
    "sum1": "Summarization of long documents", "sum2": "Gap sentences and summarization", "sum3": "Abstractive summarization with a thousand examples",
    "bird1": "Sparrows return to the town", "bird2": "Owls and sparrows in winter", "zh1": "图书馆知识图谱研究进展", "zh2": "知识图谱与图书馆服务", "zh3": "股市行情早报",
}  # fmt: skip


def _item(name, source="s"):
    entry = Entry(source_id=source, entry_id=name, title=TITLES[name])
    return Item(item_id=name, entries=(entry,))


ITEMS = {name: _item(name) for name in TITLES}
VOCABULARY = Vocabulary.of(TITLES.values())


def _decision(name, action, section="news", to_section=None):
    return Decision(item_id=name, section=section, action=action, at=NOW, to_section=to_section)


def _order(learner, section="news", names=TITLES, **more):
    return [
        r.item.item_id
        for r in learner.rank(
            [ITEMS[n] for n in names], section, diversity=0, explore_every=0, **more
        )
    ]


def test_each_decision_counts_at_once_and_only_in_its_section():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    learner.decide(_decision("bird1", "dropped"), ITEMS["bird1"])
    order = _order(learner)
    assert set(order[:3]) == {"sum1", "sum2", "sum3"}
    assert set(order[-2:]) == {"bird1", "bird2"}
    assert learner.weigh(ITEMS["sum2"], "papers").logit == 0


def test_chinese_is_learnt_by_words():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("zh1", "picked"), ITEMS["zh1"])
    assert _order(learner)[:2] == ["zh1", "zh2"]


def test_the_reasons_are_words():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    learner.decide(_decision("bird1", "dropped"), ITEMS["bird1"])
    assert any("summarization" in reason for reason in learner.weigh(ITEMS["sum2"], "news").reasons)
    reasons = learner.weigh(ITEMS["bird2"], "news").reasons
    assert any(r.startswith("like what was dropped") and "sparrow" in r for r in reasons)


def test_a_moved_item_is_unwanted_here_and_wanted_there():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "moved", "news", "papers"), ITEMS["sum1"])
    assert learner.weigh(ITEMS["sum2"], "news").logit < 0 < learner.weigh(
        ITEMS["sum2"], "papers"
    ).logit  # fmt: skip


def test_a_decision_taken_back_leaves_no_trace():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    learner.decide(_decision("sum1", "undone"), ITEMS["sum1"])
    assert learner.weigh(ITEMS["sum2"], "news").logit == pytest.approx(0)


def test_an_edit_says_wanted_but_never_less_than_a_pick():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    before = learner.weigh(ITEMS["sum2"], "news").logit
    learner.decide(_decision("sum1", "edited"), ITEMS["sum1"])
    assert learner.weigh(ITEMS["sum2"], "news").logit == before > 0


def test_what_is_known_is_less_uncertain():
    learner = Learner(VOCABULARY)
    before = learner.weigh(ITEMS["sum2"], "news").uncertainty
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    after = learner.weigh(ITEMS["sum2"], "news").uncertainty
    assert after < before
    assert learner.weigh(ITEMS["bird1"], "news").uncertainty > after


def test_a_judged_item_says_what_was_learnt():
    learner = Learner(VOCABULARY)
    assert learner.judged(ITEMS["sum2"]) == ITEMS["sum2"]
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    judged = learner.judged(ITEMS["sum2"])
    assert judged.score > ITEMS["sum2"].score
    assert "summarization" in judged.reasons[0]


def test_a_library_ranks_before_any_decision(tmp_path):
    (tmp_path / "mine.bib").write_text(
        "@article{a, title={Sparrows in the winter town}, year=2019}"
    )
    learner = Learner(VOCABULARY, library_of(tmp_path / "mine.bib"))
    assert set(_order(learner)[:2]) == {"bird1", "bird2"}


def test_a_section_is_diverse_where_that_costs_little():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    names = ["sum2", "sum3", "graph1", "bird1"]
    alike = [r.item.item_id for r in learner.rank([ITEMS[n] for n in names], "news", diversity=0, explore_every=0)]  # fmt: skip
    other = [r.item.item_id for r in learner.rank([ITEMS[n] for n in names], "news", diversity=50, explore_every=0)]  # fmt: skip
    assert set(alike[:2]) == {"sum2", "sum3"}
    assert set(other[:2]) != {"sum2", "sum3"}


def test_some_places_go_to_what_the_model_is_unsure_of():
    learner = Learner(VOCABULARY)
    learner.decide(_decision("sum1", "picked"), ITEMS["sum1"])
    ranked = learner.rank(list(ITEMS.values()), "news", limit=6, explore_every=3)
    assert [r.is_exploration for r in ranked] == [False, False, True, False, False, True]
    assert "unsure" in ranked[2].item.reasons[-1]


def _dense(model, names):
    return np.array([model.weights.get(n, 0.0) for n in names])


def test_learning_one_by_one_ends_where_all_at_once_does():
    """Against the same regression solved by Newton's method."""
    draw = np.random.default_rng(3)
    names = [f"word:{i}" for i in range(6)]
    x = draw.normal(size=(30, 6))
    y = draw.random(30) < 0.5
    model = LogisticModel()
    for n in range(30):
        model.learn(str(n), dict(zip(names, x[n].tolist(), strict=True)), bool(y[n]))
    model.settle(3000)
    full = np.hstack([x, np.ones((30, 1))])
    precision = np.array([1 / 4.0] * 6 + [1.0])
    w = np.zeros(7)
    for _ in range(50):
        p = 1 / (1 + np.exp(-full @ w))
        gradient = full.T @ (p - y) + precision * w
        w -= np.linalg.solve(
            full.T @ (full * (p * (1 - p))[:, None]) + np.diag(precision), gradient
        )
    assert _dense(model, [*names, "bias:"]) == pytest.approx(w, abs=0.02)


@given(st.lists(st.tuples(st.sampled_from(sorted(TITLES)), st.sampled_from(["picked", "dropped", "edited", "passed", "undone"])), max_size=12))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_any_log_gives_finite_weights_and_replays_alike(log):
    live, replayed = Learner(VOCABULARY), Learner(VOCABULARY)
    decisions = [_decision(name, action) for name, action in log]
    for decision in decisions:
        live.decide(decision, ITEMS[decision.item_id])
    replayed.replay(decisions, ITEMS)
    for learner in (live, replayed):
        learner.model("news").settle(500)
    for item in ITEMS.values():
        a, b = live.weigh(item, "news").logit, replayed.weigh(item, "news").logit
        assert math.isfinite(a)
        assert a == pytest.approx(b, abs=0.1)


def test_the_log_in_the_store_is_the_truth(tmp_path):
    with Store.open(tmp_path / "b.db") as store:
        run = store.begin_run(NOW)
        entries = tuple(item.lead for item in ITEMS.values())
        store.save_fetch(run, "s", "feed", SourceResult(entries=entries, status="new"))
        for batch in store.unjoined("s"):
            join_entries(store, batch, [[Sameness(one.entry.entry_id, "x")] for one in batch])
        learner = open_learner(store)
        from kuaibao.bulletin.store import items_since

        items = {i.lead.entry_id: i for i in items_since(store, NOW.date())}
        pick = Decision(item_id=items["sum1"].item_id, section="news", action="picked", at=NOW)
        learner.decide(pick, items["sum1"])
        assert list_decisions(store) == [pick]
        again = open_learner(store)
        assert again.weigh(items["sum2"], "news").logit == pytest.approx(
            learner.weigh(items["sum2"], "news").logit, abs=0.05
        )


def test_words_are_folded_and_small_ones_left_out():
    assert words_of("The Libraries of 知识图谱 and 圖書館") == ("library", "知识", "图谱", "图书馆")
