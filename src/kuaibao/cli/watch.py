"""`kuaibao watch`: track the sources without end."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kuaibao.bulletin.config import BulletinConfig
    from kuaibao.bulletin.pipeline.watching import WatchEvent
    from kuaibao.bulletin.sources.protocol import Fetches
    from kuaibao.bulletin.store import Store

app = typer.Typer()


@app.command()
def watch(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The folder with bulletin.toml.")
    ] = Path(),
    once: Annotated[bool, typer.Option("--once", help="Ask what is due now, then end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line for each answer.")
    ] = False,
) -> None:
    """Ask each source when it is due (`every` in its table), keep what is new, join stories.

    Ends at Ctrl-C or SIGTERM after the answers on their way; after a kill it takes up where it was.
    New items appear in the desk's inbox, if there is a desk. A changed bulletin.toml is read again.
    """
    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.store import Store
    from kuaibao.files import FileLock

    config = load_config(folder)
    with FileLock(config.folder / ".kuaibao-watch.lock"), Store.open(config.database) as store:
        while _watch(config, store, is_once=once, as_json=as_json):
            config = load_config(folder)


def _watch(config: BulletinConfig, store: Store, *, is_once: bool, as_json: bool) -> bool:
    """Watch under one configuration; gives whether to go on under a changed one."""
    from kuaibao.bulletin.config import CONFIG_NAME
    from kuaibao.bulletin.pipeline.watching import SystemClock, Watcher
    from kuaibao.fetching import Fetcher

    path = config.folder / CONFIG_NAME
    stamp = _stamp(path)
    is_changed = False

    class Watching(SystemClock):
        def sleep(self, seconds: float) -> None:
            nonlocal is_changed
            for _ in range(max(1, round(seconds))):
                super().sleep(1.0)
                if is_stopped:
                    return
                if _stamp(path) != stamp and _is_sound(config.folder):
                    is_changed = True
                    watcher.stop()
                    return

    is_stopped = False
    with Fetcher(config.settings.fetching.limits()) as fetcher:
        watcher = Watcher(store, config.sources, fetcher, config.folder, Watching())

        def end(number: int, frame: object) -> None:
            nonlocal is_stopped
            is_stopped = True
            watcher.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        for event in watcher.run(is_once=is_once):
            n_filed = _file(config, store, fetcher, event) if event.n_new else 0
            _tell(event, n_filed, as_json=as_json)
    return is_changed and not is_stopped


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _is_sound(folder: Path) -> bool:
    """A configuration that is being edited may be wrong for a while: the old one stays."""
    from kuaibao.bulletin.config import load_config
    from kuaibao.errors import KuaibaoError

    try:
        load_config(folder)
    except KuaibaoError:
        return False
    return True


def _file(config: BulletinConfig, store: Store, fetcher: Fetches, event: WatchEvent) -> int:
    """Lay what is new on the desk, where there is one; gives how many pieces are new."""
    from kuaibao.bulletin.desk.collecting import file_due
    from kuaibao.bulletin.desk.desk import Desk
    from kuaibao.bulletin.desk.schema import ROOM
    from kuaibao.database import schema_version

    if not schema_version(store.database, ROOM):
        return 0
    desk = Desk(store=store, folder=config.folder, out=config.folder / "out")
    return file_due(desk, config, fetcher, event.at)


def _tell(event: WatchEvent, n_filed: int, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**event.to_json(), "filed": n_filed}, ensure_ascii=False))
        return
    new = f"{event.n_new} new, {event.n_item} stories" if event.n_new else "nothing new"
    told = event.message if event.health != "ok" else new
    typer.echo(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.source_id}  {event.health}: {told}")
