"""Loads scripts of nftables in a network namespace: ``unshare --map-root-user --net python -m … SCRIPT…``.

After each it prints, as a line of JSON, the elements of the sets in the kernel, and whether a connection from each of
some addresses of this machine comes through the rules that ``docs/outputs/lists.md`` has.
"""

import json
import socket
import subprocess
import sys
from typing import Any

ADDRESSES = ("192.0.2.7", "198.51.100.7", "2001:db8::7")
_RULES = """
add chain inet kakehashi input { type filter hook input priority -10; }
add rule inet kakehashi input ip saddr @blocked4 drop
add rule inet kakehashi input ip6 saddr @blocked6 drop
"""
_GIVES_UP_S = 0.3


def main() -> None:
    """Load one after the other."""
    _call("ip", "link", "set", "lo", "up")
    for address in ADDRESSES:
        _call("ip", "addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
    for number, script in enumerate(sys.argv[1:]):
        _call("nft", "-f", script)
        if number == 0:
            subprocess.run(["nft", "-f", "-"], input=_RULES, text=True, check=True)
        reached = [address for address in ADDRESSES if _comes_through(address)]
        sys.stdout.write(json.dumps({"elements": _elements(), "reached": reached}) + "\n")


def _elements() -> list[str]:
    ruleset = json.loads(_call("nft", "-j", "list", "ruleset"))["nftables"]
    sets = (each["set"].get("elem", []) for each in ruleset if "set" in each)
    return sorted(_text(element) for elements in sets for element in elements)


def _text(element: Any) -> str:
    if isinstance(element, str):
        return element
    return f"{element['prefix']['addr']}/{element['prefix']['len']}"


def _comes_through(source: str) -> bool:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.create_server((source, 0), family=family) as server:
        try:
            socket.create_connection(server.getsockname()[:2], _GIVES_UP_S, (source, 0)).close()
        except TimeoutError:
            return False
    return True


def _call(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
