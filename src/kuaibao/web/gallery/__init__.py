"""The gallery in the browser: choose a layout, drag its shapes, bake the choice.

`gallery_app` serves a program or a folder of them on this machine (`kuaibao gallery --serve`);
`gallery_routes` gives the same pages to be mounted in another Starlette application.
"""

from kuaibao.web.gallery.app import Host, gallery_app, gallery_routes
from kuaibao.web.gallery.programs import Programs

__all__ = ["Host", "Programs", "gallery_app", "gallery_routes"]
