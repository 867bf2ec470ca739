"""Numbers for people."""


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``, ``1,000 entries``: a number with its noun, which is given in the singular."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def ratio(part: int, whole: int) -> float:
    """The share of a part, 0 to 1; 0 of nothing."""
    return part / whole if whole else 0.0


def plural(noun: str) -> str:
    """The plural of a regular English noun."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
