import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from reports import PATIENTS, decided, mismatches, run_doctor

from kuaibao.doctor.report import schema

pytestmark = pytest.mark.timeout(600)

LOADER = """
import sys
import torch
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(torch.randn(64, 4)), batch_size=8)
for epoch in range(40):
    for (x,) in loader:
        pass
"""


@pytest.mark.slow
def test_a_pipeline_that_decodes_whole_pictures_is_found_cured_and_measured(tmp_path, ward):
    page = tmp_path / "report.html"
    done, report = decided(
        tmp_path, "--samples", "320", "--apply", "--cure", "ram_cache", "--html", str(page),
        "--language", "zh", script=PATIENTS / "decode_full_size.py", arguments=(str(ward),),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not mismatches(report, schema(), schema())
    assert report["verdict"] == "decode"
    assert report["stalls"]["decode"]["mid"] > 0.3
    cache = next(one for one in report["advice"] if one["cure"] == "ram_cache")
    assert cache["predicted_speedup"]["mid"] > 3
    assert cache["achieved_speedup"]["mid"] > 3
    assert cache["checks"]["same_batches"] >= 1
    assert "other_batches" not in cache["checks"]
    assert "RamCache(" in cache["patch"]
    text = page.read_text()
    assert "<svg" in text
    assert "循环在等样本解码" in text
    assert [one["cure"] for one in report["advice"] if one["achieved_speedup"]] == ["ram_cache"]
    assert "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.slow
def test_a_loop_over_a_loss_is_named_and_the_healthy_get_no_cure(tmp_path, ward):
    verdicts = {}
    for name, n in (("loss_dice_loop", "640"), ("healthy_mlp", "6000")):
        done, report = (run_doctor if name.startswith("healthy") else decided)(
            tmp_path, "--samples", n, script=PATIENTS / f"{name}.py", arguments=(str(ward),)
        )
        assert done.returncode == 0, done.stderr
        verdicts[name] = report["verdict"]
        if name.startswith("healthy"):
            assert report["advice"] == []
    assert verdicts["loss_dice_loop"] == "loss"
    # On a busy machine the doctor may decline to speak, but it must not invent a disease.
    assert verdicts["healthy_mlp"] in ("healthy", "undecided")


@pytest.mark.parametrize(
    ("ending", "status"),
    [("sys.exit(7)", 7), ("raise ValueError('no')", 1), ("os.kill(os.getpid(), 15)", 143)],
)
def test_the_exit_status_is_the_commands_own_and_its_output_stays(tmp_path, ending, status):
    script = tmp_path / "train.py"
    script.write_text(LOADER + f"import os\nprint('the end', flush=True)\n{ending}\n")
    done, report = run_doctor(tmp_path, "--seconds", "300", "--no-ablate", script=script)
    assert done.returncode == status
    assert "the end" in done.stdout
    assert report["exit_status"] == status


PACKAGE = """
import argparse
from pathlib import Path
import torch
from torch.utils.data import DataLoader, IterableDataset

class Stream(IterableDataset):
    def __init__(self, path):
        self.path = path
    def __iter__(self):
        while True:
            yield torch.tensor([float(v) for v in self.path.read_text().split()])

def batches(loader):
    for i, x in enumerate(loader):
        if i == 30:
            raise RuntimeError("thirty are enough")
        yield x * 2

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    for x in batches(DataLoader(Stream(parser.parse_args().data), batch_size=4)):
        x.sum()

if __name__ == "__main__":
    main()
"""


def test_a_module_run_by_name_on_a_relative_path_is_seen_until_it_fails(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "train.py").write_text(PACKAGE)
    (tmp_path / "numbers.txt").write_text("1 2 3")
    done, report = run_doctor(
        tmp_path, "--seconds", "300", script=("-m", "pack.train"),
        arguments=("--data", "numbers.txt"),
    )  # fmt: skip
    assert done.returncode == 1
    assert "thirty are enough" in done.stderr
    assert report["ended"] == "script"
    assert report["loader"]["iterable"]
    assert len(report["steps"]) == 31


def test_a_script_that_catches_its_end_is_ended_all_the_same(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(LOADER.replace("for epoch in range(40):", "def epoch():") + STUBBORN)
    done, report = run_doctor(tmp_path, "--samples", "96", script=script)
    assert done.returncode == 0
    assert report["rates"]["samples_seen"] == 96
    assert "for ever" not in done.stdout


STUBBORN = """
for i in range(1000):
    try:
        epoch()
    except BaseException:
        pass
print("for ever")
"""


def test_a_loop_over_a_generator_of_its_own_is_undecided_and_says_why(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text(
        "import torch\n"
        "def batches():\n"
        "    yield from (torch.ones(3) for _ in range(9))\n"
        "for x in batches():\n"
        "    x.sum()\n"
    )
    done, report = run_doctor(tmp_path, script=script)
    assert done.returncode == 0
    assert report["verdict"] == "undecided"
    assert "no DataLoader" in report["evidence"][0]
    assert report["advice"] == []


def test_a_run_stops_after_the_samples_it_was_given(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(LOADER + "print('not reached')\n")
    done, report = run_doctor(tmp_path, "--samples", "96", script=script)
    assert done.returncode == 0
    assert "not reached" not in done.stdout
    assert report["ended"] == "samples"
    assert report["rates"]["samples_seen"] == 96


def test_a_command_that_is_not_there_ends_with_status_3(tmp_path):
    from typer.testing import CliRunner

    from kuaibao.cli.doctor import app
    from kuaibao.doctor.errors import CommandNotFoundError

    result = CliRunner().invoke(app, ["run", "--", "no-such-program-anywhere"])
    assert isinstance(result.exception, CommandNotFoundError)
    assert result.exception.exit_code == 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_training_in_a_child_process_of_the_scripts_own_is_examined(tmp_path, method):
    script = tmp_path / "train.py"
    script.write_text(
        "import multiprocessing\nimport torch\n"
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "def train():\n"
        "    for x, in DataLoader(TensorDataset(torch.randn(64, 4)), batch_size=8):\n"
        "        pass\n"
        "if __name__ == '__main__':\n"
        f"    child = multiprocessing.get_context({method!r}).Process(target=train)\n"
        "    child.start()\n    child.join()\n    raise SystemExit(child.exitcode)\n"
    )
    done, report = run_doctor(tmp_path, "--samples", "40", "--no-ablate", script=script)
    assert done.returncode == 0, done.stderr
    assert report["rates"]["samples_seen"] == 64
