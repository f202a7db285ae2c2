"""Which addresses may be reached: public ones, and those that the configuration names.

The check is made on the number that is being connected to, at the moment of connecting. That one
place covers redirects, rebinding resolvers and every spelling of an address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["AddressGuard", "is_public"]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# `is_global` of Python 3.11 calls these global; each can reach what is not (RFC 6052, 3056, 4380,
# 4291, 5771, 3879), or is a tunnel whose inner address we cannot see.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7",
        "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


def is_public(address: IPAddress) -> bool:
    """The address belongs to the open internet and hides no other address inside."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


@dataclass(frozen=True)
class AddressGuard:
    """Says of a resolved address whether it may be connected to.

    Args:
        allowed: What the configuration opens besides the public internet: networks
            (`10.1.0.0/16`), addresses (`127.0.0.1`), or host names, with or without a port
            (`intranet.example`, `localhost:8080`).
    """

    allowed: tuple[str, ...] = ()
    _networks: tuple[IPNetwork, ...] = field(init=False, repr=False)
    _names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Part networks from names; a name is what cannot be read as a network."""
        networks, names = _part(self.allowed)
        object.__setattr__(self, "_networks", networks)
        object.__setattr__(self, "_names", names)

    def permits(self, host: str, port: int, address: str) -> bool:
        """A connection made for `host` may go to `address` (numeric, perhaps with a zone)."""
        try:
            number = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if is_public(number):
            return True
        if isinstance(number, ipaddress.IPv6Address) and number.ipv4_mapped is not None:
            number = number.ipv4_mapped
        name = host.lower().rstrip(".").strip("[]")
        if name in self._names or f"{name}:{port}" in self._names:
            return True
        return any(number in net for net in self._networks if net.version == number.version)


def _part(allowed: Iterable[str]) -> tuple[tuple[IPNetwork, ...], frozenset[str]]:
    networks: list[IPNetwork] = []
    names: set[str] = set()
    for text in allowed:
        try:
            networks.append(ipaddress.ip_network(text.strip().strip("[]"), strict=False))
        except ValueError:
            names.add(text.strip().lower().rstrip("."))
    return tuple(networks), frozenset(names)
