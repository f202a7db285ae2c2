import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from reports import run_doctor

pytestmark = pytest.mark.timeout(600)

SCRIPT = """
import os, sys, time
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

class Data(Dataset):
    def __len__(self): return 100_000
    def __getitem__(self, i):
        if sys.argv[1] == "kill" and get_worker_info() is not None and i == 150:
            os.kill(os.getpid(), 9)
        if sys.argv[1] == "corrupt" and i == 150:
            raise OSError("pictures/0150.jpg: image file is truncated")
        time.sleep(0.001)
        return torch.zeros(8)

if __name__ == "__main__":
    open("started", "w").write(str(os.getpid()))
    for x in DataLoader(Data(), batch_size=4, num_workers=int(sys.argv[2])):
        x.sum()
"""


@pytest.mark.parametrize(("fault", "workers"), [("kill", "2"), ("corrupt", "0")])
def test_a_script_that_dies_under_examination_keeps_its_status_and_gives_a_report(
    tmp_path, fault, workers
):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    done, report = run_doctor(
        tmp_path, "--seconds", "60", "--no-ablate", script=script, arguments=(fault, workers)
    )
    assert done.returncode == 1
    assert report["exit_status"] == 1
    assert report["ended"] == "script"
    assert report["rates"]["samples_seen"] >= 100
    # Torch says one or the other of a worker's death, by which of its two watchers comes first.
    words = {"corrupt": ("truncated",), "kill": ("killed", "exited unexpectedly")}[fault]
    assert any(word in done.stderr for word in words), done.stderr


def hear_control_c():
    """A shell that started the tests in the background has told them, and so us, to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_leaves_no_process_behind(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    doctor = subprocess.Popen(
        [sys.executable, "-m", "kuaibao", "doctor", "run", "--", "python", str(script), "go", "2"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=hear_control_c,
    )  # fmt: skip
    try:
        wait_for(lambda: (tmp_path / "started").exists() and len(processes_of(script)) >= 3)
        doctor.send_signal(signal.SIGINT)
        assert doctor.wait(timeout=60) == 130
    finally:
        doctor.kill()
    wait_for(lambda: not processes_of(script))


def wait_for(condition, seconds=90):
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop, "waited in vain"
        time.sleep(0.1)


def processes_of(script):
    """Living processes that run the script: the loop's and its workers'."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
                state = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if str(script).encode() in words and b"doctor" not in words and state != "Z":
                found.append(int(entry))
    return found
