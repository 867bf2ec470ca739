"""``kakehashi conformance``: whether a feed meets the joint standard, and whether a report of that is genuine."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange.errors import ConfigurationError, Exit
from kakehashi.conventions import DefaultGroup, one_of
from kakehashi.examples import examples
from kakehashi.listing import TextAsJson

if TYPE_CHECKING:
    from exchange.settings import Settings
    from kakehashi.conformance.of_topic import Published
    from producers.conformance.report import Signed
    from schemas.signing import Signer

_EXAMPLES = examples(
    ("kakehashi conformance check feed.csv --profile energy --tlp TLP:GREEN", "a feed before it is published"),
    (
        "kakehashi conformance --topic sensor.reports.v1 --nation GBR --sensor edge-1 --profile energy",
        "what a sensor has published",
    ),
    (
        "kakehashi conformance list.txt --topic sensor.reports.v1 --nation GBR --sensor lists --profile technology",
        "the source's list beside it",
    ),
    (
        "kakehashi conformance feed.csv --profile energy --incident ransomware --html report.html --sign-key b.key",
        "a signed page for the regulator",
    ),
)
_VERIFY_EXAMPLES = examples(
    ("kakehashi conformance verify report.html feed.csv --nation GBR", "is it genuine, and of this feed?"),
)
_READING = "How files are read"
_REPORT = "The report"


class _Group(DefaultGroup):
    default = "check"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    conformance = typer.Typer(
        cls=_Group, help="Check a feed against the joint standard; verify a report.", no_args_is_help=True
    )
    app.add_typer(conformance, name="conformance", rich_help_panel="Looking")
    conformance.command(epilog=_EXAMPLES)(check)
    conformance.command(epilog=_VERIFY_EXAMPLES)(verify)


def check(
    profile: Annotated[str, typer.Option(help="energy, technology, or a profile's YAML file.")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="The feed's files; - is standard input.")
    ] = None,
    incident: Annotated[
        str, typer.Option(help="The kind of incident: ransomware, data-theft. Without it the strictest of all.")
    ] = "",
    topic: Annotated[
        str, typer.Option(help="Judge what was published: sensor.reports.v1. Files are its source's list then.")
    ] = "",
    nation: Annotated[str, typer.Option(help="Whose sensor it is: GBR, JPN.")] = "",
    sensor: Annotated[str, typer.Option(help="The sensor's name.")] = "",
    sensor_profile: Annotated[
        Path | None,
        typer.Option(
            help="The sensor's profile: its settings, and its files if none is named.", rich_help_panel=_READING
        ),
    ] = None,
    format: Annotated[
        str, typer.Option(metavar="FORMAT", help="The format; see produce --formats.", rich_help_panel=_READING)
    ] = "auto",
    encoding: Annotated[str, typer.Option(help="If it is not UTF-8.", rich_help_panel=_READING)] = "utf-8",
    tlp: Annotated[str, typer.Option(help="The TLP label of what states none.", rich_help_panel=_READING)] = "",
    home_net: Annotated[
        list[str] | None, typer.Option(help="A network that is ours; repeat it.", rich_help_panel=_READING)
    ] = None,
    aware_at: Annotated[
        str, typer.Option(help="When the operator became aware of the incident: 2026-11-29T18:00, 3h.")
    ] = "",
    ransom_paid_at: Annotated[str, typer.Option(help="When a ransom was paid.")] = "",
    sign_key: Annotated[
        Path | None,
        typer.Option(
            help="The key of a sensor or officer, to sign: a file, or a token's URI (pkcs11:…).",
            rich_help_panel=_REPORT,
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page here.", rich_help_panel=_REPORT)] = None,
    lang: Annotated[str, typer.Option(help="en or ja.", rich_help_panel=_REPORT)] = "en",
    show_values: Annotated[
        bool,
        typer.Option(
            "--show-values",
            help="Show values of examples, up to TLP:AMBER; else their positions only.",
            rich_help_panel=_REPORT,
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 also if a must cannot be judged from this input.")
    ] = False,
    as_json: TextAsJson = False,
) -> None:
    """Check a feed against the joint standard. Nothing is sent. Exit code 4 if a must is not met, or not shown.

    `--json` prints the report as one line. A file shows what a feed states; whether it came in time, was signed and
    complete is shown by what was published: `--topic`.
    """
    from exchange.clock import now_ms
    from kakehashi.conformance.reading import reading_of
    from kakehashi.conformance.run import Asked, judged
    from kakehashi.conformance.words import LANGUAGES
    from kakehashi.times import moment
    from producers.conformance.profile import Starts, valid_profile
    from producers.conformance.report import signed
    from producers.conformance.standard import standard
    from producers.profile.options import plans_of

    settings, at_ms = _settings(), now_ms()
    one_of("--lang", lang, LANGUAGES)
    rules, digest = valid_profile(profile, standard())
    if incident:
        one_of("--incident", incident, [each.name for each in rules.incidents])
    private = _private(sign_key)
    reading = reading_of(
        files or [],
        sensor_profile,
        settings,
        nation,
        sensor,
        format,
        encoding,
        tlp,
        home_net or [],
        beside_topic=bool(topic),
    )
    is_named = sensor_profile is not None
    nation, sensor = (nation or reading.nation, sensor or reading.sensor) if is_named else (nation, sensor)
    published = _published(topic, nation, sensor, settings) if topic else None
    if published is None and not reading.inputs:
        raise typer.BadParameter("name the feed's files, or --topic for what was published")
    starts = {
        Starts.AWARE: moment(aware_at, "--aware-at", at_ms),
        Starts.RANSOM_PAID: moment(ransom_paid_at, "--ransom-paid-at", at_ms),
    }
    asked = Asked(
        standard=standard(),
        profile=rules,
        profile_digest=digest,
        incident=incident,
        now_ms=at_ms,
        nation=nation,
        sensor=sensor,
        runs=tuple(plan.options for plan in plans_of(reading, settings.nations)) if reading.inputs else (),
        published=published,
        settings=reading,
        starts=starts,
        values=show_values,
    )
    found = signed(judged(asked), private)
    _write(found, html, lang, as_json=as_json)
    raise typer.Exit(_exit_code(found, strict=strict))


def verify(
    report: Annotated[Path, typer.Argument(help="The report: its page, or its JSON.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="The feed's files.")] = None,
    nation: Annotated[str, typer.Option(help="Whose roster knows the key, and whose topic it is.")] = "",
    topic: Annotated[str, typer.Option(help="Compare with what is published: sensor.reports.v1.")] = "",
    sensor: Annotated[str, typer.Option(help="The sensor of --topic.")] = "",
    public_key: Annotated[str, typer.Option(help="The key that must have signed: ed25519:…, as a roster has it.")] = "",
    as_json: TextAsJson = False,
) -> None:
    """Check a report's signature, that its page shows what it states, and that the feed is the one that was checked.

    Exit code 4 if any of it is not so.
    """
    from exchange.authority.fields import key_of
    from exchange.authority.roster import Roster, load_roster
    from kakehashi.conformance.verify import verified
    from kakehashi.listing import write_line
    from producers.conformance.standard import standard

    settings = _settings()
    key = key_of(public_key) if public_key else None
    if public_key and key is None:
        raise typer.BadParameter("--public-key: ed25519: and 32 bytes in base64, as a roster has it")
    if not nation and key is None:
        raise typer.BadParameter("--nation, whose roster knows the key, or --public-key")
    roster = load_roster(nation, settings.officers) if nation else Roster("")
    published = _published(topic, nation, sensor, settings) if topic else None
    is_right = True
    for each in verified(report, standard(), roster, key, files or [], published):
        is_right = is_right and each.is_right
        if as_json:
            write_line({"right": each.is_right, "text": each.text})
        else:
            typer.echo(f"{'' if each.is_right else 'WRONG: '}{each.text}")
    raise typer.Exit(Exit.OK if is_right else Exit.REFUSED)


def _settings() -> "Settings":
    from exchange.settings import Settings

    return Settings.from_env(os.environ)


def _private(path: Path | None) -> "Signer | None":
    from exchange.authority.private_key import read_key
    from exchange.authority.token_key import TokenKey, TokenUri, is_token

    if path is None:
        return None
    return TokenKey(TokenUri.of(str(path))) if is_token(path) else read_key(path, group_reads=True)


def _published(topic: str, nation: str, sensor: str, settings: "Settings") -> "Published":
    from exchange.authority.roster import load_roster
    from kakehashi.clusters import cluster_of
    from kakehashi.conformance.of_topic import Published
    from schemas.topics import SENSOR_REPORTS

    one_of("--topic", topic, [SENSOR_REPORTS])
    for name, value in (("--nation", nation), ("--sensor", sensor)):
        if not value:
            raise typer.BadParameter(f"{name} is needed with --topic: whose reports are to be read")
    roster = load_roster(nation, settings.officers)
    return Published(cluster_of(nation, settings, os.environ), sensor, roster)


def _write(found: "Signed", html: Path | None, language: str, *, as_json: bool) -> None:
    from rich.text import Text

    from kakehashi.conformance.page import page
    from kakehashi.conformance.text_view import lines
    from kakehashi.terminal import console
    from producers.conformance.report import encoded
    from producers.conformance.standard import standard

    if html is not None:
        try:
            html.write_text(page(found, standard(), language), "utf-8")
        except OSError as error:
            raise ConfigurationError(f"--html {html} cannot be written: {error.strerror}") from error
    if as_json:
        typer.echo(encoded(found).decode())
        return
    terminal = console()
    for line in lines(found, standard(), language):
        terminal.print(Text(line.text, line.style), soft_wrap=True)


def _exit_code(found: "Signed", *, strict: bool) -> Exit:
    from producers.conformance.judge import Outcome

    met = {Outcome.MET} if strict else {Outcome.MET, Outcome.MET_AS_FAR_AS_JUDGED}
    return Exit.OK if found.report.outcome in met else Exit.REFUSED
