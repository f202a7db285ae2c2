"""Curves for TensorBoard: scalars as event files, written without TensorBoard itself.

The format: records of length, checksum, data, checksum (TFRecord, CRC-32C, masked), whose data is
the protocol buffer `Event` with `wall_time` (1), `step` (2), `file_version` (3) and `summary` (5);
a summary holds values (1) with `tag` (1) and `simple_value` (2).
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["EventWriter", "crc32c"]

_POLYNOMIAL = 0x82F63B78


def _table() -> list[int]:
    rows: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return rows


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum (RFC 3720, appendix B.4)."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


class EventWriter:
    """Appends scalars to a new event file of a folder; closes after each write."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{os.getpid()}"
        self.path = folder / name
        self._append(_float64(1, time.time()) + _bytes(3, b"brain.Event:2"))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write values of a step, by their tags."""
        summary = b"".join(
            _bytes(1, _bytes(1, tag.encode()) + _float32(2, value)) for tag, value in values.items()
        )
        event = _float64(1, time.time()) + _varint(2 << 3) + _varint(step) + _bytes(5, summary)
        self._append(event)

    def _append(self, data: bytes) -> None:
        length = struct.pack("<Q", len(data))
        record = length + _masked(length) + data + _masked(data)
        with self.path.open("ab") as file:
            file.write(record)


def _masked(data: bytes) -> bytes:
    value = crc32c(data)
    return struct.pack("<I", (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _float64(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float32(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)
