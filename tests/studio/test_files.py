"""The files of the page as the server sends them: whole, kept by the browser, and no others."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from jen1cli.studio import page


@pytest.fixture(scope="module")
def client():
    app = FastAPI()
    page.add_page(app)
    return TestClient(app)


def test_every_file_is_sent_as_it_is_and_not_again_while_it_is_the_same(client):
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in page.STATIC.rglob("*"):
        if path.suffix not in kinds:
            continue
        address = f"/studio/{path.relative_to(page.STATIC).as_posix()}"
        answer = client.get(address)
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"].partition(";")[0] == kinds[path.suffix]
        assert answer.headers["cache-control"] == "no-cache"
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = client.get(address, headers={"If-None-Match": '"of another version"'})
        assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    ["", "js", "js/", "js/none.js", "../page.py", "%2e%2e/page.py", "..%2fpage.py", "/etc/passwd"],
)
def test_nothing_else_is_sent(client, path):
    assert client.get(f"/studio/{path}").status_code == 404


def test_files_are_read_only(client):
    assert client.post("/studio/js/main.js").status_code == 405
    assert client.head("/studio/js/main.js").status_code == 200
