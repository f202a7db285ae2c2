"""A PostgreSQL server of our own in a temporary folder, reached by a socket there."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


def binaries():
    """The folder of initdb and pg_ctl, or None."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    path = shutil.which("initdb")
    found += [Path(path).parent] if path else []
    return next((f for f in found if (f / "initdb").exists() and (f / "pg_ctl").exists()), None)


def why_not():
    """Why no server can be started here; empty if one can."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed (the extra 'postgres')"
    if binaries() is None:
        return "PostgreSQL's server is not installed (scripts/install_system.sh)"
    if hasattr(os, "geteuid") and os.geteuid() == 0 and not shutil.which("runuser"):
        return "PostgreSQL refuses to run as root, and there is no runuser"
    return ""


@contextmanager
def running_server():
    """Start a server; gives the address of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="kb-pg-"))
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    prefix = ["runuser", "-u", "postgres", "--"] if is_root else []
    if is_root:
        shutil.chown(folder, "postgres", "postgres")
    data, log, programs = folder / "data", folder / "log", binaries()

    def run(name, *arguments):
        subprocess.run(
            [*prefix, str(programs / name), *arguments],
            check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=100,
        )  # fmt: skip

    try:
        run("initdb", "-D", str(data), "-U", "kuaibao", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("pg_ctl", "-D", str(data), "-l", str(log), "-o", options, "-w", "-t", "60", "start")
        yield f"postgresql://kuaibao@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
