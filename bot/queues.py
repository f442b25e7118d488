"""One after the other, by name: messages of one person in order, those of many at the same time."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Queues:
    """Locks that live as long as somebody holds or awaits them."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, _Queue] = defaultdict(_Queue)

    def is_awaited(self, name: Hashable) -> bool:
        """Whether somebody waits behind the one whose turn it is."""
        queue = self._locks.get(name)
        return queue is not None and queue.waiting > 1

    @asynccontextmanager
    async def in_turn(self, name: Hashable) -> AsyncIterator[None]:
        """Waits until everybody who came before under the same name is through."""
        queue = self._locks[name]
        queue.waiting += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._locks.pop(name, None)


class _Queue:
    """The lock of one name, and how many hold or await it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0
