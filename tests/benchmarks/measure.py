# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""One run: starts a device and the load generator, takes its line of JSON, ends both."""

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from devices import CPU_LOAD, Testpmd

# A polling device with less than this share of its core: the machine was busy.
CONTENDED = 0.9


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def held(pid):
    """What a process has of the things that may run out. The memory of links is shared."""
    directory = Path("/proc", str(pid))
    lines = (directory / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return {"own_kb": int(status["RssAnon"].split()[0]),
            "shared_kb": int(status["RssShmem"].split()[0]),
            "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(directory / "fd")),
            "mappings": len((directory / "maps").read_text().splitlines())}


class Bench:
    def __init__(self, build, priority):
        self.build = Path(build).resolve()
        self.loadgen = str(self.build / "tests/benchmarks/loadgen")
        self.environment = dict(os.environ, GST_PLUGIN_PATH=str(self.build / "plugins"),
                                GST_REGISTRY=str(self.build / "benchmarks/registry.bin"))
        self.runs = 0
        if priority:
            # Of this process session (setsid) against others on the machine; it ends with it.
            Path("/proc/self/autogroup").write_text("-20")

    def _device(self, command, log):
        # testpmd ends at a key press or at the end of its input, so it gets an input without any.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log,
                                   stderr=subprocess.STDOUT, env=self.environment)
        return process

    def run(self, device, setup, seconds=1.0, warmup=1.0, load=(), look=False):
        """The generator's result, with `error` in it if there is none.

        Looks, if it is to, at what the device holds meanwhile, which costs the generator some time.
        """
        missing = getattr(device, "missing", lambda: None)()
        if missing:
            return {"error": f"not run: {missing}"}
        self.runs += 1
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            socket = f"{directory}/memif.sock"
            command = device.command(setup, socket)
            if isinstance(command, str):
                return {"error": command}
            role = "master" if setup.role == "slave" else "slave"
            interfaces = 2 if setup.task == "forward" else setup.interfaces
            generator = [self.loadgen, f"--mode={setup.task}", f"--role={role}", f"--socket-path={socket}",
                         f"--size={setup.size}", f"--seconds={seconds}", f"--warmup={warmup}",
                         f"--cpu={CPU_LOAD}", f"--interfaces={interfaces}", "--timeout=12000",
                         f"--queues={setup.queues}", f"--buffer-size={setup.buffer_size}",
                         f"--ring-size={setup.ring_size}", *load]
            return self._pair(command, generator, role == "master", socket, look)

    def _pair(self, command, generator, listen_first, socket, look):
        looks = []
        with tempfile.TemporaryFile("w+") as log:
            process = None
            if not listen_first:
                process = self._device(command, log)
            started_at = time.monotonic_ns()
            load = subprocess.Popen(generator, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    text=True)
            try:
                if listen_first:  # some devices dial once only
                    while not os.path.exists(socket) and load.poll() is None:
                        time.sleep(0.002)
                    time.sleep(0.02)
                    started_at = time.monotonic_ns()
                    process = self._device(command, log)
                while look and load.poll() is None and process.poll() is None:
                    looks.append(held(process.pid))
                    time.sleep(0.1)
                out, _ = load.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                out = ""
            finally:
                stop(load)
                if process:
                    stop(process)
                    process.stdin.close()
            try:
                result = json.loads(out.strip().splitlines()[-1])
            except (ValueError, IndexError):
                result = {"error": "the generator gave no result"}
            if "error" in result:
                log.seek(0)
                said = [line for line in log.read().splitlines() if line.strip()]
                result["said"] = said[-3:]
            else:
                result["to_link_ms"] = (result["linked_at_ns"] - started_at) / 1e6
                result["to_first_ms"] = (result["first_at_ns"] - started_at) / 1e6
                # The most: the last look may have been after the links had gone.
                result.update({key: max(one[key] for one in looks) for key in looks[-1]}
                              if looks else {})
            return result

    def comeback(self, device, setup):
        """A peer that goes and returns: milliseconds to the link and, again, to the first packet."""
        with tempfile.TemporaryDirectory(prefix="bench-") as directory, \
                tempfile.TemporaryFile("w+") as log:
            socket = f"{directory}/memif.sock"
            role = "master" if setup.role == "slave" else "slave"
            generator = [self.loadgen, f"--role={role}", f"--socket-path={socket}", "--seconds=0.05",
                         "--warmup=0", f"--cpu={CPU_LOAD}", "--timeout=12000"]
            started_at = time.monotonic_ns()
            process = self._device(device.command(setup, socket), log)
            try:
                first = json.loads(subprocess.run(generator, capture_output=True, text=True,
                                                  timeout=20).stdout)
                time.sleep(0.5)
                returned_at = time.monotonic_ns()
                again = json.loads(subprocess.run(generator, capture_output=True, text=True,
                                                  timeout=20).stdout)
                return {"to_link_ms": (first["linked_at_ns"] - started_at) / 1e6,
                        "return_ms": (again["first_at_ns"] - returned_at) / 1e6}
            except (KeyError, ValueError, subprocess.TimeoutExpired):
                return {"error": "no link"}
            finally:
                stop(process)
                process.stdin.close()
