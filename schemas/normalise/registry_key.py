r"""Keys of the Windows registry: the hive in full and in capitals, the rest in lower case.

- STIX 2.1, section 6.17: the hive must not be shortened; ``HKLM``, PowerShell's ``HKLM:``, the kernel's
  ``\REGISTRY\MACHINE`` and regedit's ``Computer\HKEY_LOCAL_MACHINE`` are ``HKEY_LOCAL_MACHINE``.
- Windows compares keys without case (Microsoft, "Structure of the Registry"), so one key has one spelling. Only a
  letter whose lower case has no other capital is folded: two keys never become one.
- An account's hive is ``HKEY_CURRENT_USER``, which is a link to it (Microsoft, "Predefined Keys"): the SID in
  ``HKEY_USERS\S-1-5-21-…`` names a person, and is another one on each machine.
- A name has at most 255 characters and is not empty (Microsoft, "Registry element size limits").
"""

import re
from typing import Final

from schemas.normalise.invalid import MAX_VALUE_LENGTH, TOO_LONG, Canonical, Invalid, refused
from schemas.normalise.tidy import tidied
from schemas.vocabulary import IndicatorType

MAX_NAME: Final = 255
_USERS: Final = "HKEY_USERS"
_CURRENT_USER: Final = "HKEY_CURRENT_USER"
_HIVES: Final = {
    **dict.fromkeys(("HKLM", "HKEY_LOCAL_MACHINE", "MACHINE"), "HKEY_LOCAL_MACHINE"),
    **dict.fromkeys(("HKCU", _CURRENT_USER), _CURRENT_USER),
    **dict.fromkeys(("HKCR", "HKEY_CLASSES_ROOT"), "HKEY_CLASSES_ROOT"),
    **dict.fromkeys(("HKU", _USERS, "USER"), _USERS),
    **dict.fromkeys(("HKCC", "HKEY_CURRENT_CONFIG"), "HKEY_CURRENT_CONFIG"),
}
_KERNEL: Final = frozenset({"MACHINE", "USER"})
_BEFORE: Final = re.compile(r"(?:registry::|computer\\)+", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"s-1-(?:5-21|12-1)-\d+-\d+-\d+-\d+(_classes)?")
_NO_KEY: Final = refused(r"no key of the registry: it begins with a hive, such as HKLM\ or HKEY_LOCAL_MACHINE\ ")
_HIVE: Final = refused("this is a whole hive: name the key in it")
_NAME: Final = refused(f"a name in the key has more than {MAX_NAME} characters")


def canonical_registry_key(value: str) -> Canonical | Invalid:
    """The key with its hive in full."""
    text = tidied(value)
    if isinstance(text, Invalid):
        return text
    before = _BEFORE.match(text)
    names = [name for name in text[before.end() if before else 0 :].split("\\") if name]
    is_kernels = len(names) > 1 and text.startswith("\\") and names[0].upper() == "REGISTRY"
    names = names[1:] if is_kernels else names
    word = names[0].upper().removesuffix(":") if names else ""
    hive = _HIVES.get(word)
    if hive is None or (word in _KERNEL) is not is_kernels:
        return _NO_KEY
    keys = [_folded(name) for name in names[1:]]
    if hive == _USERS and keys and (account := _ACCOUNT.fullmatch(keys[0])):
        hive, keys = _CURRENT_USER, [*(("software", "classes") if account[1] else ()), *keys[1:]]
    if not keys or any(not name.strip() for name in keys):
        return _HIVE
    if any(len(name) > MAX_NAME for name in keys):
        return _NAME
    key = "\\".join([hive, *keys]).rstrip()
    return (IndicatorType.REGISTRY_KEY, key) if len(key) <= MAX_VALUE_LENGTH else TOO_LONG


def _folded(name: str) -> str:
    if name.isascii():
        return name.lower()
    return "".join(low if (low := letter.lower()).upper() == letter and len(low) == 1 else letter for letter in name)
