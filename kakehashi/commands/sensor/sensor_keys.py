"""``kakehashi sensor keygen``, ``rotate``, ``revoke``, ``keys``, ``signed``: the life of a sensor's keys (ADR 64)."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange import clock
from exchange.errors import NotFound
from kakehashi.conventions import group_of
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column
from kakehashi.listing import show as listing
from kakehashi.terminal import utc
from kakehashi.times import moment, span_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.queries.signed import SignedReports
    from exchange.authority.roster import Roster
    from exchange.authority.sensor_keys import SensorKey
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings

_KEYGEN_EXAMPLES = examples(
    ("kakehashi sensor keygen --sensor edge-1 --out edge-1.key", "a key, and the entry for the nation's roster"),
)
_ROTATE_EXAMPLES = examples(
    (
        "kakehashi sensor rotate --nation GBR --sensor edge-1 --out edge-1.new.key",
        "a new key; both are valid for a week",
    ),
)
_REVOKE_EXAMPLES = examples(
    ("kakehashi sensor revoke KEY --nation GBR --sensor edge-1 --since 2026-11-29T18:00", "a key that was stolen then"),
)
_KEYS_EXAMPLES = examples(("kakehashi sensor keys --nation GBR", "whose signatures count, and until when"))
_SIGNED_EXAMPLES = examples(
    ("kakehashi sensor signed KEY --nation GBR --sensor edge-1", "what was accepted with it since it was stolen"),
    (
        "kakehashi sensor signed KEY --nation GBR --sensor edge-1 | jq -r .indicator_id | "
        "xargs -r kakehashi recall --nation GBR --key me.key --reason 'a stolen key' --",
        "an officer recalls all of it",
    ),
)
_Sensor = Annotated[str, typer.Option(help="The sensor's name, unique in its nation.")]
_Nation = Annotated[str, typer.Option(help="Whose sensor it is, for example GBR.")]
_KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, from `kakehashi sensor keys`.")]
_KEYS: Final = (
    Column("sensor", lambda row: row["sensor"], main=True),
    Column("key", lambda row: row["key_id"], main=True),
    Column("now", lambda row: row["standing"], lambda row: "" if row["standing"] == "valid" else "yellow", main=True),
    Column("from, UTC", lambda row: utc(row["from_ms"]) or "–"),
    Column("until, UTC", lambda row: utc(row["until_ms"]) or "–", main=True),
    Column("revoked since, UTC", lambda row: utc(row["revoked_ms"]) or "–"),
)
_SIGNED: Final = (
    Column("value", lambda row: row["value"], main=True),
    Column("type", lambda row: row["type"]),
    Column("reported", lambda row: str(row["reported"]), right=True),
    Column("withdrawn", lambda row: str(row["withdrawn"]), right=True),
    Column("released to", lambda row: ", ".join(row["released_to"]) or "–"),
    Column("first, UTC", lambda row: utc(row["first_ms"])),
    Column("last, UTC", lambda row: utc(row["last_ms"])),
)


def register(app: typer.Typer) -> None:
    """Add the commands to ``kakehashi sensor``."""
    sensor = group_of(app, "sensor")
    sensor.command(epilog=_KEYGEN_EXAMPLES)(keygen)
    sensor.command(epilog=_ROTATE_EXAMPLES)(rotate)
    sensor.command(epilog=_REVOKE_EXAMPLES)(revoke)
    sensor.command(epilog=_KEYS_EXAMPLES)(keys)
    sensor.command(epilog=_SIGNED_EXAMPLES)(signed)


def keygen(
    sensor: _Sensor,
    out: Annotated[Path, typer.Option(help="The new file for the private key, or a token's URI (pkcs11:…).")],
) -> None:
    """Make a sensor's first key, and print the entry for the roster. The private key is in the file alone.

    Give the producer the key first (`--sensor-key`), then enter it in the roster: from then on every report
    under this name must be signed by it.
    """
    _print([_made(sensor, out)])
    typer.echo(f"The private key is in {out}: keep it. The entry above goes into the nation's roster.", err=True)


def rotate(
    nation: _Nation,
    sensor: _Sensor,
    out: Annotated[Path, typer.Option(help="The new file for the private key, or a token's URI (pkcs11:…).")],
    overlap: Annotated[str, typer.Option(help="For how long the keys before stay valid: 12h, 7d.")] = "7d",
) -> None:
    """Make a sensor's next key, and print its entries for the roster: the new key is valid at once, the others end.

    Change the roster first, then the file that the producer signs with: a running producer reads it again. What is in
    the spool is signed when it is sent, so it never waits with an old signature.
    """
    from dataclasses import replace

    from exchange.authority.sensor_keys import KeyState

    now_ms = clock.now_ms()
    ends_ms = now_ms + span_ms(overlap, "--overlap")
    known = _keys_of(nation, sensor)
    valid = [each for each in known if each.standing(now_ms) is KeyState.VALID]
    if not valid:
        raise NotFound(
            f"{sensor} has no valid key in {nation}'s roster: `kakehashi sensor keygen --sensor {sensor} --out FILE` "
            "makes its first one"
        )
    ending = [replace(each, until_ms=min(each.until_ms or ends_ms, ends_ms)) for each in valid]
    _print([*(each for each in known if each not in valid), *ending, _made(sensor, out)])
    typer.echo(
        f"These entries replace those of {sensor} in {nation}'s roster. Then give the producer {out}, before "
        f"{utc(ends_ms)} UTC, when the keys before end.",
        err=True,
    )


def revoke(
    key: _KeyId,
    nation: _Nation,
    sensor: _Sensor,
    since: Annotated[str, typer.Option(help="Since when someone else may have it: 2h, 2026-11-29T18:00.")] = "0s",
) -> None:
    """Print a sensor's entries for the roster with a key revoked: what is signed with it since then is refused.

    Reports count by the time when the broker appended them, which the holder of a key cannot set. What was accepted
    before the roster was changed stays: `kakehashi sensor signed` lists it, for an officer to recall.
    """
    from dataclasses import replace

    revoked_ms = moment(since, "--since", clock.now_ms())
    known = _keys_of(nation, sensor)
    stolen = _key(known, nation, sensor, key)
    revoked_ms = min(revoked_ms, stolen.revoked_ms or revoked_ms)
    _print(replace(each, revoked_ms=revoked_ms) if each.key == stolen.key else each for each in known)
    typer.echo(
        f"These entries replace those of {sensor} in {nation}'s roster. Then `kakehashi sensor signed {stolen.key_id} "
        f"--nation {nation} --sensor {sensor}` lists what was accepted since {utc(revoked_ms)} UTC, and `kakehashi "
        f"sensor rotate --nation {nation} --sensor {sensor} --out FILE` makes the next key, if no other is valid "
        f"`kakehashi sensor keygen --sensor {sensor} --out FILE`.",
        err=True,
    )


def keys(nation: _Nation, as_json: AsJson = False) -> None:
    """List the keys of a nation's sensors: valid, not yet, ended or revoked, at the time of this machine."""
    now_ms = clock.now_ms()
    roster = _roster(nation)
    rows = [
        {
            "nation": nation,
            "sensor": each.sensor,
            "key_id": each.key_id,
            "standing": str(each.standing(now_ms)),
            "from_ms": each.from_ms,
            "until_ms": each.until_ms,
            "revoked_ms": each.revoked_ms,
        }
        for of_one in roster.sensors.by_sensor.values()
        for each in of_one
    ]
    listing(rows, _KEYS, as_json=as_json, empty=f"{nation}'s roster has no key of a sensor: no report must be signed.")
    required_ms = roster.sensors.required_from_ms
    if required_ms:
        typer.echo(
            f"Every sensor must sign {'since' if required_ms <= now_ms else 'from'} {utc(required_ms)} UTC.", err=True
        )


def signed(
    key: _KeyId,
    nation: _Nation,
    sensor: _Sensor,
    since: Annotated[str, typer.Option(help="Since when: 2h, a date or a time; else since its revocation.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the indicators that were accepted in reports signed with one key, and to whom they were released.

    Reports are kept for seven days. What a sensor reported earlier, with whichever key, is in the national records.
    """
    from consumers.queries.signed import signed_reports
    from kakehashi.clusters import cluster_of

    settings = _settings()
    named = _key(_keys_of(nation, sensor), nation, sensor, key)
    since_ms = moment(since, "--since", clock.now_ms()) or named.revoked_ms
    if not since_ms:
        raise typer.BadParameter(f"--since: {named.key_id} is not revoked in the roster: since when?")
    cluster = cluster_of(nation, settings, os.environ)
    found = signed_reports(cluster, sensor, named.key_id, since_ms, cluster.codec())
    listing(_rows(found, cluster, settings), _SIGNED, as_json=as_json, empty="Nothing was accepted with this key.")
    typer.echo(_summary(found, since_ms, nation, sensor), err=True)


def _rows(found: "SignedReports", cluster: "Cluster", settings: "Settings") -> "Iterator[dict[str, Any]]":
    """Each indicator, with the partners that hold a release of it now."""
    from dataclasses import asdict

    from consumers.queries.released import released_to
    from schemas.identity import key_of_id, shard_of_key

    holders: dict[str, set[str]] = {}
    if found.indicators:
        shards = {shard_of_key(key_of_id(each), settings.shards) for each in found.indicators}
        partners = settings.partners(cluster.nation)
        for partner, status in released_to(cluster, partners, sorted(shards), frozenset(found.indicators)):
            if status.released["kind"] == "content":
                holders.setdefault(status.released["id"], set()).add(partner)
    for name, each in sorted(found.indicators.items()):
        yield {**asdict(each), "released_to": sorted(holders.get(name, ()))}


def _summary(found: "SignedReports", since_ms: int, nation: str, sensor: str) -> str:
    from schemas.counting import counted

    parts = [
        f"Since {utc(since_ms)} UTC: {counted(found.accepted, 'report')} accepted, {found.refused} refused, "
        f"{found.waiting} not read yet; {counted(len(found.indicators), 'indicator')}."
    ]
    if not found.kept_from_ms or found.kept_from_ms > since_ms:
        oldest = f"before {utc(found.kept_from_ms)} UTC" if found.kept_from_ms else "of then"
        parts.append(
            f"Reports {oldest} are deleted already: `kakehashi tail --nation {nation} --no-follow --json | jq -r "
            f"'select(any(.sources[]?; .sensor == \"{sensor}\")) | .id'` lists all that {sensor} reports."
        )
    if found.indicators:
        parts.append(
            f"An officer takes them back with `kakehashi recall VALUE --nation {nation} --key KEY "
            "--reason REASON`, or `kakehashi revoke` with the same options if they are false."
        )
    return "\n".join(parts)


def _made(sensor: str, out: Path) -> "SensorKey":
    from exchange.authority.private_key import make_key
    from exchange.authority.sensor_keys import SensorKey
    from exchange.authority.token_key import TokenUri, is_token, make_token_key
    from schemas.signing import public_of

    public = make_token_key(TokenUri.of(str(out))) if is_token(out) else public_of(make_key(out))
    return SensorKey(sensor, public, clock.now_ms())


def _print(found: "Iterable[SensorKey]") -> None:
    from exchange.authority.sensor_keys import sensor_entry

    typer.echo("\n".join(sensor_entry(each) for each in found), nl=False)


def _keys_of(nation: str, sensor: str) -> "tuple[SensorKey, ...]":
    return _roster(nation).sensors.by_sensor.get(sensor, ())


def _key(known: "Iterable[SensorKey]", nation: str, sensor: str, key: str) -> "SensorKey":
    """The one of a sensor's keys whose id begins so. Raises NotFound."""
    found = [each for each in known if key and each.key_id.startswith(key.lower())]
    if len(found) != 1:
        raise NotFound(
            f"{key} is {'several keys' if found else 'no key'} of {sensor} in {nation}'s roster: "
            f"`kakehashi sensor keys --nation {nation}` lists them"
        )
    return found[0]


def _roster(nation: str) -> "Roster":
    from exchange.authority.roster import load_roster

    return load_roster(nation, _settings().officers)


def _settings() -> "Settings":
    from exchange.settings import Settings

    return Settings.from_env(os.environ)
