"""Claim: ranking gets better with every decision, and as good as a batch model on the same decisions.

Real texts with labels: descriptions of Debian packages (`apt-cache dumpavail`), the archive's
section being the truth of what an editor wants. The editor is simulated: shown the learner's own
ten best (explored ones among them), he picks what is of his section and drops the rest, and is wrong
once in ten. nDCG at 20 on 1,000 packages that were never shown. Peers: chance, the profile's words
alone, and scikit-learn's logistic regression over TF-IDF on the same decisions.
"""

import argparse
import platform
import random
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kuaibao.bulletin.model import Entry, Item
from kuaibao.bulletin.reading.learning import Learner, Vocabulary
from kuaibao.bulletin.reading.learning.embeddings import centred, load_vectors
from kuaibao.bulletin.store import Decision

TOPICS = {"science": ["simulation", "analysis"], "games": ["game", "player"], "sound": ["audio", "music"], "education": ["learn", "school"], "mail": ["mail", "smtp"]}  # fmt: skip
HELD_OUT = {"graphics": ["image", "drawing"], "web": ["web", "http"], "database": ["database", "sql"], "electronics": ["circuit", "electronics"], "admin": ["system", "monitoring"]}  # fmt: skip
"""Sections on which nothing was tuned, with packages of another seed."""
STEPS = (0, 50, 200, 1000)
NOISE = 0.1
NOW = datetime(2020, 1, 1, tzinfo=UTC)


def packages(n_item, seed):
    text = subprocess.run(
        ["apt-cache", "dumpavail"], capture_output=True, text=True, check=False
    ).stdout
    found = {}
    for block in text.split("\n\n"):
        fields, name = {}, ""
        for line in block.split("\n"):
            if line.startswith(" "):
                fields[name] = fields.get(name, "") + line
            elif ":" in line:
                name, value = line.split(":", 1)
                fields[name] = value.strip()
        section = fields.get("Section", "").rpartition("/")[2]
        description = fields.get("Description-en") or fields.get("Description", "")
        if (
            section
            and len(description) > 20
            and not fields["Package"].endswith(("-dbgsym", "-dev"))
        ):
            found[fields["Package"]] = (section, description)
    names = sorted(found)
    random.Random(seed).shuffle(names)
    return [(name, *found[name]) for name in names[:n_item]]


def ndcg(order, wanted, k=20):
    gain = sum(1 / np.log2(i + 2) for i, name in enumerate(order[:k]) if name in wanted)
    return gain / sum(1 / np.log2(i + 2) for i in range(min(k, len(wanted))))


def run(topic, words, data, n_decision, seed, embed=None):
    draw = random.Random(seed)
    items = {n: Item(item_id=n, entries=(Entry(source_id="debian", entry_id=n, title=n.replace("-", " "), summary=text),)) for n, _, text in data}  # fmt: skip
    wanted = {n for n, section, _ in data if section == topic}
    names = list(items)
    rest, pool = names[:1000], names[1000:]
    goal = wanted & set(rest)
    learner = Learner(Vocabulary.of(f"{n} {t}" for n, _, t in data), [" ".join(words)], embed=embed)
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit(
        [f"{n} {t}" for n, _, t in data]
    )
    texts = {n: f"{n} {t}" for n, _, t in data}
    held_out = [items[n] for n in rest]
    decided, curve = {}, {}
    words_only = [
        r.item.item_id
        for r in learner.rank(held_out, "news", limit=20, diversity=0, explore_every=0)
    ]
    chance = list(rest)
    draw.shuffle(chance)
    while True:
        if len(decided) in STEPS and len(decided) <= n_decision:
            ours = [
                r.item.item_id
                for r in learner.rank(held_out, "news", limit=20, diversity=0, explore_every=0)
            ]
            peer = float("nan")
            if len(set(decided.values())) == 2:
                model = LogisticRegression(C=10, max_iter=500).fit(vectorizer.transform([texts[n] for n in decided]), list(decided.values()))  # fmt: skip
                scores = model.decision_function(vectorizer.transform([texts[n] for n in rest]))
                peer = ndcg([rest[i] for i in np.argsort(-scores)], goal)
            curve[len(decided)] = (
                ndcg(ours, goal),
                peer,
                ndcg(words_only, goal),
                ndcg(chance, goal),
            )
        if len(decided) >= n_decision or not pool:
            return curve
        shown = learner.rank(
            [items[n] for n in draw.sample(pool, min(300, len(pool)))], "news", limit=10
        )
        for one in shown:
            name = one.item.item_id
            is_wanted = (name in wanted) != (draw.random() < NOISE)
            decision = Decision(
                item_id=name, section="news", action="picked" if is_wanted else "dropped", at=NOW
            )
            learner.decide(decision, one.item)
            decided[name] = is_wanted
            pool.remove(name)
            if len(decided) in STEPS:
                break


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true")
    options.add_argument("--decisions", type=int, default=1000)
    options.add_argument("--held-out", action="store_true", help="Sections never used for tuning.")
    options.add_argument(
        "--vectors",
        type=Path,
        help="A folder of static embeddings, learnt from beside the words in a second run.",
    )
    chosen = options.parse_args()
    small, sections = chosen.small, HELD_OUT if chosen.held_out else TOPICS
    data = packages(1600 if small else 8000, seed=29 if chosen.held_out else 11)
    if len(data) < 1500:
        print("apt-cache gives no package descriptions here (run apt-get update): nothing measured")
        return
    topics = list(sections)[:1] if small else list(sections)
    started = time.perf_counter()
    n_decision = 50 if small else chosen.decisions
    curves = [run(topic, sections[topic], data, n_decision, seed=3) for topic in topics]
    print(f"# {time.strftime('%Y-%m-%d')} Python {platform.python_version()}, {len(data)} Debian packages, "
          f"{len(topics)} topics, editors simulated with {NOISE:.0%} mistakes, {time.perf_counter() - started:.0f} s")  # fmt: skip
    print("decisions   nDCG@20: ours   scikit-learn   words only   chance")
    for step in STEPS:
        rows = [c[step] for c in curves if step in c]
        if rows:
            cells = [np.mean([row[i] for row in rows]) for i in range(4)]
            print(f"{step:9}  " + "  ".join(f"{cell:12.3f}" for cell in cells), flush=True)
    if chosen.vectors:
        embed = centred(load_vectors(chosen.vectors), (f"{n}\n{text}" for n, _, text in data))
        beside = [run(topic, sections[topic], data, n_decision, 3, embed) for topic in topics]
        for step in STEPS:
            found = [c[step][0] for c in beside if step in c]
            if found:
                print(f"{step:9}  with vectors {np.mean(found):.3f}", flush=True)


if __name__ == "__main__":
    main()
