"""The trading screen where it has been built, else a page that says where to go."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

WEB_FOLDER = Path(__file__).parents[2] / "web" / "dist"
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


def add_site(app: FastAPI) -> None:
    """Serve the site below all other routes."""
    if WEB_FOLDER.is_dir():
        app.mount("/", StaticFiles(directory=WEB_FOLDER, html=True), name="site")
        return

    @app.get("/", include_in_schema=False)
    async def landing() -> HTMLResponse:
        return HTMLResponse(_LANDING)
