"""The page as the gateway serves it: what is kept, what is asked for again, what is allowed."""

from pathlib import Path

import httpx
import pytest

from actors.platform.config import Servers
from api.application import create_app
from cluster.markets import default_topology
from cluster.plan import Platform

_SCRIPT = "console.log('here');\n" * 200


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    """A gateway that serves a small page; nothing behind it is asked, so nothing is started."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Here</title>")
    (tmp_path / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / ".sources").write_text("digest")
    (tmp_path / "assets" / "index-a1b2.js").write_text(_SCRIPT)
    nowhere = Servers(kafka_bootstrap="", postgres_url="", redis_url="")
    platform = Platform(
        servers=nowhere,
        topology=default_topology(),
        data_directory="",
        web_directory=str(tmp_path),
    )
    transport = httpx.ASGITransport(create_app(platform.gateway))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def test_the_page_is_asked_for_again_and_its_assets_are_kept(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    script = await client.get("/assets/index-a1b2.js")
    assert script.text == _SCRIPT
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["content-encoding"] == "gzip"
    icon = await client.get("/icon.svg")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
    assert (await client.head("/")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/icon.svg", "/assets/index-a1b2.js"])
async def test_everything_of_the_page_has_strict_headers(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/assets/", "/nowhere", "/.sources", "/assets/..%2f.sources"]
)
async def test_what_is_not_there_is_not_found_in_the_contracts_words(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["statusCode"]) == (404, 404)


async def test_the_page_takes_no_path_and_no_method_from_the_contract(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/docs")).status_code == 200
    assert "content-security-policy" not in (await client.get("/docs")).headers
    assert (await client.get("/users")).status_code == 405
    assert (await client.post("/")).status_code == 405
