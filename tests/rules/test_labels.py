"""Labels that may leave are of known vocabularies; a source's own words are none."""

from pathlib import Path

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.labels import known, load_vocabularies


@pytest.mark.parametrize(
    "label",
    [
        "malicious-activity",
        "ransomware",
        "T1566",
        "T1059.001",
        "TA0001",
        "G0007",
        'misp-galaxy:mitre-attack-pattern="Phishing - T1566"',
        'admiralty-scale:source-reliability="b"',
        "フィッシング",
    ],
)
def test_a_label_of_a_known_vocabulary_may_leave(label: str) -> None:
    assert known().knows(label)


@pytest.mark.parametrize(
    "label",
    [
        "",
        "victim: Example Hospital",
        "source: 山田",
        "T1566 Example Hospital",
        "T1566\n",
        "T15667",
        "MALICIOUS-ACTIVITY",
        'misp-galaxy:sector="Health"',
        'misp-galaxy:target-information="Japan"',
        'misp-galaxy:tool="Example Hospital"',
        "local:ransomware",
        "tlp:green",
    ],
)
def test_a_source_s_own_words_stay_home(label: str) -> None:
    assert not known().knows(label)


def test_every_vocabulary_names_its_owner_its_source_and_its_licence() -> None:
    for path in (POLICY_FOLDER / "vocabularies").glob("*.toml"):
        head = path.read_text("utf-8").split("labels = [")[0].split("patterns = [")[0]
        assert all(f"{name} = " in head for name in ("owner", "source", "licence")), path


@pytest.mark.parametrize(
    "text",
    ['labels = ["a"]', 'owner = "x"\nsource = "y"\nlicence = "z"\nwords = []', 'owner = "x"\nsource = "y"\nlicence ='],
)
def test_a_vocabulary_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"wrong\.toml"):
        load_vocabularies(tmp_path)
