"""The trading screen where a folder of it is given, else a page that says where to go."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Styles: the chart's library writes a style element of its own.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_SECURITY = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ALWAYS_ASK = {"Cache-Control": "no-cache"}
_FOR_A_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}
_LANDING = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Forkast</title></head>
<body>
<h1>Forkast</h1>
<p>The exchange is running.
<a href="docs">API documentation</a> ·
<a href="markets">markets</a> · <a href="ready">readiness</a></p>
</body>
</html>
"""


class HashedAssets(StaticFiles):
    """Files whose names change with their contents: kept by browsers for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with its headers. Raises HTTPException where there is none."""
        response = await super().get_response(path, scope)
        response.headers.update(_SECURITY | _FOR_A_YEAR)
        return response


def add_site(app: FastAPI, folder: str) -> None:
    """Serve the page of a folder, or where that is empty a few links."""
    if not folder:
        app.add_api_route("/", _landing, include_in_schema=False, methods=["GET", "HEAD"])
        return
    # Named one by one: a mount at the root would answer for the methods that a route lacks.
    for path in sorted(Path(folder).iterdir()):
        if path.is_file() and not path.name.startswith("."):
            _add_file(app, "/" if path.name == "index.html" else f"/{path.name}", path)
    assets = HashedAssets(directory=Path(folder) / "assets", check_dir=False)
    app.mount("/assets", assets, name="assets")


def _add_file(app: FastAPI, route: str, path: Path) -> None:
    async def file() -> Response:
        return FileResponse(path, headers=_SECURITY | _ALWAYS_ASK)

    app.add_api_route(route, file, include_in_schema=False, methods=["GET", "HEAD"])


async def _landing() -> HTMLResponse:
    return HTMLResponse(_LANDING, headers=_SECURITY | _ALWAYS_ASK)
