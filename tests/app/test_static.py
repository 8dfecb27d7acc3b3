"""Static files: compressed once, kept for a year where their address names their content."""

from __future__ import annotations

import gzip
import re

import brotli
import pytest
from flask.testing import FlaskClient

import app.static
from app.factory import Web

PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"


def _modules(client: FlaskClient) -> str:
    found = re.search(r'name="headwater-modules" content="(/live/modules/[0-9a-f]{16}/)"', client.get("/").text)
    assert found is not None
    return found[1]


def test_plotlys_bundle_is_compressed_at_the_first_request_only(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressions = []

    def counted(body: bytes) -> bytes:
        compressions.append(len(body))
        return bytes(brotli.compress(body, quality=1))

    monkeypatch.setitem(app.static._COMPRESSORS, "br", counted)
    first, second = (client.get(PLOTLY, headers={"Accept-Encoding": "gzip, br"}) for _ in range(2))
    assert first.headers["Content-Encoding"] == "br"
    assert first.data == second.data
    assert brotli.decompress(second.data) == client.get(PLOTLY).data
    assert len(compressions) == 1


def test_a_browser_without_brotli_gets_gzip_and_one_without_either_the_plain_file(client: FlaskClient) -> None:
    zipped = client.get("/assets/style.css", headers={"Accept-Encoding": "gzip"}, buffered=True)
    plain = client.get("/assets/style.css", headers={"Accept-Encoding": "br;q=0, gzip;q=0"}, buffered=True)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped.data) == plain.data
    assert "Accept-Encoding" in zipped.headers["Vary"]


def test_everything_the_page_loads_is_kept_for_a_year(client: FlaskClient) -> None:
    addresses = re.findall(r'(?:src|href)="(/(?:assets|_dash-component-suites)/[^"]+)"', client.get("/").text)
    assert len(addresses) > 8
    for address in addresses:
        assert "max-age=31536000" in client.get(address, buffered=True).headers["Cache-Control"], address


def test_nothing_on_the_page_comes_from_another_host(client: FlaskClient) -> None:
    assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]+"', client.get("/").text)


def test_modules_are_served_under_the_hash_of_their_content(client: FlaskClient) -> None:
    answer = client.get(_modules(client) + "main.mjs")
    assert answer.mimetype == "text/javascript"
    assert set(answer.headers["Cache-Control"].split(", ")) == {"public", "immutable", "max-age=31536000"}
    assert client.get("/live/modules/0000000000000000/main.mjs").status_code == 404
    assert client.get(_modules(client) + "nope.mjs").status_code == 404


def test_no_module_but_that_of_the_early_view_is_loaded_beside_the_loader(client: FlaskClient) -> None:
    document = client.get("/").text
    (tag,) = [tag for tag in re.findall("<script[^>]*>", document) if "module" in tag or ".mjs" in tag]
    assert "/early.mjs" in tag
    assert document.count("/assets/live.js") == 1


def test_two_apps_in_one_process_have_their_own_pages(client: FlaskClient, web: Web) -> None:
    import dash

    paths = [page["path"] for page in dash.page_registry.values()]
    assert len(paths) == len(set(paths))
    assert "/" in paths
    assert client.get("/_dash-layout").status_code == 200


def test_a_projects_own_painters_are_served_with_the_modules_and_named_in_the_document(client: FlaskClient) -> None:
    prefix, document = _modules(client), client.get("/gallery").text
    assert f'<link rel="stylesheet" href="{prefix}painters/gauge.css">' in document
    assert f'name="headwater-painters" content="[&quot;{prefix}painters/gauge.mjs&quot;]"' in document
    for name, kind in (("gauge.mjs", "text/javascript"), ("gauge.css", "text/css")):
        answer = client.get(f"{prefix}painters/{name}")
        assert (answer.status_code, answer.mimetype) == (200, kind)
    assert client.get(f"{prefix}painters/none.mjs").status_code == 404
