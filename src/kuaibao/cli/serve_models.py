"""`kuaibao serve-models`: the OpenAI-compatible API on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from kuaibao.errors import InputError

app = typer.Typer()


@app.command()
def serve_models(
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="NAME=FOLDER, or NAME=URL of another server; may repeat."),
    ] = None,
    image_model: Annotated[
        list[str] | None,
        typer.Option("--image-model", help="NAME=FOLDER of an image GPT; may repeat."),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of database, files and jobs.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="TOML file of settings.")] = None,
) -> None:
    """Serve models to OpenAI's clients; prints the first administrator's key once."""
    import uvicorn

    from kuaibao.service.api import create_app
    from kuaibao.service.logs import log_to
    from kuaibao.service.models import default_models, make_spec
    from kuaibao.service.picture_models import check_picture_folder, default_picture_models
    from kuaibao.service.service import Service, make_pool, open_service_database
    from kuaibao.service.settings import load_settings
    from kuaibao.web.console import console_routes

    settings = load_settings(
        config,
        data=None if data is None else str(data),
        host=host,
        port=port,
        models=_parse_models(model) if model else None,
        image_models=_parse_models(image_model) if image_model else None,
    )
    for name, folder in settings.image_models.items():
        check_picture_folder(name, folder)
    models = settings.models or default_models()
    if not (settings.models or settings.image_models):
        settings = replace(settings, image_models=default_picture_models())
    specs = {name: make_spec(settings, name, where) for name, where in models.items()}
    service = Service(
        settings,
        open_service_database(settings.data),
        make_pool(settings, specs),
        lambda name, folder: make_spec(settings, name, folder),
    )
    key = service.first_administrator_key()
    if key is not None:
        typer.echo(f"The administrator's key (shown this once): {key}")
    names = [*sorted(specs), *service.picture_models.names]
    typer.echo(f"Models: {', '.join(names)}", err=True)
    if settings.log_requests:
        log_to()
    application = create_app(service)
    application.routes.extend(console_routes())
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            timeout_graceful_shutdown=30,
        )
    )
    _announce(server, settings.host)
    server.run()


def _announce(server: Any, host: str) -> None:
    """Say the address once the port is open (with port 0 the system chose it)."""
    startup = server.startup

    async def announced(*arguments: Any, **options: Any) -> None:
        await startup(*arguments, **options)
        for opened in server.servers:
            for socket in opened.sockets:
                address = f"http://{host}:{socket.getsockname()[1]}"
                typer.echo(f"Listening on {address}/v1, console at {address}/console", err=True)

    server.startup = announced


def _parse_models(values: list[str]) -> dict[str, str]:
    models: dict[str, str] = {}
    for value in values:
        name, equals, where = value.partition("=")
        if not (name and equals and where):
            raise InputError(f"{value!r}: expected NAME=FOLDER (or NAME=URL)")
        if name in models:
            raise InputError(f"{name!r} is named twice")
        models[name] = where
    return models
