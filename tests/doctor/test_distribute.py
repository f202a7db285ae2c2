import json
import os
import subprocess
import sys

import pytest

from kuaibao.doctor.distribute import distributed
from kuaibao.doctor.patching import edit_for

pytestmark = pytest.mark.timeout(600)

SCRIPT = """
import json
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(32, 4, dtype=torch.float64)
data = TensorDataset(x, x.sum(1, keepdim=True), torch.arange(32))
model = nn.DataParallel(nn.Linear(4, 1).double())
loader = DataLoader(data, batch_size=8{shuffle})
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
seen = []
for epoch in range(2):
    for x, y, i in loader:
        seen += i.tolist()
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
weights = [round(v, 9) for v in model.module.weight.flatten().tolist()]
import os
name = sys.argv[1] + os.environ.get("RANK", "")
left_open = open(name, "w")
json.dump({{"weights": weights, "seen": seen}}, left_open)
{end}
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_did_and_share_the_samples(tmp_path):
    plain, new = tmp_path / "plain.py", tmp_path / "new.py"
    plain.write_text(SCRIPT.format(shuffle="", end="sys.exit(int(len(seen) == 0))"))
    new.write_text(distributed(plain.read_text()))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, plain, tmp_path / "one"], check=True, env=environment)
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         new, tmp_path / "two"],
        check=True, env=environment, timeout=150,
    )  # fmt: skip
    one = json.loads((tmp_path / "one").read_text())
    ranks = [json.loads((tmp_path / f"two{rank}").read_text()) for rank in (0, 1)]
    assert ranks[0]["weights"] == ranks[1]["weights"]
    assert sorted(ranks[0]["seen"] + ranks[1]["seen"]) == sorted(one["seen"])
    # Equal halves, averaged gradients: the same step, though not the same samples in it.
    assert len(ranks[0]["seen"]) == len(ranks[1]["seen"]) == 32


@pytest.mark.parametrize("shuffle", ["", ", shuffle=True", ", shuffle=True, num_workers=2"])
def test_the_rewritten_script_is_python_and_divides_the_batch(shuffle):
    text = distributed(SCRIPT.format(shuffle=shuffle, end=""))
    compile(text, "new.py", "exec")
    assert "DistributedDataParallel(nn.Linear(4, 1).double())" in text
    assert "batch_size=max(1, (8) // torch.distributed.get_world_size())" in text
    assert f"DistributedSampler(data, shuffle={'True' if shuffle else 'False'})" in text
    assert " shuffle=True" not in text.replace("data, shuffle=True", "")


@pytest.mark.parametrize(
    ("end", "becomes"),
    [
        ("sys.exit(main())", "leave_process_group(main())"),
        (
            "if __name__ == '__main__':\n    raise SystemExit(main(2))",
            "    leave_process_group(main(2))",
        ),
        ("exit()", "leave_process_group()"),
        ("raise SystemExit", "leave_process_group()"),
        ("def stop():\n    sys.exit(3)", "    sys.exit(3)"),
    ],
)
def test_the_scripts_own_exit_becomes_a_clean_end(end, becomes):
    text = distributed(SCRIPT.format(shuffle="", end=end))
    compile(text, "new.py", "exec")
    assert becomes in text.splitlines()


def test_a_script_without_data_parallel_is_left_alone():
    assert distributed("import torch\nmodel = torch.nn.Linear(1, 1)\n") is None


def test_the_edit_is_bound_to_the_file_it_was_made_for(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.format(shuffle="", end=""))
    edit = edit_for("distributed_data_parallel", {}, f"{path}:13")
    assert edit is not None
    assert "+model = torch.nn.parallel.DistributedDataParallel" in edit.diff
