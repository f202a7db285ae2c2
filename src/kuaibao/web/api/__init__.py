"""The JSON API: everything that the pages do, over the same functions."""

from kuaibao.web.api import issues, office, pictures, pieces, reading

__all__ = ["routers"]

routers = (pieces.router, pictures.router, issues.router, office.router, reading.router)
