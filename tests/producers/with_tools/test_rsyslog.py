"""A real rsyslog that forwards a file by RFC 5425 to a listener that is stopped and started while lines are written."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.consumers.with_tools.daemons import daemon, free_port, program
from tests.link.certificates import Authority
from tests.polling import eventually
from tests.producers.following import Follower, writing
from tests.producers.syslogging import is_open

pytestmark = pytest.mark.tools

_LINES = 1000  # at a time
# rsyslog's OpenSSL driver reads from a connection that it has closed already (osslEndSess, 8.2302 and later). With
# processInternalMessages="off" another thread may have that descriptor by then, for /dev/log: the read never ends.
_CONFIGURATION = """
global(processInternalMessages="on" workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriver="{driver}"
       defaultNetstreamDriverCAFile="{authority}" defaultNetstreamDriverCertFile="{certificate}"
       defaultNetstreamDriverKeyFile="{key}")
module(load="imfile" mode="inotify")
input(type="imfile" file="{file}" tag="sensor:" ruleset="forwarded")
ruleset(name="forwarded") {{
  action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="octet-counted"
         streamDriver="{driver}" streamDriverMode="1" streamDriverAuthMode="x509/certvalid"
         template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1" action.resumeInterval="1"
         queue.type="LinkedList" queue.size="100000")
}}
"""


@contextmanager
def forwarding(folder: Path, driver: str, file: Path, authority: Authority, port: int) -> Iterator[None]:
    """An rsyslog that sends the lines of the file there."""
    client = authority.issue("sender")
    configuration = folder / "rsyslog.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            driver=driver,
            authority=authority.file,
            certificate=client.certificate,
            key=client.key,
            file=file,
            port=port,
        )
    )
    command = [program("rsyslogd", "rsyslog"), "-n", "-f", f"{configuration}", "-i", f"{folder}/pid"]
    with daemon(command, folder / "rsyslog.log", (folder / "pid").exists):
        yield


@pytest.mark.parametrize(("driver", "package"), [("ossl", "rsyslog-openssl"), ("gtls", "rsyslog-gnutls")])
def test_a_listener_that_is_stopped_within_a_message_loses_none_of_rsyslog_and_counts_none_twice(
    tmp_path: Path, driver: str, package: str
) -> None:
    if not list(Path("/usr/lib").glob(f"*/rsyslog/lmnsd_{driver}.so")):
        pytest.skip(f"rsyslog's driver {driver} is not installed: apt-get install {package}")
    spool, authority, port = tmp_path / "spool", Authority(tmp_path, "syslog"), free_port()
    spool.mkdir()
    (spool / "secret").write_bytes(authority.issue("listener").both.read_bytes())
    (spool / "authorities").write_bytes(authority.file.read_bytes())
    follower, listens = Follower(spool, f"syslog+tls://127.0.0.1:{port}"), f"it listens at {port}"
    with writing(tmp_path / "sensor.log") as writer, ExitStack() as rsyslog:
        for turn in range(4):
            with follower:
                if turn == 0:  # rsyslog sends a message twice if no one listens at its start
                    eventually(lambda: is_open(port), 20, listens)
                    rsyslog.enter_context(forwarding(tmp_path, driver, writer.path, authority, port))
                writer.write(_LINES)
                follower.waits_for(writer.written)
                writer.write(_LINES)
                follower.end(signal.SIGTERM)
        with follower:
            follower.waits_for(writer.written)
            follower.end()
    counts = Counter(follower.values())
    assert [value for value in writer.values() if not counts[value]] == []
    assert [value for value, count in counts.items() if count > 1] == []
