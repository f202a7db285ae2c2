"""Web hooks by page, by API and by command; bounces by command."""

import json
import re

from serving import Serving
from test_commands import kuaibao

from kuaibao.bulletin.mailing import add_subscriber, list_subscribers

BOUNCE = """\
From: mailer@example.net
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

gone
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.net

Final-Recipient: rfc822; gone@example.net
Action: failed
Status: 5.1.1

--b--
"""


def test_a_hook_is_made_on_its_page_and_its_secret_is_shown_once(tmp_path):
    with Serving(tmp_path, 1) as server:
        with server.browser("administrator") as browser:
            made = browser.submit("/hooks", url="https://example.org/in", event="published")
            secret = re.search(r"whsec_[\w+/=]+", made.text)[0]
            page = browser.get("/hooks").text
            assert "https://example.org/in" in page
            assert secret not in page
            refused = browser.submit("/hooks", url="javascript:alert(1)")
            assert refused.status_code == 422
        with server.browser("editor") as other:
            assert other.get("/hooks").status_code == 403
            assert other.submit("/hooks", url="https://evil.example").status_code == 403
        with server.api("administrator", "admin", "read") as api:
            (known,) = api.get("/api/v1/hooks").json()
            assert known["events"] == ["published"]
            more = api.post("/api/v1/hooks", json={"url": "https://example.org/two"}).json()
            assert more["secret"].startswith("whsec_")
            number = more["hook"]["hook_id"]
            assert api.post(f"/api/v1/hooks/{number}/resume").status_code == 204
            assert api.delete(f"/api/v1/hooks/{number}").status_code == 204
            assert api.delete(f"/api/v1/hooks/{number}").status_code == 404
        with server.api("administrator", "read") as narrow:
            assert narrow.get("/api/v1/hooks").status_code == 403


def test_hooks_and_bounces_by_command(tmp_path):
    with Serving(tmp_path, 1) as server:
        series = server.room.series.series_id
        add_subscriber(server.desk, server.room.editor, series, "gone@example.net")
        add_subscriber(server.desk, server.room.editor, series, "here@example.net")
    (tmp_path / "bulletin.toml").write_text(
        'series = "快报"\nlanguage = "zh"\ndatabase = "desk.db"\n', "utf-8"
    )
    made = kuaibao("desk", "add-hook", tmp_path, "https://example.org", "--as", "root", "--json")
    hook = json.loads(made.stdout)["hook"]["hook_id"]
    listed = kuaibao("desk", "hooks", tmp_path, "--as", "root", "--json").stdout
    assert json.loads(listed)[0]["url"] == "https://example.org"
    kuaibao("desk", "remove-hook", tmp_path, hook, "--as", "root")
    inbox = tmp_path / "mail" / "new"
    inbox.mkdir(parents=True)
    (inbox / "1").write_text(BOUNCE)
    (inbox / "2").write_bytes(b"\x00\xff no mail at all")
    read = kuaibao("desk", "bounces", tmp_path, tmp_path / "mail", "--as", "root", "--json")
    assert json.loads(read.stdout)["n_ended"] == 1
    with Serving.reopened(tmp_path) as server:
        found = list_subscribers(server.desk, server.administrator(), series)
        assert {s.email: s.state for s in found} == {
            "gone@example.net": "bounced", "here@example.net": "active",
        }  # fmt: skip


def test_subscribers_and_bounces_by_api(tmp_path):
    with Serving(tmp_path, 1) as server:
        path = f"/api/v1/series/{server.room.series.series_id}/subscribers"
        with server.api("editor", "read", "write", "publish", "admin") as api:
            made = api.post(path, json={"email": "gone@example.net"})
            assert made.status_code == 201, made.text
            assert api.post(path, json={"email": "no address"}).status_code == 422
            assert api.post("/api/v1/series/99/subscribers", json={"email": "a@b.cd"}).status_code \
                == 404  # fmt: skip
            read = api.post("/api/v1/bounces", json={"message": BOUNCE}).json()
            assert read == {"n_bounce": 1, "n_ended": 1}
            assert [s["state"] for s in api.get(path).json()] == ["bounced"]
            assert api.get("/api/v1/mailings").json() == []
            assert api.post("/api/v1/issues/99/mail").status_code == 404
        with server.api("administrator", "read", "admin") as api:
            wrong = [("smtp_security", "weak"), ("public_url", "javascript:alert(1)"),
                     ("oidc_role", "administrator"), ("oidc_issuer", "http://example.org")]  # fmt: skip
            for name, value in wrong:
                answer = api.put("/api/v1/settings", json={"name": name, "value": value})
                assert answer.status_code in (422, 502), (name, answer.text)
            given = {"name": "smtp_host", "value": "mail.example.org"}
            assert api.put("/api/v1/settings", json=given).json()["smtp_host"] == given["value"]
        with server.api("compiler", "read", "write") as api:
            assert api.get(path).status_code == 403
