"""Every package that is needed to run is under a licence that we may use, and NOTICE names what it must."""

from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from typing import Final

from packaging.requirements import Requirement

from tests.docs.pages import ROOT

# As packages state it: a licence expression (PEP 639), or what they wrote before there was one. A package with
# another statement is one that someone must look at; adding a line here is saying that someone has.
ALLOWED: Final = frozenset(
    {
        "Apache-2.0",
        "Apache-2.0 AND BSD-2-Clause",
        "Apache-2.0 AND MIT",
        "Apache-2.0 OR BSD-2-Clause",
        "Apache-2.0 OR BSD-3-Clause",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        "MIT",
        "MIT AND (BSD-2-Clause OR LGPL-2.1-or-later)",  # marisa-trie: its library is used under BSD-2-Clause
        "MIT-0",
        "MPL-2.0",  # publicsuffixlist, used unchanged: the licence is per file
        "PSF-2.0",
        # Of packages without an expression, their classifier or their own words.
        "Apache 2",
        "Apache 2.0",
        "Apache License, Version 2.0",
        "Apache Software License",
        "BSD",
        "BSD License",
        "ISC License (ISCL)",
        "MIT License",
        "Python Software Foundation License",
        "Repoze Public License",  # venusian: BSD-3-Clause with a clause on names
    }
)
# Packages that state none: their licence file begins so.
BY_FILE: Final = {"cedarpy": "Apache License"}
NAMED: Final = ("publicsuffixlist", "pymispwarninglists", "marisa-trie", "Apache Kafka", "Route Views", "DB-IP", "NRO")


def needed(name: str, extras: tuple[str, ...], seen: dict[str, Distribution]) -> dict[str, Distribution]:
    """The package and all that it needs to run on this machine, by their names."""
    found = distribution(name)
    for text in found.requires or ():
        wanted = Requirement(text)
        markers = [{"extra": extra} for extra in (*extras, "")]
        if wanted.marker is None or any(wanted.marker.evaluate(marker) for marker in markers):
            key = wanted.name.lower().replace("_", "-")
            if key not in seen or wanted.extras:
                seen[key] = distribution(wanted.name)
                needed(wanted.name, tuple(wanted.extras), seen)
    return seen


def stated(package: Distribution) -> str:
    """The licence as the package states it: expression, else classifier, else its own words; else empty."""
    lines = package.metadata.get_all("Classifier") or []
    classifiers = [line.rpartition("::")[2].strip() for line in lines if line.startswith("License")]
    for words in (package.metadata.get_all("License-Expression"), classifiers, package.metadata.get_all("License")):
        if words:
            return str(words[0])
    return ""


def licence_files(package: Distribution) -> Iterator[str]:
    """The texts of its licence files."""
    for name in package.metadata.get_all("License-File") or ():
        yield package.read_text(f"licenses/{name}") or package.read_text(name) or ""


def test_every_package_that_is_needed_to_run_has_a_licence_that_is_allowed() -> None:
    packages = needed("kakehashi", (), {})
    assert len(packages) > 20
    wrong = {
        name: stated(package)
        for name, package in packages.items()
        if name not in BY_FILE and stated(package) not in ALLOWED
    }
    assert not wrong, "look at these licences, then allow them or do without the package"


def test_a_package_that_states_no_licence_has_the_file_that_we_know() -> None:
    for name, beginning in BY_FILE.items():
        package = distribution(name)
        assert not stated(package), f"{name} states a licence now: strike it from BY_FILE"
        assert any(text.lstrip().startswith(beginning) for text in licence_files(package)), name


def test_the_notice_names_whose_data_and_choices_it_must() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    assert [name for name in NAMED if name not in notice] == []


def test_the_project_is_under_the_licence_that_it_states() -> None:
    assert distribution("kakehashi").metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text("utf-8")
