"""Started by torchrun: trains the toy task and writes what it saw. Arguments: folder, ddp or fsdp."""

import gc
import json
import sys
import warnings
from pathlib import Path

import torch
from torch import distributed

sys.path.insert(0, str(Path(__file__).parent))

from toy import ToyTask, toy_recipe

from kuaibao.training import end_process, train

CASES = {"plain": ({}, {}), "rich": ({"ema": 0.5, "accumulate": 2}, {"schedule": "constant"})}


def recipe_of(folder, name, **more):
    run, optimizer = CASES[name]
    return toy_recipe(
        Path(folder) / name, optimizer=optimizer, **{"steps": 6, "evaluate_every": 3} | run | more
    )


def main(folder, parallel):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    for name in CASES:
        task = ToyTask(dropout=0.0, masks=False)
        if name == "rich":
            # Two thirds of the way, then on from the checkpoint with a model of other weights.
            train(task, recipe_of(folder, name, parallel=parallel, steps=4))
            task = ToyTask(seed=9, dropout=0.0, masks=False)
        state = train(task, recipe_of(folder, name, parallel=parallel), resume=True).state
        if distributed.get_rank() == 0:
            report = {"losses": state.losses, "units": state.n_unit,
                      "evaluations": [e for e in state.evaluations if e[0] != 4]}  # fmt: skip
            (Path(folder) / f"{name}.json").write_text(json.dumps(report))
    distributed.barrier()
    if parallel == "ddp" and distributed.get_rank() == 0:
        del task, state
        gc.collect()
        distributed.destroy_process_group()
        (Path(folder) / "threads.json").write_text(json.dumps(gloo_threads()))
    end_process()


def gloo_threads():
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "gloo" in name]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
