"""A sensor's key in a hardware token: SoftHSM's, which implements PKCS #11 without the hardware."""

import shutil
import subprocess
from pathlib import Path

import pytest

from exchange.authority.token_key import TokenKey, TokenUri, is_token, make_token_key
from exchange.errors import ConfigurationError, Refused
from producers.signing import signing
from schemas.codec import SENSOR_REPORT, Codec
from schemas.report_signature import is_signed_by, signature_in
from schemas.signing import KEY_BYTES
from tests.builders import a_report

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
CODEC = Codec()


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URI of a key ``edge-1`` that a new token does not have yet. A process has one set of tokens: the module reads
    its settings once."""
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        pytest.skip("softhsm2 is not installed: apt-get install softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    (folder / "pin").write_text("1234\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        made = ("softhsm2-util", "--init-token", "--free", "--label", "exchange", "--pin", "1234", "--so-pin", "5678")
        subprocess.run(made, check=True, capture_output=True)
        assert len(make_token_key(TokenUri.of(uri(folder, "made-first")))) == KEY_BYTES
    return uri(folder, "edge-1")


def uri(folder: Path, name: str) -> str:
    return f"pkcs11:token=exchange;object={name}?module-path={MODULE}&pin-source=file:{folder / 'pin'}"


def test_a_wrong_pin_is_refused_by_the_token(token: str, tmp_path: Path) -> None:
    """The first one: a process logs in once, and is not asked again."""
    (tmp_path / "pin").write_text("9999")
    with pytest.raises(ConfigurationError, match="PinIncorrect"):
        TokenKey(TokenUri.of(uri(tmp_path, "edge-1")))


def test_a_key_that_is_made_in_a_token_signs_reports_and_is_never_made_twice(token: str) -> None:
    made = make_token_key(TokenUri.of(token))
    report = CODEC.encode(SENSOR_REPORT, a_report())
    assert is_token(Path(token)), "a profile and an option give it as a path"
    sign = signing(CODEC, Path(token))
    assert sign is not None
    signature = signature_in([sign(report)])
    assert signature is not None
    assert is_signed_by(made, CODEC, report, signature)
    with pytest.raises(Refused, match="has a key edge-1 already"):
        make_token_key(TokenUri.of(token))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("object=edge-1", "object=edge-9"), "edge-9"),
        (("token=exchange", "token=another"), "another"),
        ((str(MODULE), "/nowhere/module.so"), "/nowhere/module.so"),
        (("pin-source=", "pin-source=/nowhere"), "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_token_is_named(token: str, change: tuple[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        TokenKey(TokenUri.of(token.replace(*change)))


@pytest.mark.parametrize(
    "text",
    [
        "edge-1.key",
        "pkcs11:token=a;object=b",
        "pkcs11:token=a;object=b?module-path=/m&pin-value=1234",
        "pkcs11:token=a;object=b?module-path=/m&pin-source=/p&pin-value=1234",
        "pkcs11:token=;object=b?module-path=/m&pin-source=/p",
    ],
)
def test_a_uri_of_another_form_or_with_a_pin_in_it_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="named as pkcs11:token="):
        TokenUri.of(text)


def test_names_with_characters_of_their_own_are_read_as_rfc_7512_writes_them() -> None:
    found = TokenUri.of("pkcs11:token=My%20token;object=%E7%B8%81-1?module-path=/m.so&pin-source=file:/run/pin")
    assert found == TokenUri("My token", "縁-1", Path("/m.so"), Path("/run/pin"))
