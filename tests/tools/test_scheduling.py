"""In a run of several processes, what shares nations or brokers stays together, and nothing else does."""

import ast
from pathlib import Path

import pytest

import tests
from tests.scheduling import world_of

TESTS = Path(tests.__file__).parent
ROOT = TESTS.parent


def _functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]


def _asked(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}


def _shared(conftest: Path) -> set[str]:
    """The fixtures that a folder's ``conftest.py`` makes once for the folder, and those made of them."""
    functions = _functions(conftest)
    shared = {each.name for each in functions if any("'package'" in ast.unparse(one) for one in each.decorator_list)}
    while more := {each.name for each in functions if _asked(each) & shared} - shared:
        shared |= more
    return shared


@pytest.mark.parametrize("folder", ["faults", "integration"])
def test_files_that_share_what_their_folder_starts_are_of_one_world(folder: str) -> None:
    shared, sharing = _shared(TESTS / folder / "conftest.py"), set()
    for path in (TESTS / folder).glob("test_*.py"):
        functions = _functions(path)
        if set[str]().union(*map(_asked, functions)) & (shared - {each.name for each in functions}):
            sharing.add(path.relative_to(ROOT).as_posix())
    assert len(sharing) > 1
    assert len({world_of(path) for path in sharing}) == 1


def test_only_these_folders_share_what_they_start() -> None:
    assert {path.parent.name for path in TESTS.glob("*/conftest.py") if _shared(path)} == {"faults", "integration"}


def test_a_file_that_shares_nothing_is_a_world_of_its_own() -> None:
    assert world_of("tests/consumers/test_guard.py") == "tests/consumers/test_guard.py"
    assert world_of("tests/faults/test_load.py") == "tests/faults/test_load.py"


def test_files_on_the_run_s_clusters_share_two_pairs_of_them() -> None:
    worlds = [world_of(f"tests/{file}.py") for file in ("consumers/test_reconcile", "faults/test_steps")]
    worlds += [world_of(f"tests/{file}.py") for file in ("producers/test_api", "exchange/test_feed")]
    assert worlds == ["borders", "borders", "brokers", "brokers"]


def test_every_file_of_this_run_that_uses_them_is_listed(request: pytest.FixtureRequest) -> None:
    users = {item.location[0] for item in request.session.items if "brokers" in getattr(item, "fixturenames", ())}
    assert {path for path in users if world_of(path) not in {"borders", "brokers"}} == set()
