"""Samples from disk to device: a shared cache in RAM, preprocessed stores, worker settings."""

from kuaibao.loading.errors import (
    BadSampleError,
    LoadingError,
    StaleStoreError,
    StoreError,
    UncacheableError,
)
from kuaibao.loading.preprocess import (
    Pictures,
    TokenizedTexts,
    picture_stores,
    table_tensors,
)
from kuaibao.loading.ram_cache import DecodedFiles, EncodedFiles, RamCache
from kuaibao.loading.slots import room_for
from kuaibao.loading.store import Store, build_store, store_key

__all__ = [
    "BadSampleError",
    "DecodedFiles",
    "EncodedFiles",
    "LoadingError",
    "Pictures",
    "RamCache",
    "StaleStoreError",
    "Store",
    "StoreError",
    "TokenizedTexts",
    "UncacheableError",
    "build_store",
    "picture_stores",
    "room_for",
    "store_key",
    "table_tensors",
]
