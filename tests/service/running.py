"""A real server in a thread, over a fake model."""

import socket
import threading
import time

from fake import FakeModel

from kuaibao.service.api import create_app
from kuaibao.service.engine.pool import ModelSpec
from kuaibao.service.service import Service, make_pool, open_service_database
from kuaibao.service.settings import ServiceSettings


def make_service(folder, model=FakeModel, **settings):
    chosen = ServiceSettings(data=str(folder), **settings)
    spec = ModelSpec(name="fake", load=model, size_bytes=1000, created=1)
    return Service(
        chosen,
        open_service_database(folder),
        make_pool(chosen, {"fake": spec}),
        lambda name, _folder: ModelSpec(name=name, load=model, size_bytes=1000),
    )


class Running:
    """A server with its administrator's key."""

    def __init__(self, service, routes=()):
        import uvicorn

        self.service = service
        self.key = service.first_administrator_key()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        app = create_app(service)
        app.routes.extend(routes)
        config = uvicorn.Config(app, port=port, log_level="critical")
        self.server = uvicorn.Server(config)
        self.url = f"http://127.0.0.1:{port}"
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        for _ in range(600):
            if self.server.started:
                return self
            time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(30)


def wait_until(is_so, seconds=60):
    """Wait for a condition, generously: the machine may be busy."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
