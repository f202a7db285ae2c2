"""The servers that are compared, each a process on a port of its own, over the same weights."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass
class Server:
    name: str
    url: str
    model: str
    process: subprocess.Popen[bytes]
    key: str = "none"

    def end(self) -> None:
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def pause(self) -> None:
        """Stand still while another is measured: some are busy even when nobody asks."""
        import psutil

        psutil.Process(self.process.pid).suspend()

    def resume(self) -> None:
        """Go on."""
        import psutil

        psutil.Process(self.process.pid).resume()

    def cpu_s(self) -> float:
        """CPU seconds of the process."""
        import psutil

        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start(name: str, command: list[str], port: int, model: str, ready: str, log: Path,
           **environment: str) -> Server | None:  # fmt: skip
    settings = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | environment
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=settings)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url + ready, timeout=2):
                return Server(name, url, model, process)
        except OSError:
            time.sleep(0.3)
    process.kill()
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    print(f"{name}: does not start here ({' '.join(last)[:200]})", flush=True)
    return None


def ours(folder: Path, work: Path, precision: str) -> Server | None:
    port = free_port()
    config, log = work / f"{precision}.toml", work / f"kuaibao-{precision}.log"
    config.write_text(f'max_waiting = 4000\nlog_requests = false\nprecision = "{precision}"\n')
    name = "kuaibao" if precision == "auto" else f"kuaibao {precision}"
    server = _start(name, [
        sys.executable, "-m", "kuaibao", "serve-models", "--model", f"bench={folder}", "--port",
        str(port), "--data", str(work / precision), "--config", str(config),
    ], port, "bench", "/health", log)  # fmt: skip
    if server is not None:
        said = log.read_text()
        server.key = said.split("(shown this once): ")[1].split()[0]
    return server


def ctranslate2(folder: Path, work: Path, precision: str) -> Server | None:
    """CTranslate2 behind a plain FastAPI: `_plain.py`."""
    port = free_port()
    name = "ctranslate2" if precision == "float32" else f"ctranslate2 {precision}"
    return _start(name, [sys.executable, str(HERE / "_plain.py"), str(folder), str(port), precision],
                  port, "bench", "/health", work / f"ctranslate2-{precision}.log")  # fmt: skip


def transformers(folder: Path, work: Path) -> Server | None:
    port = free_port()
    command = Path(sys.executable).parent / "transformers"
    return _start("transformers", [
        str(command), "serve", str(folder), "--port", str(port), "--device", "cpu", "--dtype",
        "float32", "--continuous-batching", "--log-level", "error",
    ], port, str(folder), "/health", work / "transformers.log")  # fmt: skip


def llama_cpp(folder: Path, work: Path, python: str, kind: str) -> Server | None:
    """llama-cpp-python's own server, of the environment that `--llama-python` names."""
    port, file = free_port(), work / f"{kind}.gguf"
    made = subprocess.run([python, str(HERE / "_gguf.py"), str(folder), str(file), kind],
                          capture_output=True, text=True)  # fmt: skip
    if made.returncode:
        print(f"llama.cpp: no GGUF file ({made.stderr.strip().splitlines()[-1:]})", flush=True)
        return None
    return _start("llama.cpp" if kind == "F32" else "llama.cpp int8", [
        python, "-m", "llama_cpp.server", "--model", str(file), "--port", str(port), "--n_ctx",
        "512", "--interrupt_requests", "False", "--n_threads", "1", "--n_threads_batch", "1", "--verbose", "False",
    ], port, "bench", "/v1/models", work / f"llama-{kind}.log")  # fmt: skip


def ask(server: Server, prompt: str, max_tokens: int) -> Any:
    body = json.dumps({"model": server.model, "prompt": prompt, "max_tokens": max_tokens,
                       "temperature": 0}).encode()  # fmt: skip
    request = urllib.request.Request(
        server.url + "/v1/completions", body,
        {"Content-Type": "application/json", "Authorization": f"Bearer {server.key}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)
