"""Signing in through another house, against a small OpenID provider on a real port."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from serving import Serving

from kuaibao import accounts
from kuaibao.bulletin.desk import list_staff
from kuaibao.errors import KuaibaoError
from kuaibao.web.access import SESSION_COOKIE
from kuaibao.web.oidc import check_issuer

CLIENT, SECRET = "desk", "between the two houses"


class House:
    """Vouches for `claims` at once; `forge` may change the token before it is signed."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.signing_key, self.header = self.key, {"alg": "RS256", "kid": "one"}
        self.claims, self.forge, self.codes = {}, {}, {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                if parts.path == "/.well-known/openid-configuration":
                    self.say(outer.discovery())
                elif parts.path == "/keys":
                    self.say({"keys": [outer.key.as_dict(private=False)]})
                else:
                    query = dict(parse_qsl(parts.query))
                    code = f"code-{len(outer.codes)}"
                    outer.codes[code] = query
                    back = urlencode({"code": code, "state": query["state"]})
                    self.send_response(302)
                    self.send_header("location", f"{query['redirect_uri']}?{back}")
                    self.end_headers()

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["content-length"])).decode()
                form = dict(parse_qsl(raw))
                asked = outer.codes.pop(form.get("code", ""), None)
                digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
                proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
                is_ours = (
                    asked is not None
                    and asked["code_challenge"] == proof
                    and asked["redirect_uri"] == form.get("redirect_uri")
                    and form.get("client_secret") == SECRET
                )
                if not is_ours:
                    self.say({"error": "invalid_grant"}, 400)
                    return
                self.say({"access_token": "x", "id_token": outer.token(asked["nonce"])})

            def say(self, value, status=200):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def discovery(self):
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
        }  # fmt: skip

    def token(self, nonce):
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": int(time.time()) + 600, "nonce": nonce}
        return jwt.encode(self.header, claims | self.claims | self.forge, self.signing_key)


@pytest.fixture(scope="module")
def house():
    made = House()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def desk(tmp_path, house, monkeypatch):
    monkeypatch.setenv("KUAIBAO_OIDC_SECRET", SECRET)
    house.claims, house.forge = {"sub": "u1"}, {}
    house.signing_key, house.header = house.key, {"alg": "RS256", "kid": "one"}
    with Serving(tmp_path, 0) as server:
        root = server.administrator()
        server.desk.set_setting(root, "oidc_issuer", house.issuer)
        server.desk.set_setting(root, "oidc_client_id", CLIENT)
        yield server


def travel(server, browser, next_path="/settings"):
    """There and back as a browser goes; gives the desk's last answer."""
    away = browser.get("/oidc/start", params={"next": next_path})
    assert away.status_code == 303, away.text
    with server.reader() as outside:
        back = outside.get(away.headers["location"])
    return browser.get(back.headers["location"])


def name_of(browser):
    page = browser.get("/settings")
    return page.text if page.status_code == 200 else ""


def test_a_verified_address_links_the_account_and_the_subject_keeps_it(desk, house):
    house.claims |= {"email": "EDITOR@example.org", "email_verified": True}
    with desk.browser() as browser:
        browser.cookies.set(SESSION_COOKIE, "planted-by-somebody")
        assert house.issuer.split("//")[1].split(":")[0] in browser.get("/signin").text
        answer = travel(desk, browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert answer.cookies[SESSION_COOKIE] != "planted-by-somebody"
    house.claims = {"sub": "u1", "email": "other@example.org"}  # the address has changed since
    with desk.browser() as browser:
        travel(desk, browser)
        assert "editor" in name_of(browser)


def test_nobody_comes_in_by_an_address_that_the_house_did_not_verify(desk, house):
    house.claims |= {"email": "root@example.org", "email_verified": False}
    house.claims |= {"email": "editor@example.org"}
    with desk.browser() as browser:
        assert travel(desk, browser).status_code == 403
        assert SESSION_COOKIE not in browser.cookies


def test_a_newcomer_gets_the_role_of_the_settings_and_no_other(desk, house):
    house.claims = {"sub": "new", "email": "editor@elsewhere.example", "email_verified": True,
                    "name": "New\nPerson", "roles": ["administrator"]}  # fmt: skip
    with desk.browser() as browser:
        assert travel(desk, browser).status_code == 403
        desk.desk.set_setting(desk.administrator(), "oidc_role", "reader")
        assert travel(desk, browser, "/read").headers["location"] == "/read"
    (made,) = [p for p in list_staff(desk.desk, desk.administrator()) if "New" in p.display_name]
    assert (made.roles, made.display_name) == (("reader",), "New Person")
    assert made.name.startswith("editor-")
    with desk.desk.store.database.write() as connection:
        accounts.set_active(connection, made.person_id, False)
    with desk.browser() as browser:
        assert travel(desk, browser).status_code == 403


@pytest.mark.parametrize(
    "forge",
    [{"nonce": "another"}, {"aud": "other-app"}, {"iss": "https://evil.example"}, {"exp": 1000},
     {"aud": [CLIENT, "other"]}, {"sub": None}],
)  # fmt: skip
def test_a_token_that_was_made_for_something_else_does_not_hold(desk, house, forge):
    house.claims |= {"email": "editor@example.org", "email_verified": True}
    house.forge = forge
    with desk.browser() as browser:
        assert travel(desk, browser).status_code == 502
        assert name_of(browser) == ""


def test_a_token_signed_by_another_key_or_by_none_does_not_hold(desk, house):
    house.claims |= {"email": "editor@example.org", "email_verified": True}
    house.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    with desk.browser() as browser:
        assert travel(desk, browser).status_code == 502
    unsigned = [{"alg": "none"}, {"iss": house.issuer, "aud": CLIENT, "sub": "u1", "exp": 9e9}]
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in unsigned
    ]
    house.token = lambda nonce: f"{parts[0]}.{parts[1]}."
    try:
        with desk.browser() as browser:
            assert travel(desk, browser).status_code == 502
    finally:
        del house.token


def test_a_return_that_this_browser_did_not_ask_for_is_refused(desk, house):
    house.claims |= {"email": "editor@example.org", "email_verified": True}
    with desk.browser() as attacker, desk.reader() as outside:
        away = attacker.get("/oidc/start").headers["location"]
        back = outside.get(away).headers["location"]
    with desk.browser() as victim:
        assert victim.get(back).status_code == 403
        victim.get("/oidc/start")
        assert victim.get(back).status_code == 403
        assert victim.get("/oidc/return?state=&code=x").status_code == 403


def test_nobody_is_sent_out_of_the_desk_afterwards(desk, house):
    house.claims |= {"email": "editor@example.org", "email_verified": True}
    with desk.browser() as browser:
        assert travel(desk, browser, "//evil.example").headers["location"] == "/"
        query = parse_qs(urlsplit(browser.get("/oidc/start").headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) > 30


def test_a_desk_without_a_house_has_no_such_door(server):
    with server.browser() as browser:
        assert browser.get("/oidc/start").status_code == 404


@pytest.mark.parametrize(
    "address", ["http://login.example.org", "ftp://x", "x", "https://", "http://[", "file:///etc"]
)
def test_a_house_is_asked_by_https_alone(address):
    with pytest.raises(KuaibaoError):
        check_issuer(address)
