"""What an upload is called is a label; no name and no id of a file leads to another place."""

import httpx2
import pytest
from running import Running, make_service

LINES = b'{"text": "A library opens."}\n'
NAMES = {
    "../../x": "x",
    "/etc/passwd": "passwd",
    "x\0.jsonl": "x.jsonl",
    "C:\\Windows\\win.ini": "win.ini",
    "C:evil": "evil",
    "..\\..\\x.jsonl": "x.jsonl",
    "..": "upload.jsonl",
    "a/": "upload.jsonl",
    "{{7*7}}": "{{7*7}}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads") / "a" / "service"


@pytest.fixture(scope="module")
def server(folder):
    folder.mkdir(parents=True)
    with Running(make_service(folder)) as running:
        yield running


def upload(server, name):
    """By hand: a client would mend the name."""
    head = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nsearch\r\n--b\r\n'
        b'Content-Disposition: form-data; name="file"; filename="%s"\r\n\r\n'
    ) % name.replace("\\", "\\\\").encode()
    return httpx2.post(
        server.url + "/v1/files", content=head + LINES + b"\r\n--b--\r\n", timeout=60,
        headers={"Authorization": f"Bearer {server.key}",
                 "Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_an_upload_stays_in_its_folder_whatever_it_is_called(server, folder, name, shown):
    top = folder.parents[1]
    before = {p for p in top.rglob("*") if p.is_file()}
    answer = upload(server, name)
    assert answer.status_code == 200, answer.text
    assert answer.json()["filename"] == shown
    new = {p for p in top.rglob("*") if p.is_file()} - before
    kept = [p for p in new if p.read_bytes() == LINES]
    assert [p.name for p in kept] == [answer.json()["id"]]
    assert all(p.is_relative_to(folder) for p in new)


@pytest.mark.parametrize("file_id", ["..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "..", "x%00y",
                                     "C:%5cwin.ini"])  # fmt: skip
def test_no_id_of_a_file_is_a_path(server, file_id):
    headers = {"Authorization": f"Bearer {server.key}"}
    answer = httpx2.get(f"{server.url}/v1/files/{file_id}/content", headers=headers, timeout=60)
    assert answer.status_code in (400, 404)
    assert b"root:" not in answer.content
