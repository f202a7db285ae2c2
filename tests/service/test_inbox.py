"""Events from another thread: none is lost, none waits while the task sleeps, and they gather."""

import asyncio
import threading

from kuaibao.service.engine.inbox import Inbox, Post


def test_everything_arrives_in_order_whoever_is_faster():
    n = 3000

    async def take_all():
        boxes = [Inbox(Post.here()) for _ in range(3)]

        def fill():
            for i in range(n):
                for box in boxes:
                    box.put(i)
                boxes[0].post.flush()

        thread = threading.Thread(target=fill)
        thread.start()

        async def read(box):
            found = []
            while len(found) < n:
                found += await asyncio.wait_for(box.take(), 60)
            return found

        found = await asyncio.gather(*map(read, boxes))
        thread.join()
        return found

    assert asyncio.run(take_all()) == [list(range(n))] * 3


def test_what_came_while_the_task_was_busy_is_taken_together():
    async def busy():
        box = Inbox(Post.here())
        for i in range(5):
            box.put(i)
            box.post.flush()
        return await box.take()

    assert asyncio.run(busy()) == [0, 1, 2, 3, 4]


def test_a_task_that_gives_up_leaves_the_inbox_usable():
    async def impatient():
        box = Inbox(Post.here())
        task = asyncio.ensure_future(box.take())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        box.put("late")
        box.post.flush()
        return await asyncio.wait_for(box.take(), 60)

    assert asyncio.run(impatient()) == ["late"]


def test_a_loop_that_has_ended_is_left_alone():
    async def post():
        return Inbox(Post.here())

    box = asyncio.run(post())
    box.put(1)
    box.post.flush()
