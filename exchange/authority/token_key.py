"""A private key that never leaves its hardware token: PKCS #11 3.0 with ``CKM_EDDSA``, named by a URI (RFC 7512).

``pkcs11:token=LABEL;object=NAME?module-path=/usr/lib/…/libsofthsm2.so&pin-source=/run/secrets/pin``

The library is loaded when a token is named, and not before: it is an extra of the package (``kakehashi[pkcs11]``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.errors import ConfigurationError, Refused
from schemas.signing import KEY_BYTES

SCHEME: Final = "pkcs11:"
_EDWARDS25519: Final = bytes.fromhex("06032b6570")  # the object identifier 1.3.101.112 (RFC 8410), in DER
_NEEDED: Final = ("token", "object", "module-path", "pin-source")
_FORM: Final = f"{SCHEME}token=LABEL;object=NAME?module-path=FILE&pin-source=FILE"
_Result = TypeVar("_Result")


def is_token(place: Path | str) -> bool:
    """Whether a key's location is a token's URI and not a file."""
    return str(place).startswith(SCHEME)


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Which key of which token, the file of the module that speaks to it, and the file with the user's PIN."""

    token: str
    name: str
    module: Path
    pin: Path

    @classmethod
    def of(cls, text: str) -> Self:
        """The URI in this text. Raises ConfigurationError for another form, and for a PIN in the URI itself, which a
        list of processes would show."""
        path, _, query = text.removeprefix(SCHEME).partition("?")
        parts = [each.partition("=") for each in (*path.split(";"), *query.split("&")) if each]
        found = {name: unquote(value) for name, _, value in parts}
        if not is_token(text) or set(found) != set(_NEEDED) or not all(found.values()):
            raise ConfigurationError(f"a key in a token is named as {_FORM}, and by nothing else: correct it")
        module, pin = (Path(found[name].removeprefix("file:")) for name in ("module-path", "pin-source"))
        return cls(found["token"], found["object"], module, pin)


class TokenKey:
    """An Ed25519 key in a token. It signs as ``cryptography``'s private keys do. One thread uses it."""

    def __init__(self, uri: TokenUri) -> None:
        """Open it. Raises ConfigurationError if the module, the token, the PIN or the key is not what it should be."""
        _check_library()
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

        session = _session(uri, writes=False)

        def found(kind: ObjectClass) -> Any:
            return session.get_key(object_class=kind, key_type=KeyType.EC_EDWARDS, label=uri.name)

        self._uri, self._mechanism = uri, Mechanism.EDDSA
        try:
            self._private = _asked(uri, lambda: found(ObjectClass.PRIVATE_KEY))
            point = _asked(uri, lambda: found(ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT])
        except ConfigurationError:
            session.close()
            raise
        self._public = Ed25519PublicKey.from_public_bytes(_raw(point))

    def sign(self, data: bytes, /) -> bytes:
        """The signature over ``data``. Raises ConfigurationError if the token does not make one."""
        return _asked(self._uri, lambda: bytes(self._private.sign(data, mechanism=self._mechanism)))

    def public_key(self) -> Ed25519PublicKey:
        """The public key that belongs to it."""
        return self._public


def make_token_key(uri: TokenUri) -> bytes:
    """A new key in the token, which cannot be read from it; its public key. Raises Refused if there is one of this
    name."""
    _check_library()
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

    session = _session(uri, writes=True)
    secret = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}

    def known() -> list[Any]:
        return list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: uri.name}))

    def make() -> bytes:
        curve = {Attribute.EC_PARAMS: _EDWARDS25519}
        parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
        public, _ = parameters.generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label=uri.name, private_template=secret
        )
        return _raw(public[Attribute.EC_POINT])

    try:
        if _asked(uri, known):
            raise Refused(f"the token {uri.token} has a key {uri.name} already: a key is never written over")
        return _asked(uri, make)
    finally:
        session.close()


def _raw(point: bytes) -> bytes:
    """The public key of an ``EC_POINT``: an octet string in DER, or its content alone."""
    return bytes(point)[-KEY_BYTES:]


def _check_library() -> None:
    if find_spec("pkcs11") is None:
        raise ConfigurationError("a key in a token needs python-pkcs11: pip install 'kakehashi[pkcs11]'")


def _session(uri: TokenUri, *, writes: bool) -> Any:
    import pkcs11

    try:
        pin = uri.pin.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"pin-source {uri.pin} cannot be read: {error}") from error

    def opened() -> Any:
        token = pkcs11.lib(str(uri.module)).get_token(token_label=uri.token)
        try:
            return token.open(rw=writes, user_pin=pin)
        except pkcs11.UserAlreadyLoggedIn:  # a process logs in once, whatever the number of its sessions
            return token.open(rw=writes)

    return _asked(uri, opened)


def _asked(uri: TokenUri, what: Callable[[], _Result]) -> _Result:
    """The token's answer. Its library raises its own errors, and RuntimeError if the module cannot be loaded."""
    import pkcs11

    try:
        return what()
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        why = f"{type(error).__name__} {error}".strip()
        raise ConfigurationError(
            f"the key {uri.name} of the token {uri.token}, by {uri.module}: {why}: check the module, the token's "
            "label, the PIN and the key's name"
        ) from error
