"""``kakehashi produce``: a sensor's own output goes in."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kakehashi.examples import examples
from kakehashi.format_name import format_names, known_format, known_rules, list_formats, rules_on_request

_EXAMPLES = examples(
    ("kakehashi produce --nation GBR --sensor edge-1 eve.json", "a file; its format is recognised"),
    ("kakehashi produce --nation GBR --sensor edge-1 --follow eve.json", "what is being written, through rotation"),
    ("tail -F eve.json | kakehashi produce --nation GBR --sensor edge-1 -", "a pipe, as it comes"),
    ("kakehashi produce --nation JPN --sensor lists --tlp TLP:GREEN bad-ips.txt", "a feed that carries no marking"),
    ("kakehashi produce --nation JPN --sensor lists --encoding cp932 一覧.csv", "a feed that is not UTF-8"),
    ("kakehashi produce --nation GBR --sensor lists drop/", "all files of a folder, each by its own format"),
    ("kakehashi produce --nation GBR --sensor lists --snapshot https://feeds.example/list.txt", "a feed by HTTP"),
    ("kakehashi produce --nation GBR --sensor lists --dry-run new.csv", "what would become of a feed; nothing is sent"),
    ("kakehashi produce --nation GBR --sensor edge-1", "no file: send what waits in the spool"),
)
_MARKING = "Marking and other defaults"
_RUN = "Running"
_DRY = "Before the first record is sent"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Roles")
    def produce(
        nation: Annotated[str, typer.Option(help="Whose sensor it is: GBR, JPN.")],
        sensor: Annotated[str, typer.Option(help="The sensor's name, unique in its nation.")],
        files: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[FILE]...",
                help="Files, folders or addresses (https://…, misp+https://…) to read or follow; - is standard input.",
            ),
        ] = None,
        format: Annotated[
            str,
            typer.Option(
                metavar="FORMAT",
                callback=known_format,
                autocompletion=format_names,
                help="The format, if it should not be recognised; see --formats.",
            ),
        ] = "auto",
        formats: Annotated[  # noqa: ARG001 - its callback prints and exits
            bool,
            typer.Option("--formats", is_eager=True, callback=list_formats, help="Describe the formats, and exit."),
        ] = False,
        tlp: Annotated[str, typer.Option(help="TLP 2.0 label.", rich_help_panel=_MARKING)] = "",
        pap: Annotated[str, typer.Option(help="PAP label.", rich_help_panel=_MARKING)] = "",
        releasable_to: Annotated[
            list[str] | None, typer.Option(help="A nation that may have it; repeat it.", rich_help_panel=_MARKING)
        ] = None,
        caveat: Annotated[
            list[str] | None, typer.Option(help="A handling caveat; repeat it.", rich_help_panel=_MARKING)
        ] = None,
        confidence: Annotated[
            int, typer.Option(min=-1, max=100, help="STIX confidence; -1 not stated.", rich_help_panel=_MARKING)
        ] = -1,
        confidence_ceiling: Annotated[
            int,
            typer.Option(min=0, max=100, help="The most that a feed's confidence counts.", rich_help_panel=_MARKING),
        ] = 100,
        sector: Annotated[
            str, typer.Option(help="Your CNI sector, a label that stays in the nation.", rich_help_panel=_MARKING)
        ] = "",
        type_: Annotated[
            list[str] | None,
            typer.Option("--type", help="Publish only this type, as domain-name; repeat it.", rich_help_panel=_MARKING),
        ] = None,
        label: Annotated[
            list[str] | None, typer.Option(help="A label for all of it; repeat it.", rich_help_panel=_MARKING)
        ] = None,
        home_net: Annotated[
            list[str] | None,
            typer.Option(help="A network that is ours, beside the private ones; repeat it.", rich_help_panel=_MARKING),
        ] = None,
        include: Annotated[
            list[str] | None,
            typer.Option(
                metavar="RULE",
                callback=known_rules,
                autocompletion=rules_on_request,
                help="Take what this rule leaves out, without a confidence; see --formats. Repeat it.",
            ),
        ] = None,
        misp_context: Annotated[
            bool, typer.Option("--misp-context", help="Take attributes that are not to_ids: --include not-to-ids.")
        ] = False,
        reviewed: Annotated[
            Path | None,
            typer.Option(
                help="The values of a report in prose that a person agrees to: a line each, or of --dry-run --json.",
            ),
        ] = None,
        credentials: Annotated[
            Path | None, typer.Option(help="A file with user:password, a token or key, for a live input.")
        ] = None,
        authorities: Annotated[
            Path | None, typer.Option(help="A file with the certificates (PEM) that a live input's is checked by.")
        ] = None,
        encoding: Annotated[str, typer.Option(help="If it is not UTF-8: cp932, euc_jp, utf-16 …")] = "utf-8",
        columns: Annotated[str, typer.Option(help="Names of a CSV's columns, if it has no header.")] = "",
        mapping: Annotated[
            list[str] | None,
            typer.Option(
                "--map", metavar="COLUMN=FIELD", help="The field of a CSV's column, as Host=domain-name; repeat it."
            ),
        ] = None,
        time_zone: Annotated[str, typer.Option(help="Of times that state none, as Asia/Tokyo.")] = "UTC",
        date_format: Annotated[str, typer.Option(help="Of a CSV's times, as in %d/%m/%Y, if not ISO 8601.")] = "",
        rate: Annotated[
            int, typer.Option(min=0, help="Observations a second at most; 0 no limit.", rich_help_panel=_RUN)
        ] = 0,
        again: Annotated[
            bool, typer.Option("--again", help="Also files that were read before.", rich_help_panel=_RUN)
        ] = False,
        deadline: Annotated[
            float, typer.Option(min=0, help="Seconds to wait for Kafka; 0 for ever.", rich_help_panel=_RUN)
        ] = 0,
        strict: Annotated[
            bool, typer.Option("--strict", help="Exit with 4 if anything was refused.", rich_help_panel=_RUN)
        ] = False,
        json: Annotated[
            bool, typer.Option("--json", help="The summary as JSON; of a dry run each piece.", rich_help_panel=_RUN)
        ] = False,
        sensor_key: Annotated[
            Path | None,
            typer.Option(
                help="The sensor's private key, a file or a token's URI, to sign; KAKEHASHI_SENSOR_KEY sets it, too."
            ),
        ] = None,
        snapshot: Annotated[
            bool,
            typer.Option(
                "--snapshot",
                help="The files are all that the source asserts: what is missing since the last time is withdrawn.",
                rich_help_panel=_RUN,
            ),
        ] = False,
        feed: Annotated[
            str, typer.Option(help="The snapshot's name, if the sensor has several lists.", rich_help_panel=_RUN)
        ] = "",
        accept_removals: Annotated[
            bool,
            typer.Option(
                "--accept-removals",
                help="Withdraw even most of a snapshot or MISP event.",
                rich_help_panel=_RUN,
            ),
        ] = False,
        yes: Annotated[
            bool,
            typer.Option("--yes", help="Do not ask if a stricter marking may recall values.", rich_help_panel=_RUN),
        ] = False,
        follow: Annotated[
            bool,
            typer.Option(
                "--follow",
                help="Follow files, folders or patterns as they are written and rotated, until it is stopped.",
                rich_help_panel=_RUN,
            ),
        ] = False,
        explain_skips: Annotated[
            bool, typer.Option("--explain-skips", help="Print each piece that is left out.", rich_help_panel=_RUN)
        ] = False,
        dry_run: Annotated[
            bool,
            typer.Option(
                "--dry-run",
                help="Show what would become of each piece, with the marking that was understood. Nothing is sent.",
                rich_help_panel=_DRY,
            ),
        ] = False,
        partner: Annotated[str, typer.Option(help="With --dry-run: for this partner only.", rich_help_panel=_DRY)] = "",
    ) -> None:
        """Read a sensor's own output and publish it to its nation's exchange.

        Observations are on disk before they are sent. A run that was interrupted continues where it stopped when it
        is run again: nothing is lost and nothing counts twice. A file that was read before is not read again; one that
        has grown since is read from there on.

        Markings of the feed and of the options apply both; if they differ, the stricter one applies. Before a marking
        that is stricter than the sensor's earlier ones recalls released values, you are asked. Unreadable lines
        go to quarantine with the reason, and never stop the rest. Lines without an indicator are counted by rule.

        What the source takes back (STIX `revoked`, MISP `deleted`, an attribute that a whole MISP event lost) is
        withdrawn, in whatever order files arrive. A line that left a list is withdrawn only with --snapshot. If more
        than half of a list or event is missing, nothing is withdrawn and the exit code is 4, unless you accept it.
        """
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from kakehashi.produce_run import Command, run, run_dry
        from kakehashi.profile_of_options import checked, inputs_of, mapping_of
        from producers.profile.model import InputEntry, MarkingEntry, Profile

        settings = Settings.from_env(os.environ)
        if follow and again:
            raise typer.BadParameter("--follow reads what is added: it goes not with --again")
        entry = InputEntry(
            at="",
            follow=follow,
            snapshot=snapshot,
            feed=feed,
            format=format,
            encoding=encoding,
            columns=tuple(name.strip() for name in columns.split(",")) if columns else (),
            mapping=mapping_of(mapping or ()),
            date_format=date_format,
            reviewed="" if reviewed is None else str(reviewed),
            credentials="" if credentials is None else str(credentials),
            authorities="" if authorities is None else str(authorities),
        )
        profile = Profile(
            nation=nation,
            sensor=sensor,
            sector=sector,
            key="" if sensor_key is None else str(sensor_key),
            marking=MarkingEntry(
                tlp=tlp,
                pap=pap,
                releasable_to=None if releasable_to is None else tuple(releasable_to),
                caveats=tuple(caveat or ()),
            ),
            confidence=confidence,
            confidence_ceiling=confidence_ceiling,
            labels=tuple(label or ()),
            types=tuple(type_ or ()),
            time_zone=time_zone,
            home_networks=tuple(home_net or ()),
            include=(*(include or ()), *(("not-to-ids",) if misp_context else ())),
            rate=rate,
            deadline_s=deadline,
            inputs=inputs_of(files or (), entry),
        )
        command = Command(
            checked(profile, settings.nations, entry),
            again=again,
            strict=strict,
            json=json,
            explain_skips=explain_skips,
            accept_removals=accept_removals,
            yes=yes,
        )
        if dry_run:
            raise typer.Exit(run_dry(command, partner, settings))
        if partner:
            raise typer.BadParameter("--partner is for --dry-run: what is produced goes to the nation's own exchange")
        raise typer.Exit(run(command, settings, lambda: cluster_of(nation, settings, os.environ)))
