"""Cures for what a step does with its batch: copies, forward, loss, backward, optimiser, Python."""

from __future__ import annotations

import numpy as np

from kuaibao.doctor.case import WORTH, Advice, Case
from kuaibao.doctor.sentences import say
from kuaibao.doctor.statistics import Interval
from kuaibao.doctor.verdict import ablated, memory_growth, oversubscription

__all__ = ["LOOP_RULES"]


def _growth(case: Case) -> list[Advice]:
    """Memory without end."""
    growth = memory_growth(case.seen)
    if growth is None or not case.ill("memory"):
        return []
    where = "workers" if growth.in_workers else "main"
    mb = growth.bytes_a_step / 1e6
    return [
        Advice(
            cure="stop_growth",
            cause="memory",
            what=say(f"stop_growth.{where}"),
            why=say("stop_growth.why", mb=mb, steps=growth.steps_to_full),
            predicted_speedup=Interval(1.0, 1.0, 1.0),
        )
    ]


def _startup(case: Case) -> list[Advice]:
    """Work before the first batch that is the script's own."""
    accounts = case.accounts
    own = float(case.seen.settings.get("own_setup_s", 0.0))
    if not case.ill("startup") or own < 1.0 or accounts.startup_s > own:
        return []
    return [
        Advice(
            cure="lazy_setup",
            cause="startup",
            what=say("lazy_setup.what"),
            why=say("lazy_setup.why", seconds=own),
            predicted_speedup=case.without(0.9 * accounts.startup_share),
        )
    ]


def _copies(case: Case) -> list[Advice]:
    """Many copies where one would do."""
    share = case.share("host_to_device")
    if not case.ill("host_to_device"):
        return []
    return [
        Advice(
            cure="batched_copies",
            cause="host_to_device",
            what=say("batched_copies.what"),
            why=say("batched_copies.why", share=share),
            predicted_speedup=case.without(0.8 * share),
        )
    ]


_MANY_OPTIMIZERS = 8


def _optimizer(case: Case) -> list[Advice]:
    """The fused form of the same optimiser, measured on copies."""
    if not case.ill("optimizer"):
        return []
    share, n = case.share("optimizer"), int(case.seen.settings.get("n_optimizers", 1))
    if n > _MANY_OPTIMIZERS:
        return [
            Advice(
                cure="one_optimizer",
                cause="optimizer",
                what=say("one_optimizer.what"),
                why=say("one_optimizer.why", n=n),
                predicted_speedup=case.without(0.8 * share),
                is_exact=False,
            )
        ]
    own = case.seen.settings.get("fused_adam_s")
    if own:
        fused_s = float(np.median(own))
        n_tensors = int(case.seen.settings.get("n_parameter_tensors", 0))
        return [
            Advice(
                cure="torch_optimizer",
                cause="optimizer",
                what=say("torch_optimizer.what"),
                why=say("torch_optimizer.why", n=n_tensors, ms=fused_s * 1e3),
                predicted_speedup=case.without(max(0.0, share - fused_s / case.accounts.step_s)),
                is_exact=False,
            )
        ]
    found: list[Advice] = []
    for name, probe in case.seen.optimizer.items():
        gains = [1.0 - fused / as_is for as_is, fused in probe["runs"] if as_is > 0]
        if not gains or probe["is_fused"]:
            continue
        found.append(
            Advice(
                cure="fused_optimizer",
                cause="optimizer",
                what=say("fused_optimizer.what", name=name),
                why=say("fused_optimizer.why", n=probe["n_tensors"]),
                predicted_speedup=case.without(share * max(0.0, float(np.median(gains)))),
                is_automatic=True,
                is_exact=False,
            )
        )
    return found


def _loss(case: Case) -> list[Advice]:
    """Control flow in a loss."""
    if not case.ill("loss"):
        return []
    excess = case.diagnosis.excess["loss"]["mid"]
    return [
        Advice(
            cure="vectorize_loss",
            cause="loss",
            what=say("vectorize_loss.what"),
            why=say("vectorize_loss.why", n=case.accounts.detail.get("n_loss_calls", 0.0)),
            predicted_speedup=case.without(0.95 * excess),
        )
    ]


def _synchronization(case: Case) -> list[Advice]:
    """Values asked for one by one."""
    if not case.ill("synchronization"):
        return []
    n = case.accounts.detail.get("n_synchronizations", 0.0)
    kind = "values" if n > 2 else "prints"
    return [
        Advice(
            cure="fewer_synchronizations",
            cause="synchronization",
            what=say("fewer_synchronizations.what"),
            why=say(f"fewer_synchronizations.{kind}", n=n),
            predicted_speedup=case.without(0.95 * case.diagnosis.excess["synchronization"]["mid"]),
        )
    ]


def _threads(case: Case) -> list[Advice]:
    """More threads than cores."""
    gain = oversubscription(case.seen)
    if gain is None or gain.low < WORTH or not case.ill("forward", "backward"):
        return []
    n = max(1, round(case.seen.cores))
    return [
        Advice(
            cure="threads",
            cause="forward",
            what=say("threads.what", n=n),
            why=say("threads.why", threads=case.seen.settings.get("threads"),
                    cores=case.seen.cores),
            predicted_speedup=case.speedup([case.accounts.step_s / gain.mid]),
            is_automatic=True,
            is_exact=False,
            options={"threads": n},
        )
    ]  # fmt: skip


def _backward(case: Case) -> list[Advice]:
    """A gradient that costs more than it needs."""
    if not case.ill("backward"):
        return []
    excess = case.diagnosis.excess["backward"]["mid"]
    if case.seen.settings.get("anomaly_detection"):
        gain = ablated(case.seen, "unchecked")
        freed = case.accounts.compute_s * (1.0 - 1.0 / gain.mid) if gain else 0.0
        share = freed / case.accounts.step_s or _ANOMALY_COST * (1.0 - case.share("python"))
        return [
            Advice(
                cure="anomaly_off",
                cause="backward",
                what=say("anomaly_off.what"),
                why=say("anomaly_off.why"),
                predicted_speedup=case.without(share),
                is_automatic=True,
            )
        ]
    return [
        Advice(
            cure="lighter_backward",
            cause="backward",
            what=say("lighter_backward.what"),
            why=say("lighter_backward.why"),
            predicted_speedup=case.without(excess),
        )
    ]


_ANOMALY_COST = 0.5
"""Share of a step that goes into detection where it could not be measured."""


def _forward(case: Case) -> list[Advice]:
    """A model whose forward pass is slow for its work."""
    if not case.ill("forward") or oversubscription(case.seen) is not None:
        return []
    name = "float32" if "float64" in case.seen.settings.get("dtypes", []) else "vectorize_forward"
    return [
        Advice(
            cure=name,
            cause="forward",
            what=say(f"{name}.what"),
            why=say(f"{name}.why"),
            predicted_speedup=case.without(0.8 * case.diagnosis.excess["forward"]["mid"]),
        )
    ]


def _python(case: Case) -> list[Advice]:
    """The loop's own code."""
    if not case.ill("python"):
        return []
    return [
        Advice(
            cure="less_python",
            cause="python",
            what=say("less_python.what"),
            why=say("less_python.why"),
            predicted_speedup=case.without(0.9 * case.diagnosis.excess["python"]["mid"]),
        )
    ]


def _data_parallel(case: Case) -> list[Advice]:
    """One process for several devices."""
    if not case.seen.settings.get("data_parallel"):
        return []
    return [
        Advice(
            cure="distributed_data_parallel",
            cause="host_to_device",
            what=say("distributed_data_parallel.what"),
            why=say("distributed_data_parallel.why"),
            predicted_speedup=Interval(1.0, 1.2, 1.4),
        )
    ]


LOOP_RULES = (
    _growth,
    _startup,
    _copies,
    _optimizer,
    _loss,
    _synchronization,
    _threads,
    _backward,
    _forward,
    _python,
    _data_parallel,
)
