"""Files that are whole or not there: atomic writes, locks, manifests with hashes."""

from kuaibao.files.atomic import atomic_path, write_bytes, write_json, write_text
from kuaibao.files.locks import FileLock, LockedError
from kuaibao.files.manifest import hash_file, hash_value

__all__ = [
    "FileLock",
    "LockedError",
    "atomic_path",
    "hash_file",
    "hash_value",
    "write_bytes",
    "write_json",
    "write_text",
]
