"""``kakehashi sensor``: a sensor's profile; its other commands are in files of their own."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange.errors import ConfigurationError, Exit
from kakehashi.examples import examples
from kakehashi.listing import TextAsJson, write_line
from schemas.counting import counted

if TYPE_CHECKING:
    from exchange.settings import Settings
    from producers.profile.model import Profile

_INIT_EXAMPLES = examples(
    ("kakehashi sensor init --nation GBR --sensor edge-1 --out edge-1.yaml", "a profile to fill in, and its schema"),
)
_CHECK_EXAMPLES = examples(("kakehashi sensor check edge-1.yaml", "every mistake, with its line"))
_DRY_EXAMPLES = examples(
    ("kakehashi sensor dry-run edge-1.yaml", "what would become of each piece; nothing is sent"),
    ("kakehashi sensor dry-run edge-1.yaml --json | jq -r .outcome | sort | uniq -c", "how many would be released"),
)
_RUN_EXAMPLES = examples(
    ("kakehashi sensor run edge-1.yaml", "publish what the profile names; follow what is to be followed"),
)
_File = Annotated[Path, typer.Argument(metavar="PROFILE", help="The sensor's profile, a YAML file.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if anything is refused.")]
_RunAsJson = Annotated[bool, typer.Option("--json", help="The summary as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sensor = typer.Typer(help="A sensor: its profile, keys, canary and score.", no_args_is_help=True)
    app.add_typer(sensor, name="sensor", rich_help_panel="Roles")
    _add_writing(sensor)
    _add_reading(sensor)


def _add_writing(sensor: typer.Typer) -> None:
    """The commands that make files."""

    @sensor.command(epilog=_INIT_EXAMPLES)
    def init(
        nation: Annotated[str, typer.Option(help="Whose sensor it is: GBR, JPN.")],
        sensor: Annotated[str, typer.Option(help="The sensor's name, permanent and unique in its nation.")],
        out: Annotated[Path, typer.Option(help="The new file.")],
    ) -> None:
        """Write a profile with all settings explained, and beside it the JSON Schema for editors."""
        from producers.profile.model import SCHEMA_NAME, json_schema
        from producers.profile.template import template_of
        from producers.spool.layout import is_sensor_name

        if not is_sensor_name(sensor):
            raise typer.BadParameter(f"--sensor {sensor}: no slashes, at most 200 bytes, not a dot")
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(template_of(nation, sensor))
            (out.parent / SCHEMA_NAME).write_text(json_schema(), "utf-8")
        except FileExistsError as error:
            raise typer.BadParameter(f"--out {out}: is there already, and stays as it is") from error
        except OSError as error:
            raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror}") from error
        typer.echo(f"{out} is a profile: edit it, then `kakehashi sensor check {out}`")


def _add_reading(sensor: typer.Typer) -> None:
    """The commands that take a profile."""

    @sensor.command(epilog=_CHECK_EXAMPLES)
    def check(profile: _File, as_json: TextAsJson = False) -> None:
        """Print every mistake of a profile with its line. Exit code 3 if there is one."""
        from producers.profile.document import loaded

        found = loaded(profile, _settings().nations)
        for each in found.mistakes:
            if as_json:
                write_line({"file": str(profile), "line": each.line, "mistake": each.text})
            else:
                typer.echo(f"{profile}:{each.line}: {each.text}")
        if found.profile is None:
            raise typer.Exit(Exit.CONFIGURATION)
        if not as_json:
            count = len(found.profile.inputs)
            inputs = counted(count, "input") if count else "no input: nothing is read until `inputs` names one"
            typer.echo(f"{profile}: valid: sensor {found.profile.sensor} of {found.profile.nation}, {inputs}")

    @sensor.command("dry-run", epilog=_DRY_EXAMPLES)
    def dry_run(
        profile: _File,
        strict: _Strict = False,
        as_json: TextAsJson = False,
    ) -> None:
        """Show what would become of each piece of the inputs, without Kafka. Of what is followed: what is there now."""
        from kakehashi.produce_run import Command, run_dry

        settings = _settings()
        command = Command(_valid(profile, settings), profile, strict=strict, json=as_json)
        raise typer.Exit(run_dry(command, "", settings))

    @sensor.command(epilog=_RUN_EXAMPLES)
    def run(
        profile: _File,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask if a stricter marking may recall values.")] = False,
        accept_removals: Annotated[
            bool, typer.Option("--accept-removals", help="Withdraw even most of a snapshot or MISP event.")
        ] = False,
        strict: _Strict = False,
        explain_skips: Annotated[
            bool, typer.Option("--explain-skips", help="Print each piece that is left out.")
        ] = False,
        json: _RunAsJson = False,
    ) -> None:
        """Publish the inputs of a profile: files and feeds first, then what is followed, until it is stopped.

        It is `kakehashi produce` with the profile's settings: nothing is lost and nothing counts twice, however it
        ends. A second run of the same sensor is refused while the first one goes on.
        """
        from kakehashi.clusters import cluster_of
        from kakehashi.produce_run import Command, run

        settings = _settings()
        valid = _valid(profile, settings)
        command = Command(
            valid,
            profile,
            strict=strict,
            json=json,
            explain_skips=explain_skips,
            accept_removals=accept_removals,
            yes=yes,
        )
        raise typer.Exit(run(command, settings, lambda: cluster_of(valid.nation, settings, os.environ)))


def _settings() -> "Settings":
    from exchange.settings import Settings

    return Settings.from_env(os.environ)


def _valid(path: Path, settings: "Settings") -> "Profile":
    """The profile in a file. Raises ConfigurationError with every mistake and its line."""
    from producers.profile.document import valid_profile

    return valid_profile(path, settings.nations)
