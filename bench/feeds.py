"""Made-up files of each format that a reader reads, of any number of records: no two records have the same values.

Addresses are of RFC 3849, names of RFC 2606. A record has the fields that its tool writes, also those that no reader
needs.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

_AT_S: Final = 1_795_000_000
_TIME: Final = "2026-11-20T08:00:00"
_GREEN: Final = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
_ALERT_IN: Final = 20
_WRITTEN: Final = 10_000  # records that are in memory at once


@dataclass(frozen=True, slots=True)
class Feed:
    """A kind of file. ``record(n)`` is the text of record n; each ``one_in``-th is an indicator, none if that is 0.

    ``share`` is how many records it has beside a file of lines, because its reader or its rival takes longer.
    """

    name: str
    reader: str
    file: str
    record: Callable[[int], str]
    before: str = ""
    between: str = "\n"
    after: str = "\n"
    one_in: int = 1
    share: float = 1.0

    def indicators(self, records: int) -> int:
        """How many of so many records are indicators."""
        return -(-records // self.one_in) if self.one_in else 0

    def write(self, folder: Path, records: int) -> Path:
        """The file, with so many records."""
        path = folder / self.file
        numbers = iter(range(records))
        with path.open("w", encoding="utf-8") as file:
            file.write(self.before)
            while part := list(islice(numbers, _WRITTEN)):
                file.write((self.between if part[0] else "") + self.between.join(map(self.record, part)))
            file.write(self.after)
        return path


def _digest(number: int) -> str:
    return blake2b(str(number).encode(), digest_size=32).hexdigest()


def _uuid(number: int, kind: int) -> str:
    return str(UUID(int=(kind << 96) + number, version=4))


def _address(number: int) -> str:
    return f"2001:db8::{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}"


def _host(number: int) -> str:
    return f"h{_digest(number)[:16]}.example.com"


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _eve(number: int, event_type: str) -> dict[str, Any]:
    """What Suricata 7 writes in each record."""
    return {
        "timestamp": f"{_TIME}.{number % 1_000_000:06}+0000",
        "flow_id": 1_000_000_000_000_000 + number,
        "in_iface": "eth0",
        "event_type": event_type,
        "src_ip": "10.1.2.3",
        "src_port": 20_000 + number % 40_000,
        "dest_ip": _address(number),
        "dest_port": 443,
        "proto": "TCP",
    }


def _eve_alert(number: int) -> str:
    alert = {
        "action": "allowed",
        "gid": 1,
        "signature_id": 2_024_000 + number % 100,
        "rev": 3,
        "signature": f"MADE UP C2 check-in {number % 100}",
        "category": "A Network Trojan was detected",
        "severity": 1,
        "metadata": {"created_at": ["2026_01_02"], "signature_severity": ["Major"]},
    }
    flow = {
        "pkts_toserver": 4,
        "pkts_toclient": 3,
        "bytes_toserver": 600,
        "bytes_toclient": 400,
        "start": f"{_TIME}.0+0000",
    }
    return _json(
        {**_eve(number, "alert"), "alert": alert, "app_proto": "failed", "direction": "to_server", "flow": flow}
    )


def _eve_other(number: int) -> str:
    if number % 2:
        query = {
            "version": 2,
            "type": "query",
            "id": number % 65_536,
            "rrname": _host(number),
            "rrtype": "A",
            "tx_id": 0,
        }
        return _json({**_eve(number, "dns"), "pkt_src": "wire/pcap", "dns": query})
    flow: dict[str, Any] = {
        "pkts_toserver": 10,
        "pkts_toclient": 12,
        "bytes_toserver": 1500,
        "bytes_toclient": 9000,
        "age": 3,
    }
    flow |= {"start": f"{_TIME}.0+0000", "end": f"{_TIME}.5+0000", "state": "closed", "reason": "timeout"}
    tcp = {"tcp_flags": "1b", "tcp_flags_ts": "1b", "tcp_flags_tc": "1b", "syn": True, "fin": True, "state": "closed"}
    return _json({**_eve(number, "flow"), "app_proto": "tls", "flow": flow, "tcp": tcp})


def _eve_mixed(number: int) -> str:
    return _eve_other(number) if number % _ALERT_IN else _eve_alert(number)


def _zeek_header(log: str, fields: str, types: str) -> str:
    start = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    opened = f"#path\t{log}\n#open\t2026-11-20-08-00-00\n"
    return (
        start + opened + "\t".join(["#fields", *fields.split()]) + "\n" + "\t".join(["#types", *types.split()]) + "\n"
    )


_DNS: Final = _zeek_header(
    "dns",
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id query qclass qclass_name qtype qtype_name rcode "
    "rcode_name AA TC RD RA Z answers TTLs rejected",
    "time string addr port addr port enum count string count string count string count string bool bool bool bool "
    "count vector[string] vector[interval] bool",
)
_NOTICE: Final = _zeek_header(
    "notice",
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p fuid proto note msg sub src dst p n peer_descr actions "
    "suppress_for",
    "time string addr port addr port string enum enum string string addr addr port count string set[enum] interval",
)
_CLOSE: Final = "\n#close\t2026-11-20-09-00-00\n"


def _zeek_dns(number: int) -> str:
    ends = f"10.1.2.3\t{20_000 + number % 40_000}\t10.1.2.1\t53\tudp\t{number % 65_536}"
    answer = f"1\tC_INTERNET\t28\tAAAA\t0\tNOERROR\tF\tF\tT\tT\t0\t{_address(number)}\t60.000000\tF"
    return f"{_AT_S}.{number % 1_000_000:06}\tC{_digest(number)[:16]}\t{ends}\t{_host(number)}\t{answer}"


def _zeek_notice(number: int) -> str:
    other = _address(number)
    ends = f"10.1.2.3\t{20_000 + number % 40_000}\t{other}\t443\t-\ttcp"
    note = f"Signatures::Sensitive_Signature\tmade up {number % 100}\t-\t10.1.2.3\t{other}\t443"
    rest = "-\tzeek\tNotice::ACTION_LOG\t3600.000000"
    return f"{_AT_S}.{number % 1_000_000:06}\tC{_digest(number)[:16]}\t{ends}\t{note}\t{rest}"


def _csv(number: int) -> str:
    kind, value = (("domain", _host(number)), ("url", f"https://{_host(number)}/a"), ("sha256", _digest(number)))[
        number % 3
    ]
    return f"2026-11-20 08:{number // 60 % 60:02}:{number % 60:02},{kind},{value},TLP:GREEN,{50 + number % 50},made-up"


def _list(number: int) -> str:
    return _host(number) if number % 2 else _address(number)


def _fast(number: int) -> str:
    rule = f"[**] [1:{2_024_000 + number % 100}:3] MADE UP check-in [**] [Classification: Misc Attack] [Priority: 1]"
    ends = f"10.1.2.3:{20_000 + number % 40_000} -> {_address(number)}:443"
    return f"11/20/2026-08:00:00.{number % 1_000_000:06}  {rule} {{TCP}} {ends}"


def _released(number: int) -> str:
    marking = {"tlp": "TLP:GREEN", "pap": "", "releasable_to": ["FRA", "GBR"], "caveats": []}
    at_ms = _AT_S * 1000
    times = {
        "first_seen_ms": at_ms,
        "last_seen_ms": at_ms,
        "sightings": 2,
        "valid_until_ms": 0,
        "release_expires_ms": 0,
    }
    identity = {"state": "live", "id": f"indicator--{_uuid(number, 1)}", "kind": "content", "version": at_ms}
    about = {"origin": "DEU", "type": "domain-name", "value": _host(number), "marking": marking, "confidence": 60}
    return json.dumps({**identity, **about, "labels": ["c2"], **times, "received_ms": at_ms})


def _misp(number: int) -> str:
    attribute = {"uuid": _uuid(number, 2), "type": "domain", "category": "Network activity", "to_ids": True}
    more = {
        "timestamp": str(_AT_S),
        "distribution": "5",
        "comment": "made up",
        "deleted": False,
        "value": _host(number),
    }
    return json.dumps(attribute | more)


def _stix(number: int) -> str:
    identity = {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{_uuid(number, 3)}"}
    times = {"created": f"{_TIME}.000Z", "modified": f"{_TIME}.000Z", "valid_from": f"{_TIME}Z"}
    pattern = {"pattern_type": "stix", "pattern": f"[domain-name:value = '{_host(number)}']"}
    return json.dumps({**identity, **times, **pattern, "object_marking_refs": [_GREEN]})


def _openioc(number: int) -> str:
    context = '<Context document="DnsEntryItem" search="DnsEntryItem/Host" type="mir"/>'
    content = f'<Content type="string">{_host(number)}</Content>'
    return f'<IndicatorItem id="{_uuid(number, 4)}" condition="is">{context}{content}</IndicatorItem>'


def _prose(number: int) -> str:
    host = _host(number).replace(".", "[.]")
    return f"On day {number} of the made-up campaign the implant called hxxp://{host}/gate.php over port 443."


_IOC: Final = (
    '<?xml version="1.0"?>\n<ioc xmlns="http://schemas.mandiant.com/2010/ioc" '
    'id="6a1f0001-0000-4000-8000-00000000000a" last-modified="2026-11-20T08:00:00Z">'
    '<short_description>made up</short_description>\n<definition><Indicator operator="OR">\n'
)
_EVENT: Final = (
    '{"Event": {"uuid": "6a1f0001-0000-4000-8000-000000000001", "info": "made up", "date": "2026-11-20", '
    '"analysis": "2", "threat_level_id": "2", "timestamp": "1795000000", "published": true, "distribution": "3", '
    '"Tag": [{"name": "tlp:green"}], "Attribute": [\n'
)
_BUNDLE: Final = '{"type": "bundle", "id": "bundle--5d1b6f3e-0000-4000-8000-000000000001", "objects": [\n'

FEEDS: Final = (
    Feed("EVE, one alert in 20", "suricata-eve", "eve.json", _eve_mixed, one_in=_ALERT_IN),
    Feed("EVE, alerts alone", "suricata-eve", "alerts.json", _eve_alert, share=0.3),
    Feed("fast.log", "suricata-fast", "fast.log", _fast, share=0.3),
    Feed("Zeek dns.log", "zeek-log", "dns.log", _zeek_dns, _DNS, after=_CLOSE, one_in=0),
    Feed("Zeek notice.log", "zeek-log", "notice.log", _zeek_notice, _NOTICE, after=_CLOSE, share=0.3),
    Feed("CSV", "csv-list", "feed.csv", _csv, "first_seen,type,value,tlp,confidence,tags\n"),
    Feed("list of values", "txt-list", "list.txt", _list),
    Feed("released indicators", "released-indicator", "released.jsonl", _released, share=0.2),
    Feed("MISP event", "misp-event", "event.json", _misp, _EVENT, ",\n", "]}}\n", share=0.05),
    Feed("STIX bundle", "stix-bundle", "bundle.json", _stix, _BUNDLE, ",\n", "]}\n", share=0.03),
    Feed("OpenIOC", "openioc", "apt.ioc", _openioc, _IOC, after="</Indicator></definition></ioc>\n", share=0.05),
    Feed("report in prose", "prose-report", "report.md", _prose, "# Made up\n\n", share=0.05),
)
