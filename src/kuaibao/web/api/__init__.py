"""The JSON API: everything that the pages do, over the same functions."""

from kuaibao.web.api import hooks, issues, mailing, office, pictures, pieces, reading

__all__ = ["routers"]

routers = (
    pieces.router,
    pictures.router,
    issues.router,
    office.router,
    hooks.router,
    mailing.router,
    reading.router,
)
