"""The errors of the world or the code, and the exit code of each.

A record's fate is a value and never an exception (see the outcomes of each role). An exception means that
the world or the code is broken, and its class shows what to do about it::

    ExchangeError                      exit
    ├── TransientError                  1   the world is broken: back off and retry, then give up
    │   ├── BrokerUnavailable           1   no broker answers
    │   ├── RegistryUnavailable         1   no schema registry answers
    │   └── DeliveryTimeout             1   a write or a commit was not acknowledged in time
    └── FatalError                      5   retrying cannot help: stop, nothing half-done is committed
        ├── ConfigurationError          3   a setting, a file or a missing program: a person must act
        │   └── TopicMismatch           3   a topic exists, but differs from the contract
        ├── Refused                     4   understood, and the answer is no
        │   └── NotFound                4   what was asked for is not there
        ├── SchemaIncompatible          5   data or state of a newer or incompatible format
        ├── RecordDamaged               5   a record that was there cannot be read any more
        ├── Unwritable                  5   a record that the cluster will never take
        └── ProducerFenced              6   another owner has taken this work over: do not come back alone

The exit codes of every command:

====  =====================================================================================
0     done
1     the world is broken: a broker, disk or process is unavailable; the same command may work later
2     usage: the command line was wrong (from the command line parser)
3     configuration: a setting, a file or a missing program; it fails again until a person acts
4     refused, or not found: understood, and the answer is no
5     stopped to keep a promise: damaged or incompatible data or state
6     fenced: another instance owns this work
70    a defect of ours (``EX_SOFTWARE`` of BSD's sysexits): please report it with ``--debug``
130   interrupted from the keyboard (128 + SIGINT)
====  =====================================================================================
"""

import enum
from typing import ClassVar


class Exit(enum.IntEnum):
    """The meaning of a process's end; the module's docstring has the table."""

    OK = 0
    UNAVAILABLE = 1
    USAGE = 2
    CONFIGURATION = 3
    REFUSED = 4
    STOPPED = 5
    FENCED = 6
    DEFECT = 70
    INTERRUPTED = 130


class ExchangeError(Exception):
    """The world or the code is broken. ``exit_code`` is the exit code of a command that does not handle it.

    The message speaks to the person who can act: what, where, and what to do.
    """

    exit_code: ClassVar[Exit] = Exit.UNAVAILABLE


class TransientError(ExchangeError):
    """The same call may work later: pause, back off, retry; past the deadline, exit non-zero."""


class BrokerUnavailable(TransientError):
    """No Kafka broker answers, or it died."""


class RegistryUnavailable(TransientError):
    """A nation's schema registry does not answer, and its ids are not known from before."""


class CannotDecide(TransientError):
    """A decision's inputs are not known now: its shard waits, with all that it has read, and turns again."""


class DeliveryTimeout(TransientError):
    """A record or a transaction was not acknowledged in time: whether it was written is unknown."""


class FatalError(ExchangeError):
    """Retrying cannot help: exit, with nothing half-done committed."""

    exit_code: ClassVar[Exit] = Exit.STOPPED


class ConfigurationError(FatalError):
    """A setting, a file or a missing program; the message names it, and how to correct it."""

    exit_code: ClassVar[Exit] = Exit.CONFIGURATION


class TopicMismatch(ConfigurationError):
    """A topic exists with other partitions or policies than the contract's."""


class Refused(FatalError):
    """The request was understood, and the answer is no."""

    exit_code: ClassVar[Exit] = Exit.REFUSED


class NotFound(Refused):
    """The requested object does not exist."""


class SchemaIncompatible(FatalError):
    """Data or state of a newer or incompatible format: refused rather than misread."""


class RecordDamaged(FatalError):
    """Bytes of a log are damaged or gone: to continue behind them would lose what they held."""


class Unwritable(FatalError):
    """A record that the cluster refuses for good: too large, no such partition, not allowed. Names the record."""


class ProducerFenced(FatalError):
    """Another owner has taken this shard over. Stop; come back only by a new assignment."""

    exit_code: ClassVar[Exit] = Exit.FENCED
