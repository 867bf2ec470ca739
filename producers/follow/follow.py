"""Follows files: reads what is written to them, through rotation, until an end is asked for.

=====================================  ==============================================================================
what happens to a file                 what is done
=====================================  ==============================================================================
it grows                               whole lines are read
it is renamed, or removed              it is read on; it ends when another file has its name, and it was quiet for
                                       ``QUIET_S``: a writer goes on with it until it learns of the rotation
it is truncated, or overwritten        it has ended; the rest of it is read from its copy beside it; without one that
                                       is a gap
its name is taken by another file      that one is read from its start; if it begins with all that was read, as rsync
                                       makes it, it is read on from there
it cannot be read, or its server       it is tried again by its name; the failure is reported once
has lost it
the program was stopped meanwhile      what was read is found by its content, under any name, compressed or not; what
                                       is missing is a gap
a copy of it appears                   it is left alone while the file is followed: nothing counts twice
=====================================  ==============================================================================

Documents, compressed files, and files of a folder that no one writes to any more are read whole.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from exchange.errors import DeliveryTimeout
from producers.follow.before import Before
from producers.follow.followed import Followed, Surroundings
from producers.follow.looking import Looking, is_over
from producers.follow.places import Identity, cannot_be_read, is_one_file, settled
from producers.follow.rest import Rest
from producers.follow.troubles import Troubles
from producers.live.feed import Feed, Feeds, Live
from producers.produce import Options, Run, View
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from producers.summary import Summary
from schemas.codec import Codec

QUIET_S: Final = 60.0
"""A rotated file is read for this long after its last line: its writer may not know of the rotation yet."""
_SCAN_S: Final = 0.2
_SLEEP_S: Final = 0.05
_LAST_S: Final = 2.0


def follow(
    options: Options,
    spool: Spool,
    publisher: Publisher,
    view: View,
    *,
    codec: Codec,
    now_ms: Callable[[], int],
    stop: Stop,
    quiet_s: float = QUIET_S,
    summary: Summary | None = None,
    live: Sequence[Live] = (),
) -> Summary:
    """Follow the places that ``options.files`` names, and live inputs; ``summary`` is counted on, if it is given.

    Raises Stopped once ``stop`` is requested: all is kept then.
    """

    def run_of(options: Options) -> Run:
        return Run(options, spool, publisher, view, codec, now_ms, stop, summary)

    summary = Summary() if summary is None else summary
    options = replace(options, files=tuple(map(settled, options.files)))
    run = run_of(options)
    run.is_live = True
    feeds = Feeds([Feed(each, run_of(each.options)) for each in live], view)
    following = _Following(run, options, spool, view, codec, now_ms, stop, quiet_s, feeds)
    try:
        following.go()
    except Stopped:
        if not publisher.trouble:
            with suppress(DeliveryTimeout):
                publisher.drain(_LAST_S)
        raise
    finally:
        following.close()
        feeds.close()
    return run.summary


class _Following:
    """The files that are followed now."""

    def __init__(
        self,
        run: Run,
        options: Options,
        spool: Spool,
        view: View,
        codec: Codec,
        now_ms: Callable[[], int],
        stop: Stop,
        quiet_s: float,
        feeds: Feeds,
    ) -> None:
        self._run, self._stop, self._quiet_s, self._feeds = run, stop, quiet_s, feeds
        self._places = options.files
        self._tails: dict[Identity, Followed] = {}
        self._troubles = Troubles(view)
        before = Before(spool, options, now_ms)
        self._rest = Rest(run, spool, view, before, self._tails)
        shared = Surroundings(
            options.sensor,
            spool,
            codec,
            now_ms,
            options.defaults,
            options.report_size,
            view.left_out,
            run.summary.marked,
        )
        self._looking = Looking(run, options, view, self._tails, shared, before, self._rest, self._troubles)

    def go(self) -> None:
        """Follow until an end is asked for."""
        self._rest.look_in(self._places)
        look_at = 0.0
        while not self._stop.requested:
            now = time.monotonic()
            if now >= look_at:
                self._end_rotated(now)
                self._looking.look()
                look_at = time.monotonic() + _SCAN_S
            read = [self._advance(each) for each in list(self._tails.values())]
            read.append(self._feeds.turn())
            self._run.turn()
            if not any(read):
                time.sleep(_SLEEP_S)
        for each in self._tails.values():
            if not each.is_durable:
                self._run.stepped(each.commit())
        raise Stopped

    def close(self) -> None:
        """End all readers."""
        for each in self._tails.values():
            each.close()

    def _end_rotated(self, now: float) -> None:
        """Let files end that were rotated, and to which no one writes any more."""
        named = {place for place in self._places if is_one_file(place)}
        for followed in list(self._tails.values()):
            try:
                if is_over(followed, now, self._quiet_s, is_named=str(followed.path) in named):
                    followed.tail.is_ending = True
            except OSError as error:
                self._interrupt(followed, error)

    def _advance(self, followed: Followed) -> bool:
        """Take a file's new content; whether there was any."""
        found = False
        try:
            for step in followed.steps():
                found = True
                self._run.stepped(step)
                self._run.hold_back()
        except OSError as error:
            self._interrupt(followed, error)
            return False
        lines = followed.newly_read()
        self._run.summary.records["line"] += max(0, lines)
        if followed.has_ended:
            self._end(followed)
        return found or lines > 0

    def _end(self, followed: Followed) -> None:
        for step in followed.finish():
            self._run.stepped(step)
        self._run.summary.files += 1
        del self._tails[followed.identity]
        if followed.tail.is_overwritten:
            size, digest, _ = followed.tail.beginning
            read = replace(followed.state, size=size, digest=digest, complete=False)
            self._rest.read(read, followed.path, "was truncated or overwritten")
            self._looking.forget_copies()
        else:
            self._looking.closed(followed)
        followed.close()

    def _interrupt(self, followed: Followed, error: OSError) -> None:
        """Keep what was read of a file whose disk or server fails, or has lost it; it is opened again by its name."""
        self._troubles.tell(followed.path, cannot_be_read(error))
        self._run.stepped(followed.commit())
        del self._tails[followed.identity]
        self._rest.keep(followed.state_now, followed.path)
        self._looking.interrupted(followed)
        followed.close()
