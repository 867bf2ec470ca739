"""What a misspelt command, option or value is answered with: what may be meant, and nothing that is not."""

from collections.abc import Iterator

import pytest

from exchange.errors import Exit
from schemas.spelling import near, suggestion
from tests.kakehashi.test_conventions import commands, run


def _misspelt(word: str) -> Iterator[str]:
    """The word with one letter missing, doubled, changed, or in the wrong order."""
    for at, letter in enumerate(word):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + letter + word[at:]
        yield word[:at] + ("x" if letter != "x" else "y") + word[at + 1 :]
        yield word[:at] + word[at + 1 : at + 2] + letter + word[at + 2 :]


@pytest.mark.parametrize("path", commands())
def test_each_slip_in_an_option_leads_to_that_option_and_a_foreign_one_to_none(path: str) -> None:
    names = [opt for param in commands()[path].params for opt in param.opts if opt.startswith("--")]
    for name in names:
        for wrong in {f"--{each}" for each in _misspelt(name[2:])} - {"--", *names}:
            assert f"`{name}`" in suggestion(wrong, names), wrong
    for foreign in ("--verbose", "--output", "--quiet", "--force", "--user"):
        assert all(
            foreign[2:].startswith(name[2:]) or name[2:].startswith(foreign[2:]) for name in near(foreign, names)
        )


@pytest.mark.parametrize("path", [path for path, each in commands().items() if each.params])
def test_a_misspelt_option_is_a_usage_error_with_the_closest_one(path: str) -> None:
    longest = max((opt for param in commands()[path].params for opt in param.opts if opt.startswith("--")), key=len)
    misspelt = longest[:-2] + longest[-1] + longest[-2] if longest[-1] != longest[-2] else longest + "x"
    exit_code, printed = run(path, [misspelt])
    assert exit_code == Exit.USAGE
    assert f"No such option: {misspelt}; did you mean `{longest}`?" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dispute --nation JPN --partner GBR --reason fasle-positive 192.0.2.1", "false-positive"),
        ("tail --nation GBR --activity activ", "active"),
        ("tail --nation GBR --unstated-pap PAP:REDD", "PAP:RED"),
        ("sighting --nation JPN --partner GBR --tlp TLP:GREN 192.0.2.1", "TLP:GREEN"),
        ("officer keygen --person a --role reveiw --out a.key", "review"),
        ("produce --nation GBR --sensor a --format misp-evnt pyproject.toml", "misp-event"),
        ("produce --nation GBR --sensor a --tlp TLP:GREN pyproject.toml", "TLP:GREEN"),
        ("produce --nation GBR --sensor a --pap PAP:GREN pyproject.toml", "PAP:GREEN"),
        ("audit show --nation GBR --outcome relaese", "release"),
        ("shard rebuild --nation GBR --step corelate --shard 0", "correlate"),
        ("quarantine list --nation GBR --reason invalid-valeu", "invalid-value"),
        ("policy prove --nation GRB", "GBR"),
        ("policy test --nation GRB", "GBR"),
    ],
)
def test_a_misspelt_value_is_a_usage_error_with_the_closest_one_and_needs_no_cluster(line: str, meant: str) -> None:
    exit_code, printed = run("", line.split())
    assert exit_code == Exit.USAGE, printed
    assert f"did you mean `{meant}`?" in printed


@pytest.mark.parametrize("path", [path for path in commands() if not path.startswith(("sighting ", "conformance "))])
def test_each_slip_in_a_command_leads_to_that_command(path: str) -> None:
    *group, name = path.split()
    siblings = {each.split()[len(group)] for each in commands() if each.split()[: len(group)] == group}
    for wrong in {*_misspelt(name)} - {"", *siblings}:
        assert f"`{name}`" in suggestion(wrong, siblings), wrong
    exit_code, printed = run(" ".join([*group, f"{name}x"]), [])
    assert (exit_code, f"No such command: {name}x; did you mean `{name}`?" in printed) == (Exit.USAGE, True), printed


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("approve", "`review approve`"),
        ("keygen", "`officer keygen` or `sensor keygen`"),
        ("help", "`--help`"),
        ("--versoin", "`--version`"),
        ("stop", ""),
        ("output rm", ""),
    ],
)
def test_a_command_of_a_group_is_found_and_nothing_is_guessed(words: str, meant: str) -> None:
    exit_code, printed = run(words, [])
    assert exit_code == Exit.USAGE
    assert f"did you mean {meant}?" in printed if meant else "did you mean" not in printed
