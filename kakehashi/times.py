"""Times as people write them on a command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(text: str, option: str, now_ms: int) -> int:
    """Milliseconds since 1970 of ``2h`` (ago), ``today``, ``yesterday``, a date or a time in ISO 8601; UTC unless it
    states an offset. 0 for an empty text. Raises BadParameter, exit code 2."""
    if not text:
        return 0
    if _SPAN.fullmatch(text.strip().lower()):
        return now_ms - span_ms(text, option)
    today = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"today": 0, "yesterday": 1}.get(text.strip().lower())
    if days is not None:
        return int((today - timedelta(days=days)).timestamp() * 1000)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(
            f"{option} {text}: write 2h, 3d, today, yesterday, 2026-11-29 or 2026-11-29T18:00"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def span_ms(text: str, option: str) -> int:
    """Milliseconds of ``90s``, ``15m``, ``2h``, ``7d`` or ``1w``. Raises BadParameter, exit code 2."""
    span = _SPAN.fullmatch(text.strip().lower())
    if span is None:
        raise typer.BadParameter(f"{option} {text}: write 90s, 15m, 2h, 7d or 1w")
    return int(span[1]) * _UNIT_S[span[2]] * 1000
