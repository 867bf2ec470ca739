"""What a user writes about a receiver over HTTP: its URL, its authority, its secret."""

import base64
from pathlib import Path

import pytest

from consumers.outputs.known import opened
from consumers.outputs.protocol import Held, OutputUnavailable
from consumers.outputs.webhook import key_of
from exchange.errors import ConfigurationError
from tests.builders import an_entry
from tests.consumers.outputs.http_receivers import http_server
from tests.consumers.outputs.pushed import secret
from tests.link.certificates import Authority

KEY = b"0123456789abcdef"


def test_tls_is_checked_against_the_authority_that_is_named(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "one"), Authority(tmp_path, "other")
    with http_server(authority.issue("receiver")) as (url, received):
        file = secret(tmp_path)
        good = opened(f"webhook:{url}/webhook-1?secret={file}&ca={authority.file}", "JPN", tmp_path)[2]
        good.write([an_entry()], Held("picture", "all", 1))
        assert len(received["webhook-1"].held) == 1
        good.close()
        bad = opened(f"webhook:{url}/webhook-2?secret={file}&ca={other.file}", "JPN", tmp_path)[2]
        with pytest.raises(OutputUnavailable, match="certificate"):
            bad.write([an_entry()], Held("picture", "all", 1))
        assert received["webhook-2"].requests == []
        bad.close()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("webhook:http://soc.example/hook?secret=FILE", "write https"),
        ("webhook:ftp://soc.example/hook?secret=FILE", "write an https URL"),
        ("webhook:https://user:word@soc.example/hook?secret=FILE", "without a user"),
        ("webhook:https://soc.example:99999/hook?secret=FILE", "Port"),
        ("webhook:https://soc.example/hook", "secret=FILE"),
        ("webhook:https://soc.example/hook?secret=/no/such/file", "cannot be read"),
        ("webhook:https://soc.example/hook?secret=FILE&ca=/no/such/file", "no PEM file"),
        ("webhook:https://soc.example/hook?secret=FILE&activity=loud", "activity=loud"),
        ("splunk:https://soc.example:8088", "token=FILE"),
        ("kvstore:https://soc.example:8089/app?token=FILE", "/APP/COLLECTION"),
        ("kvstore:https://soc.example:8089/app/a/b?token=FILE", "/APP/COLLECTION"),
        ("kvstore:https://soc.example:8089/app/a", "token=FILE"),
        ("elastic:https://soc.example:9200", "/INDEX"),
        ("elastic:https://soc.example:9200/a/b", "/INDEX"),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused_before_anything_is_sent(
    tmp_path: Path, target: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        opened(target.replace("FILE", secret(tmp_path)), "JPN", tmp_path)


def test_a_secret_is_text_or_standard_base64() -> None:
    assert key_of("plain") == b"plain"
    assert key_of(f"whsec_{base64.b64encode(KEY).decode()}") == KEY
    with pytest.raises(ConfigurationError, match="base64 must follow"):
        key_of("whsec_!")
