"""`kuaibao serve`: the desk in the browser, over the folder of a bulletin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer()


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with bulletin.toml.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 8000,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where published issues go; DIR/out.")
    ] = None,
    secure: Annotated[
        bool, typer.Option("--secure", help="Behind https: cookies never travel in the clear.")
    ] = False,
) -> None:
    """Open the desk; the first start prints a code with which the administrator is made."""
    import uvicorn

    from kuaibao.bulletin.config import load_config
    from kuaibao.bulletin.desk import Desk, seed_series
    from kuaibao.web import Newsroom, create_app

    config = load_config(folder)
    desk = Desk.open(config.database, config.folder, out)
    seed_series(desk, config)
    application = create_app(Newsroom(desk, config, is_secure=secure))
    server = uvicorn.Server(
        uvicorn.Config(
            application, host=host, port=port, log_level="warning", proxy_headers=False,
            server_header=False, timeout_graceful_shutdown=10,
        )
    )  # fmt: skip
    _announce(server, host, application.state.setup_code)
    server.run()


def _announce(server: Any, host: str, code: str) -> None:
    """Say the address once the port is open (with port 0 the system chose it)."""
    startup = server.startup

    async def announced(*arguments: Any, **options: Any) -> None:
        await startup(*arguments, **options)
        for opened in server.servers:
            for socket in opened.sockets:
                typer.echo(f"The desk is open: http://{host}:{socket.getsockname()[1]}/", err=True)
        if code:
            typer.echo(f"Code for making the administrator (valid once): {code}", err=True)

    server.startup = announced
