"""``kakehashi policy``: proves the sharing rules, compares two sets of them, and runs their cases."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from exchange.errors import ConfigurationError, Exit
from kakehashi.conventions import one_of
from kakehashi.examples import examples
from kakehashi.policy_gate import one_by_one, prover_for, shown_by
from schemas.counting import counted

_PROVE_EXAMPLES = examples(
    ("kakehashi policy prove", "the shipped rules of every nation"),
    ("kakehashi policy prove --nation GBR --folder ./draft", "a draft"),
    ("kakehashi policy prove --require-proof", "exit code 3 if nothing could be proved"),
)
_DIFF_EXAMPLES = examples(
    ("kakehashi policy diff policy ./draft", "exit code 4 if the draft is wider, with an example"),
    ("kakehashi policy diff policy ./draft --nation JPN", "for one nation"),
    ("kakehashi policy diff policy ./draft --nation GBR --window 7d", "also on a week's recorded decisions"),
)
_TEST_EXAMPLES = examples(
    ("kakehashi policy test", "every cases.yaml of the shipped rules"),
    ("kakehashi policy test --folder ./draft --nation GBR", "those of a draft"),
)
_SHOWN: Final = 12

Nation = Annotated[str, typer.Option(help="The nation whose own rules are added; all of the folder's if not given.")]
Folder = Annotated[Path | None, typer.Option(help="The policy folder; KAKEHASHI_POLICY_FOLDER if not given.")]
RequireProof = Annotated[bool, typer.Option("--require-proof", help="Fail if the analyser is missing.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    policy = typer.Typer(no_args_is_help=True, help="Prove, compare and try the sharing rules.")
    policy.command(epilog=_PROVE_EXAMPLES)(prove)
    policy.command(epilog=_DIFF_EXAMPLES)(diff)
    policy.command(name="test", epilog=_TEST_EXAMPLES)(run_case_tables)
    app.add_typer(policy, name="policy", rich_help_panel="Sharing")


def prove(
    nation: Nation = "",
    folder: Folder = None,
    require_proof: RequireProof = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what holds too.")] = False,
) -> None:
    """Show for every possible indicator that the rules keep their claims, and that none of them errs or is in vain.

    Cedar's symbolic analyser proves it if `make prove` has built it. Otherwise every request that the schema allows is
    tried, and the output reports that nothing was proved.
    """
    from exchange.settings import Settings
    from streams.rules.policy_set import load
    from streams.rules.proof.prove import prove as show
    from streams.rules.proof.prove import read_claims

    root = folder or Settings.from_env(os.environ).policy_folder
    failed = 0
    for each in _nations(root, nation):
        policy_set = load(each, root)
        with prover_for(policy_set, require_proof=require_proof) as prover:
            findings = list(one_by_one(show(policy_set, read_claims(policy_set, root), prover), f"{each}: claims"))
            broken = [finding for finding in findings if not finding.holds]
            for finding in findings if verbose else broken:
                typer.echo(str(finding))
            failed += len(broken)
            typer.echo(
                f"{each}, policy {policy_set.version[:_SHOWN]}: {len(findings) - len(broken)} of "
                f"{counted(len(findings), 'claim')} kept; {shown_by(prover)}"
            )
    if failed:
        raise typer.Exit(Exit.REFUSED)


def diff(
    old: Annotated[Path, typer.Argument(help="The policy folder in force.")],
    new: Annotated[Path, typer.Argument(help="The policy folder that is to follow it.")],
    nation: Nation = "",
    require_proof: RequireProof = False,
    window: Annotated[
        str, typer.Option(help="Also count the indicators of the last 12h, 7d … that change; needs the cluster.")
    ] = "",
) -> None:
    """Show how NEW differs from OLD for every possible indicator: outcome, obligations, reviewers, deadlines, links.

    Exit code 4 if NEW is wider: it releases more, holds what was withheld, requires less before a release, or its links
    agree on more. Each difference has an indicator as an example.
    """
    from kakehashi.commands.officer.policy_simulate import show, simulation, window_ms
    from streams.rules.difference import differences, under_schema_of
    from streams.rules.policy_set import load

    wider = False
    if window:
        window_ms(window)
    for each in _nations(new, nation):
        after = load(each, new)
        before = under_schema_of(after, load(each, old))
        with prover_for(after, require_proof=require_proof) as prover:
            changes = list(one_by_one(differences(before, after, prover), f"{each}: changes"))
            for change in changes:
                typer.echo(f"{each}: {change}")
            wider |= any(change.widens for change in changes)
            result = "differ" if changes else "decide the same"
            typer.echo(f"{each}: the sets {result}; {shown_by(prover)}")
        if window:
            show(simulation(each, window, before, after))
    if wider:
        raise typer.Exit(Exit.REFUSED)


def run_case_tables(nation: Nation = "", folder: Folder = None) -> None:
    """Decide the examples in the rules' cases.yaml, and show those with another result than expected."""
    from exchange.settings import Settings
    from streams.rules.cases import run_cases
    from streams.rules.policy_set import load

    root = folder or Settings.from_env(os.environ).policy_folder
    failed = 0
    for each in _nations(root, nation):
        policy_set = load(each, root)
        for path in (root / "joint" / "v1" / "cases.yaml", root / "national" / each / "v1" / "cases.yaml"):
            results = run_cases(policy_set, path)
            broken = [result for result in results if not result.passed]
            for result in broken:
                typer.echo(f"{path}: {result}")
            failed += len(broken)
            typer.echo(f"{each}: {len(results) - len(broken)} of {counted(len(results), 'case')} hold ({path})")
    if failed:
        raise typer.Exit(Exit.REFUSED)


def _nations(folder: Path, nation: str) -> list[str]:
    national = folder / "national"
    found = sorted(path.name for path in national.iterdir() if path.is_dir()) if national.is_dir() else []
    if nation:
        return [one_of("--nation", nation, found) if found else nation]
    if not found:
        raise ConfigurationError(f"{national} has no nation: a policy folder has joint/ and national/<nation>/")
    return found
