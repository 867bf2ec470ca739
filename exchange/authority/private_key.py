"""A private key of an officer or a sensor on disk: one file, for its owner alone."""

import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from exchange.errors import ConfigurationError, Refused

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_key(path: Path) -> Ed25519PrivateKey:
    """A new key in a new file that only its owner can read. Raises Refused if the file exists."""
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Refused(f"{path} is there already: a key is never written over") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return private


def read_key(path: Path, made_by: str = "kakehashi officer keygen", *, group_reads: bool = False) -> Ed25519PrivateKey:
    """The key in a file; ``made_by`` is the command that makes one. Raises ConfigurationError if it is not a key, or if
    others than its owner can read it; its group may with ``group_reads``: Kubernetes mounts secrets for a group."""
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error}: `{made_by}` makes a key") from error
    if mode & (_OTHERS & ~stat.S_IRGRP if group_reads else _OTHERS):
        raise ConfigurationError(f"{path} can be read by others: chmod 600 it, and have the key replaced if it was")
    try:
        private = load_pem_private_key(text, None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{path} is no private key in PEM without a passphrase: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is no Ed25519 key: `{made_by}` makes one")
    return private
