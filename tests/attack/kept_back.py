"""What a partner can learn of what is kept back from it: by records, headers, values and labels."""

import json
from typing import Final

from schemas import topics
from schemas.vocabulary import IndicatorType
from tests.attack.attack import Attack
from tests.attack.field import HOME, PARTNER, Field, Target, a_target
from tests.attack.insiders import held, judges
from tests.officers import ALICE

WHO: Final = "curious partner"
CANARY: Final = "operation-heron"
HOST: Final = "c2.example-of-an-attacker.jp"


def a_red_source_after_an_approval(field: Field) -> str:
    """An officer has approved an unmarked source; then another source reports the same under TLP:RED."""
    target = held(field)
    judges(field, ALICE, "approve", target)
    field.until(lambda: field.kinds(target), "content")
    field.reports("secret-1", target.seen("TLP:RED"))
    return field.after_a_probe(lambda: field.kinds(target))


def what_counts(field: Field) -> str:
    """Headers and versions of a source's repeats, without and with a source that is kept back."""
    target = a_target()
    field.reports("plain-7", target.seen("TLP:GREEN"))
    field.until(lambda: field.kinds(target), "content")
    for _ in range(3):
        field.reports("secret-1", target.seen("TLP:RED"))
    names = field.after_a_probe(lambda: field.kinds(target))
    crossed = [each for each in field.records(PARTNER, topics.accepted(HOME)) if each.key == target.name.encode()]
    headers = {name for each in crossed for name, _ in each.headers}
    return f"{names}; {'decision crosses' if 'decision' in headers else 'no decision crosses'}"


def a_url_with_credentials(field: Field) -> str:
    """The address at which a victim's machine reports, with its user, password and private address; and without."""
    target = Target(f"http://{HOST}/gate.php?user=anna&pw={CANARY}&ip=10.0.0.5", IndicatorType.URL)
    plain = Target(f"http://{HOST}/gate.php", IndicatorType.URL)
    field.reports("plain-7", target.seen("TLP:CLEAR"))
    field.reports("plain-7", plain.seen("TLP:CLEAR"))
    field.until(lambda: field.kinds(plain), "content")
    return field.after_a_probe(lambda: f"{field.kinds(plain)}; {_leaks(field)}")


def a_local_tag(field: Field) -> str:
    """A tag that its MISP calls local, and a label in free text."""
    target = a_target()
    tags = [{"name": "tlp:clear"}, {"name": CANARY, "local": 1}, {"name": f"victim:{CANARY}"}]
    attribute = {"type": "sha256", "value": target.value, "to_ids": True, "Tag": tags}
    event = {"Event": {"info": "event", "published": True, "Attribute": [attribute]}}
    path = field.folder / "event.json"
    path.write_text(json.dumps(event), "utf-8")
    done = field.command_line("produce", "--nation", HOME, "--sensor", "misp-1", "--yes", str(path))
    field.until(lambda: field.kinds(target), "content")
    return field.after_a_probe(lambda: f"exit {done.returncode}; {field.kinds(target)}; {_leaks(field)}")


def _leaks(field: Field) -> str:
    """Whether the secret is in any record that the partner has."""
    crossed = field.records(PARTNER, topics.accepted(HOME))
    return "leaks" if any(CANARY.encode() in (each.value or b"") for each in crossed) else "nothing leaks"


ATTACKS: Final = (
    Attack(WHO, "a TLP:RED source after an approved release", "content", a_red_source_after_an_approval),
    Attack(WHO, "what counts the decisions that are kept back", "content; no decision crosses", what_counts),
    Attack(WHO, "a URL with a victim's credentials", "content; nothing leaks", a_url_with_credentials),
    Attack(WHO, "a local tag of MISP, and a label in free text", "exit 0; content; nothing leaks", a_local_tag),
)  # fmt: skip
