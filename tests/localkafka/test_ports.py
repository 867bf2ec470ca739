"""Brokers that are started at the same time by several processes get different ports."""

import os
import subprocess
import sys

from localkafka import ports
from localkafka.ports import free_ports

_ASK = "from localkafka.ports import free_ports; print(free_ports().client, flush=True); input()"


def test_a_port_that_another_process_was_given_is_not_given_again() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        taken = int(other.stdout.readline())
        assert ports._locked(taken) is None
        other.stdin.close()
    lock = ports._locked(taken)
    assert lock is not None, "it is released when its process ends"
    os.close(lock)


def test_a_process_never_gets_a_port_twice_in_a_row() -> None:
    given = [port for _ in range(20) for each in (free_ports(),) for port in (each.client, each.controller)]
    assert len(set(given)) == len(given)
