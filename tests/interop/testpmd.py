# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""dpdk-testpmd as a forwarder between two virtual devices.

It polls, hence keeps one core busy as long as it runs. Options that matter here: path sockets are
not DPDK's default, a region's buffers have to be of the server's `bsize`, and multi-segment
transmission has to be switched on for packets longer than a buffer.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline import die_with_parent, wait_for

MULTI_SEGS = 0x8000
_numbers = itertools.count()


def missing():
    """Why testpmd cannot run here, or None."""
    if os.geteuid():
        return "testpmd needs root"
    if not shutil.which("dpdk-testpmd"):
        return "dpdk-testpmd is not installed"
    return None


def memif(number, role, path, id=0, **more):
    """A --vdev of the memif driver; role in DPDK's words, server or client."""
    settings = dict(role=role, id=id, socket=path, bsize=2048, rsize=10, **more)
    settings["socket-abstract"] = "no"
    return f"net_memif{number}," + ",".join(f"{k}={v}" for k, v in settings.items())


class Testpmd:
    """Forwards between its devices, port 0 <-> port 1, from construction to `stop`."""

    def __init__(self, *devices, netns=None, offloads=MULTI_SEGS, extra=()):
        self.prefix = f"interop{os.getpid()}x{next(_numbers)}"
        command = ["ip", "netns", "exec", netns] if netns else []
        command += ["stdbuf", "-oL", "dpdk-testpmd", "-l", "0,1", "--no-huge", "--no-pci", "-m",
                    "256", "--no-telemetry", f"--file-prefix={self.prefix}"]
        command += [f"--vdev={device}" for device in devices]
        command += ["--", "--total-num-mbufs=16384", "--forward-mode=io", "--no-mlockall",
                    f"--tx-offloads={offloads:#x}", *extra]
        self.log = tempfile.NamedTemporaryFile("w+", prefix="interop-testpmd-", suffix=".log")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=die_with_parent)

    def output(self):
        return Path(self.log.name).read_text(errors="backslashreplace")

    def started(self):
        """Forwarding has begun; it comes after a wait of up to 9 s for links that are down."""
        if self.process.poll() is not None:
            raise AssertionError(f"testpmd ended with {self.process.returncode}:\n"
                                 f"{self.output()[-3000:]}")
        return "Press enter to exit" in self.output()

    def wait_started(self, timeout=20):
        wait_for(self.started, timeout, "testpmd's start of forwarding")
        return self

    def stop(self):
        """Ends it and returns {port: (received, sent, dropped on sending)}."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        code = self.process.wait(60)
        if code:
            raise AssertionError(f"testpmd ended with {code}:\n{self.output()[-3000:]}")
        found = re.findall(r"Forward statistics for port (\d+)\s.*?RX-packets: (\d+).*?"
                           r"TX-packets: (\d+)\s+TX-dropped: (\d+)", self.output(), re.S)
        return {int(port): (int(rx), int(tx), int(drop)) for port, rx, tx, drop in found}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(f"--- testpmd\n{self.output()[-3000:]}---", file=sys.stderr)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.log.close()
        shutil.rmtree(f"/var/run/dpdk/{self.prefix}", ignore_errors=True)
