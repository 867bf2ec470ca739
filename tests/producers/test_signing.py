"""The key in a sensor's file: read again when it changes, so that a rotation needs no restart."""

from pathlib import Path

import pytest

from exchange.errors import ConfigurationError
from producers.signing import Sign, signing
from schemas.codec import SENSOR_REPORT, Codec
from schemas.report_signature import is_signed_by, signature_in
from schemas.signing import public_of
from tests.builders import a_report
from tests.officers import key_of, write_key

CODEC = Codec()
REPORT = CODEC.encode(SENSOR_REPORT, a_report())


def signer_of(sign: Sign | None) -> str:
    assert sign is not None
    signature = signature_in([sign(REPORT)])
    assert signature is not None
    names = ("old", "new")
    return next(name for name in names if is_signed_by(public_of(key_of(name)), CODEC, REPORT, signature))


def test_a_running_producer_signs_with_the_new_key_once_its_file_has_it(tmp_path: Path) -> None:
    file = write_key("old", tmp_path)
    sign = signing(CODEC, file)
    assert signer_of(sign) == "old"
    write_key("new", tmp_path).rename(file)
    assert signer_of(sign) == "new"


def test_a_file_that_is_gone_damaged_or_open_to_others_leaves_the_key_before(tmp_path: Path) -> None:
    file = write_key("old", tmp_path)
    sign = signing(CODEC, file)
    file.unlink()
    assert signer_of(sign) == "old"
    file.write_text("no key")
    assert signer_of(sign) == "old"
    write_key("new", tmp_path).rename(file)
    file.chmod(0o666)
    assert signer_of(sign) == "old"
    file.chmod(0o600)
    file.touch()
    assert signer_of(sign) == "new"


def test_a_producer_without_a_key_that_can_be_read_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="kakehashi sensor keygen"):
        signing(CODEC, tmp_path / "missing.key")
    assert signing(CODEC, None) is None
