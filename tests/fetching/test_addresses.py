"""No way leads from outside to this machine or its neighbours."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaibao.fetching import (
    AddressGuard,
    Fetcher,
    FetchError,
    FetchSettings,
    RefusedAddressError,
    UnreachableError,
    is_public,
)

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "100::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"]
SPELLINGS = [
    "http://127.0.0.1/", "http://127.1/", "http://0x7f.0.0.1/", "http://0x7f000001/", "http://2130706433/",
    "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://0/", "http://localhost/", "http://localhost./", "http://LOCALHOST:80/", "http://[::]/",
    "http://user:pass@127.0.0.1/", "http://１２７.０.０.１/", "http://[fe80::1%25lo]/",
    "http://169.254.169.254/latest/meta-data/",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_public_is_not_reached(text):
    assert not is_public(ipaddress.ip_address(text))
    assert not AddressGuard().permits("name.example", 80, text)


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_reached(text):
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_a_number_hidden_in_a_longer_one_gains_nothing(address):
    if not is_public(address):
        for form in ("::ffff:{}", "64:ff9b::{}", "::{}"):
            assert not is_public(ipaddress.ip_address(form.format(address)))
        packed = int(address)
        six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (packed << 80))
        assert not is_public(six_to_four)


@pytest.mark.parametrize("url", SPELLINGS)
def test_every_spelling_of_this_machine_is_refused(url):
    with Fetcher(FetchSettings(interval_s=0, n_retry=0)) as fetcher:
        with pytest.raises((RefusedAddressError, UnreachableError)):
            fetcher.get(url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://e.org/", "gopher://e.org/", "data:,x", "//e.org", "", "http://", "http:///x",
            "http://[::1", "http://e.org:99999/", "unix:///x", "javascript:1"],
)  # fmt: skip
def test_only_http_leaves(url):
    with Fetcher(FetchSettings(interval_s=0, n_retry=0)) as fetcher:
        with pytest.raises(RefusedAddressError):
            fetcher.get(url)


def test_a_name_that_means_this_machine_is_refused_before_connecting(site):
    settings = FetchSettings(interval_s=0, n_retry=0)
    with Fetcher(settings, resolver=lambda host, port: ["127.0.0.1"]) as fetcher:
        with pytest.raises(RefusedAddressError):
            fetcher.get(f"http://inside.example:{site.port}/")
    assert site.log == []


def test_a_resolver_that_changes_its_mind_is_asked_once(site):
    """Rebinding: the number that was checked is the number that is connected to."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked = []

    def resolver(host, port):
        asked.append(host)
        return answers[min(len(asked) - 1, 1)]

    with Fetcher(FetchSettings(interval_s=0, n_retry=0, total_s=5), resolver=resolver) as fetcher:
        with pytest.raises(FetchError):  # tests cannot reach the public number
            fetcher.get(f"http://rebind.example:{site.port}/")
        assert asked == ["rebind.example"]
        with pytest.raises(RefusedAddressError):
            fetcher.get(f"http://rebind.example:{site.port}/")
    assert site.log == []


def test_a_redirect_inside_is_refused(site, other_site):
    site.answers["/r"] = (302, {"Location": f"http://127.0.0.2:{other_site.port}/"}, b"")
    settings = FetchSettings(interval_s=0, allowed_addresses=(f"127.0.0.1:{site.port}",))
    with Fetcher(settings) as fetcher, pytest.raises(RefusedAddressError):
        fetcher.get(f"{site.url}/r")
    assert other_site.log == []


def test_one_private_number_among_public_ones_is_not_used():
    guard = AddressGuard()
    assert [a for a in ("1.1.1.1", "127.0.0.1") if guard.permits("x", 80, a)] == ["1.1.1.1"]


def test_the_configuration_can_open_a_network_an_address_or_a_name():
    guard = AddressGuard(("10.1.0.0/16", "192.168.0.5", "intranet.example:8080", "fd00::/8"))
    assert guard.permits("a", 80, "10.1.2.3")
    assert guard.permits("a", 80, "::ffff:10.1.2.3")
    assert not guard.permits("a", 80, "10.2.0.1")
    assert guard.permits("a", 80, "192.168.0.5")
    assert guard.permits("Intranet.Example.", 8080, "127.0.0.1")
    assert not guard.permits("intranet.example", 80, "127.0.0.1")
    assert guard.permits("a", 80, "fd00::1")
