"""A queue in which tenants take turns: a flood from one does not delay the others."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["FairQueue"]

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Round robin over tenants, first come first served within one. Not thread-safe."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._n = 0

    def __len__(self) -> int:
        """How many wait in all."""
        return self._n

    def __iter__(self) -> Iterator[T]:
        """All that wait, tenant by tenant."""
        for items in self._waiting.values():
            yield from items

    def put(self, tenant: str, item: T) -> None:
        """Add at the end of the tenant's line."""
        self._waiting.setdefault(tenant, deque()).append(item)
        self._n += 1

    def peek(self) -> T:
        """The next one, which stays; the queue must not be empty."""
        return next(iter(self._waiting.values()))[0]

    def get(self) -> T:
        """Take the next one; its tenant goes to the end of the round."""
        tenant, items = next(iter(self._waiting.items()))
        item = items.popleft()
        self._n -= 1
        if items:
            self._waiting.move_to_end(tenant)
        else:
            del self._waiting[tenant]
        return item

    def remove(self, tenant: str, item: T) -> bool:
        """Take out one that no longer wants its turn; says whether it was there."""
        items = self._waiting.get(tenant)
        if items is None or item not in items:
            return False
        items.remove(item)
        self._n -= 1
        if not items:
            del self._waiting[tenant]
        return True
