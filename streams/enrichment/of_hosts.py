r"""User agents, mutexes, registry keys and imphashes that harmless machines have: as an indicator, one hits them all.

- A user agent of which each part is a browser's own, or that is a common tool's (its form: RFC 9110, section 10.1.5).
- Mutexes that Windows and its libraries make in every process.
- Keys that hold automatically started programs: a key or value in them is bad, not they (MITRE ATT&CK T1547.001).
- The imphash of programs that import the .NET runtime alone, and of those that import nothing.

Mutexes and user agents are compared with their case, which counts for them.
"""

import hashlib
import re
from typing import Final

from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

NAME: Final = "well-known-of-hosts"
_PLATFORM: Final = (
    r"\((?:Windows|Macintosh|X11|Wayland|Linux|Android|iPhone|iPad|iPod|Mobile|Tablet|CrOS|compatible; MSIE)\b[^()]*\)"
)
_ENGINES: Final = (
    *("AppleWebKit", "Chrome", "CriOS", "Edg", "EdgA", "EdgiOS", "Edge", "Firefox", "FxiOS", "Gecko", "Mobile", "OPR"),
    *("Safari", "SamsungBrowser", "Version"),
)
_BROWSER: Final = (
    rf"Mozilla/[45]\.0(?: {_PLATFORM})?"
    rf"(?: (?:{'|'.join(_ENGINES)})/[\w.+-]+| \(KHTML, like Gecko\)| like Gecko| Mobile)*"
)
_TOOL: Final = (
    r"(?:curl|Wget|python-requests|python-urllib3|Python-urllib|Go-http-client|okhttp|Java|axios|libwww-perl|aria2"
    r"|PostmanRuntime|Apache-HttpClient|Microsoft-CryptoAPI|Microsoft BITS|Microsoft NCSI|Windows-Update-Agent"
    r"|Microsoft-WNS|Dalvik|VLC|git)(?:/[\w.+-]+)?(?: \([^()]*\))?"
)
_AGENT: Final = re.compile(f"{_BROWSER}|{_TOOL}")
_MUTEXES: Final = frozenset(
    {
        *("_!MSFTHISTORY!_", "ZonesCounterMutex", "ZonesCacheCounterMutex", "ZonesLockedCacheCounterMutex"),
        *("RasPbFile", "WininetStartupMutex", "WininetConnectionMutex", "WininetProxyRegistryMutex", "DBWinMutex"),
        *("ShimCacheMutex", "SHIMLIB_LOG_MUTEX", "MSCTF.Asm.MutexDefault1", "CicLoadWinStaWinSta0", "__?_SHUT_MUTEX"),
        *("Global\\_MSIExecute", "Global\\RasPbFile", "Global\\.net clr networking", "Global\\CLR_PerfMon_WrapMutex"),
        *("Global\\CLR_CASOFF_MUTEX", "Global\\ADAP_WMI_ENTRY", "Global\\RefreshRA_Mutex", "Global\\MTX_MSO_Formal1"),
    }
)
_STARTING: Final = (
    *("run", "runonce", "runonceex", "runservices", "policies\\explorer\\run", "explorer\\shell folders"),
    *("explorer\\user shell folders", "policies\\explorer", "policies\\system", "internet settings", "uninstall"),
)
_OF_SYSTEM: Final = (
    *("software\\microsoft\\windows nt\\currentversion\\winlogon", "software\\microsoft\\windows nt\\currentversion"),
    "software\\microsoft\\windows nt\\currentversion\\image file execution options",
    *("system\\currentcontrolset\\services", "system\\currentcontrolset\\control\\session manager"),
    *(
        "software\\microsoft\\windows\\currentversion",
        "software\\microsoft\\windows",
        "software\\microsoft",
        "software",
    ),
    *(
        "software\\classes",
        "software\\policies",
        "system",
        "system\\currentcontrolset",
        "sam",
        "security",
        "environment",
    ),
)
_KEYS: Final = frozenset(
    f"{hive}\\{key}"
    for hive in ("HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER")
    for key in (
        *_OF_SYSTEM,
        *(f"software\\microsoft\\windows\\currentversion\\{key}" for key in _STARTING),
        *(f"software\\wow6432node\\microsoft\\windows\\currentversion\\{key}" for key in _STARTING),
    )
)
_IMPHASHES: Final = frozenset(
    {
        "f34d5f2d4577ed6d9ceec516c1f5a744",  # mscoree.dll: _CorExeMain, of every program of .NET
        "dae02f32a21e03ce65412f6e56942daa",  # mscoree.dll: _CorDllMain, of every library of .NET
        hashlib.md5(usedforsecurity=False).hexdigest(),  # no imports
    }
)
_KNOWN: Final = {
    IndicatorType.MUTEX: _MUTEXES,
    IndicatorType.REGISTRY_KEY: _KEYS,
    IndicatorType.IMPHASH: _IMPHASHES,
}
TYPES: Final = frozenset({IndicatorType.USER_AGENT, *_KNOWN})
VERSION: Final = hashlib.sha256(
    "\n".join([_AGENT.pattern, *(value for known in _KNOWN.values() for value in sorted(known))]).encode()
).hexdigest()[:16]
ACTIVITY: Final = Activity.PASSIVE_LOCAL


def is_well_known(kind: IndicatorType, value: str) -> bool:
    """Whether a canonical value of one of these types is one that harmless machines have."""
    return bool(_AGENT.fullmatch(value)) if kind is IndicatorType.USER_AGENT else value in _KNOWN[kind]
