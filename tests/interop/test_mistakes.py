# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Mistakes that people make: what is said of each, with which remedy, and how the program ends.

A table of commands as they are typed. Each row waits for words, not for time, and rows run at the
same time, since most of them only wait.
"""

import concurrent.futures
import dataclasses
import os
import shlex
import signal
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

import base
import ping_app
import pipeline

AT_ONCE = 6
NOBODY = 65534
# In place of an exit code.
WAITS = "waits"  # it says so, and goes on waiting for its peer
FAILS = "fails"  # it ends with one of the next two, since the error may come at any time
# What gst-launch ends with if a pipeline does not start, and if it fails later.
START, LATER = 255, 1
DEADLINE = 120  # seconds, for what takes one; many more where everything is slow


@dataclasses.dataclass(frozen=True)
class Row:
    """
    In `command` and `beside`, {s} is a socket path and {d} a directory of the row's own.
    `before` prepares the directory and returns what has to be closed in the end.
    """
    name: str
    command: str
    says: str
    remedy: str
    code: int | str = LATER
    beside: str = ""
    before: object = None
    nobody: bool = False


def foreign(kind):
    """Something else listens at the path."""
    def make(row):
        listener = socket.socket(socket.AF_UNIX, kind)
        listener.bind(row["s"])
        listener.listen()
        return [listener]
    return make


def in_use(row):
    """A socket that somebody is bound to without listening, as for datagrams."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.bind(row["s"])
    return [bound]


def plain_file(row):
    Path(row["s"]).write_text("not a socket")


def closed_directory(row):
    os.chmod(row["d"], 0o755)


def text_file(row):
    Path(row["d"], "c.pcap").write_text("no capture at all, but text that goes on for a while")


def capture(link_type=1, packet=bytes(60), cut=0):
    """A classic pcap file with one packet, in the row's directory."""
    def make(row):
        data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
        data += struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
        Path(row["d"], "c.pcap").write_bytes(data[:len(data) - cut])
    return make


MASTER = "memifsrc socket-path={s} role=master name=other ! fakesink async=false"
SEND = "packetgen num-buffers=3 ! memifsink socket-path={s} when-down=block "

ROWS = [
    # Roles
    Row("role forgotten on memifsink",
        "memifsrc socket-path={s} role=master ! memifsink socket-path={s}",
        "memifsink0 connects to memifsrc0 of the same pipeline", "Set role=master on both", WAITS),
    Row("role forgotten on memifsrc",
        "memifsrc socket-path={s} ! icmpresponder ! memifsink socket-path={s} role=master",
        "memifsrc0 connects to memifsink0 of the same pipeline", "Set role=master on both", WAITS),
    Row("both masters", "memifsrc socket-path={s} role=master ! fakesink",
        "another program listens there", "Use role=slave", START, beside=MASTER),
    Row("both slaves", "memifsrc socket-path={s} ! fakesink",
        "Waiting for a master at {s} id 0", "role=master on one end", WAITS,
        beside="memifsrc socket-path={s} ! fakesink"),
    # Ids, secrets, modes
    Row("wrong id", "memifsrc socket-path={s} id=2 ! fakesink",
        "unmatched interface id 2", "Set the same id on both ends", WAITS, beside=MASTER),
    Row("wrong id, said by the master", "memifsrc socket-path={s} role=master id=1 ! fakesink",
        "unmatched interface id 2", "Set the same id on both ends", WAITS,
        beside="memifsrc socket-path={s} id=2 ! fakesink"),
    Row("wrong secret", "memifsrc socket-path={s} secret=b ! fakesink",
        "incorrect secret", "Set the same secret on both ends", WAITS,
        beside=MASTER.replace("name=", "secret=a name=")),
    Row("wrong secret, said by the master",
        "memifsrc socket-path={s} role=master secret=a ! fakesink",
        "incorrect secret", "Set the same secret on both ends", WAITS,
        beside="memifsrc socket-path={s} secret=b ! fakesink"),
    Row("missing secret", "memifsrc socket-path={s} ! fakesink",
        "secret required", "Set the secret of the master on the slave", WAITS,
        beside=MASTER.replace("name=", "secret=a name=")),
    Row("wrong mode", "memifsrc socket-path={s} mode=ip ! fakesink",
        "mode mismatch", "Set the same mode on both ends", WAITS, beside=MASTER),
    Row("the id is taken", "memifsrc socket-path={s} ! fakesink",
        "already connected", "take another id", WAITS,
        beside=MASTER + " memifsrc socket-path={s} ! fakesink async=false"),
    Row("secret of 24 bytes", "memifsrc socket-path={s} secret=123456789012345678901234 ! fakesink",
        "has 24 bytes, and libmemif keeps 23", "use a shorter one", WAITS),
    Row("secret too long", "memifsrc socket-path={s} secret=1234567890123456789012345 ! fakesink",
        "Invalid secret=(hidden)", "at most 24 bytes", START),
    # Sockets
    Row("mistyped socket path", "memifsrc socket-path={s}x ! fakesink",
        "Waiting for a master at {s}x id 0: No such file or directory",
        "set the same socket-path on both ends", WAITS, beside=MASTER),
    Row("a file for an abstract socket", "memifsrc socket-path={s} ! fakesink",
        "Waiting for a master at {s} id 0: No such file or directory",
        "@{s} would be an abstract one", WAITS, beside=MASTER.replace("{s}", "@{s}")),
    Row("an abstract socket for a file", "memifsrc socket-path=@{s} ! fakesink",
        "Waiting for a master at @{s} id 0: Connection refused", "{s} would be a file", WAITS,
        beside=MASTER),
    Row("socket-path forgotten on one end",
        "memifsrc socket-path={s} role=master ! icmpresponder ! memifsink",
        "socket-path={s} of memifsrc0 is not set on memifsink0", "Set it on both", WAITS),
    Row("id forgotten on one end",
        "memifsrc socket-path={s} ! memifsink socket-path={s} id=4",
        "id=4 of memifsink0 is not set on memifsrc0", "Set it on both", WAITS),
    Row("a master's directory is missing",
        "memifsrc socket-path={d}/no/m.sock role=master ! fakesink",
        "the directory {d}/no cannot be used: No such file or directory", "Create it", START),
    Row("a slave's directory is missing", "memifsrc socket-path={d}/no/m.sock ! fakesink",
        "Waiting for a master at {d}/no/m.sock", "No such file or directory", WAITS),
    Row("path too long", "memifsrc socket-path={d}/" + 100 * "x" + " ! fakesink",
        "is too long", "Use a shorter path", START),
    Row("permission denied", "memifsrc socket-path={s} ! fakesink",
        "Permission denied", "socket-owner and socket-mode of the master", WAITS, nobody=True,
        beside=MASTER.replace("name=", "socket-mode=384 name=")),
    Row("a master in a foreign directory", "memifsrc socket-path={s} role=master ! fakesink",
        "cannot listen: Permission denied", "a directory that this user may write to", START,
        nobody=True, before=closed_directory),
    Row("another kind of program listens", "memifsrc socket-path={s} ! fakesink",
        "Protocol wrong type for socket", "Correct socket-path", WAITS,
        before=foreign(socket.SOCK_STREAM)),
    Row("another kind of program has our path", "memifsrc socket-path={s} role=master ! fakesink",
        "a program that does not speak memif uses the path", "Choose another socket-path", START,
        before=foreign(socket.SOCK_STREAM)),
    Row("a socket that only receives has our path",
        "memifsrc socket-path={s} role=master ! fakesink",
        "a program that does not speak memif uses the path", "Choose another socket-path", START,
        before=in_use),
    Row("a listener that says nothing", "memifsrc socket-path={s} ! fakesink",
        "sent nothing for 5 seconds", "whether a memif master listens there", WAITS,
        before=foreign(socket.SOCK_SEQPACKET)),
    Row("a plain file in place of the socket", "memifsrc socket-path={s} role=master ! fakesink",
        "the file there is not a socket", "choose another path", START, before=plain_file),
    Row("a plain file to dial", "memifsrc socket-path={s} ! fakesink",
        "the file there is not a socket", "choose another path", START, before=plain_file),
    Row("not in allowed-uids", "memifsrc socket-path={s} ! fakesink",
        "closes before HELLO", "Add this user to allowed-uids", WAITS,
        beside=MASTER.replace("name=", "allowed-uids=4321 name=")),
    Row("not in allowed-uids, said by the master",
        "memifsrc socket-path={s} role=master allowed-uids=4321 ! fakesink",
        "is not in allowed-uids", "Add the user to allowed-uids", WAITS,
        beside="memifsrc socket-path={s} ! fakesink"),
    Row("socket-mode without its octal zero",
        "memifsrc socket-path={s} role=master socket-mode=660 ! fakesink",
        "Invalid socket-mode=660: must be from 0 to 0777", "such as 0660", START),
    # Sizes and queues
    Row("ring-size no power of two", "memifsrc socket-path={s} ring-size=1000 ! fakesink",
        "Invalid ring-size=1000", "such as 512 or 1024", START),
    Row("ring-size too large", "memifsrc socket-path={s} ring-size=32768 ! fakesink",
        "Invalid ring-size=32768", "such as 16384", START),
    Row("buffer-size too large", "memifsrc socket-path={s} buffer-size=4294967295 ! fakesink",
        "Invalid ring-size=1024 and buffer-size=4294967295", "Use smaller rings or buffers", START),
    Row("a queue that is not there", "memifsrc socket-path={s} queue=2 ! fakesink",
        "queue=2 does not exist", "Set rx-queues to at least 3", START),
    Row("a queue that two have",
        "memifsrc socket-path={s} ! fakesink memifsrc socket-path={s} ! fakesink",
        "has a receiver already", "Choose another queue", START),
    Row("more queues than the peer", "memifsrc socket-path={s} rx-queues=2 queue=1 ! fakesink",
        "agreed to 1 receiving queue, so queue=1 carries nothing",
        "configure more queues on the peer", WAITS, beside=MASTER),
    Row("settings that differ",
        "memifsrc socket-path={s} ring-size=512 ! memifsink socket-path={s} ring-size=1024",
        "conflicts with ring-size=", "set it on only one", START),
    Row("packet too long",
        "packetgen num-buffers=3 size=9000 ! memifsink socket-path={s} when-down=block "
        "ring-size=2 buffer-size=256",
        "since the whole ring holds 512:", "Set buffer-size=9000 ring-size=16", 0, beside=MASTER),
    Row("a CPU that is not there", "memifsrc socket-path={s} cpu-affinity=999 ! fakesink",
        "cpu-affinity=999 cannot be applied", "use CPUs that this process may use", WAITS),
    # Kinds of packets
    Row("ip packets into an ethernet interface",
        "packetgen ! application/x-packet,link-type=ip ! memifsink socket-path={s}",
        "but receives link-type=ip", "Set mode=ip on memifsink", FAILS),
    Row("an ip interface into an ethernet one",
        "memifsrc socket-path={s} mode=ip ! memifsink socket-path={s}x",
        "but receives link-type=ip", "Set mode=ip on memifsink", FAILS),
    Row("an ethernet interface into an ip one",
        "memifsrc socket-path={s} ! memifsink socket-path={s}x mode=ip",
        "but receives link-type=ethernet", "Set mode=ethernet on memifsink", FAILS),
    Row("ip packets into ethbridge",
        "memifsrc socket-path={s} mode=ip ! ethbridge ! memifsink socket-path={s}",
        "The next element takes application/x-packet, link-type=(string)ethernet",
        "Set mode on memifsrc", FAILS),
    Row("ip packets into one of several ports",
        "ethbridge name=b memifsrc socket-path={s} mode=ip ! b. b. ! memifsink socket-path={s} "
        "memifsrc socket-path={s}x ! b. b. ! memifsink socket-path={s}x",
        "The next element takes application/x-packet, link-type=(string)ethernet",
        "Set mode on memifsrc", FAILS),
    Row("packets too short for their headers", "packetgen size=10 ! fakesink",
        "size=10: 42 bytes of headers", "Give 64 or more", FAILS),
    Row("ip caps before ethbridge",
        "memifsrc socket-path={s} ! application/x-packet,link-type=ip ! ethbridge ! "
        "memifsink socket-path={s}",
        "ethbridge0 can't handle caps application/x-packet", "link-type=(string)ip"),
    Row("a payloader into memifsink",
        "audiotestsrc ! audioconvert ! rtpL16pay ! memifsink socket-path={s}",
        "not application/x-rtp", "use memifudpsink, or put iphost before memifsink", FAILS),
    Row("raw video", "videotestsrc ! memifsink socket-path={s}",
        "not video/x-raw", "set any-caps=true", FAILS),
    Row("H.264", "fakesrc ! video/x-h264 ! memifsink socket-path={s}",
        "not video/x-h264", "set any-caps=true", FAILS),
    Row("no caps", "fakesrc num-buffers=1 sizetype=fixed ! memifsink socket-path={s}",
        "Buffers arrived without caps", "Put application/x-packet,link-type=ethernet between"),
    # Addresses
    Row("icmpresponder address",
        "memifsrc socket-path={s} ! icmpresponder address=192.168.1 ! fakesink",
        'The property "address" cannot be "192.168.1"', "such as 192.168.1.1", START),
    Row("icmpresponder without an address",
        "memifsrc socket-path={s} ! icmpresponder ! memifsink socket-path={s}",
        "Answering for 192.168.1.1, as no address is set", "Set address to", WAITS),
    Row("icmpresponder mac", "memifsrc socket-path={s} ! icmpresponder mac=1:2 ! fakesink",
        'The property "mac" cannot be "1:2"', "such as 02:00:c0:a8:01:01", START),
    Row("iphost address",
        "memifsrc socket-path={s} ! iphost address=10.0.0.300/24 ! memifsink socket-path={s}",
        'address="10.0.0.300": not an IP address', "such as 192.168.1.1", START),
    Row("iphost prefix",
        "memifsrc socket-path={s} ! iphost address=10.0.0.1/33 ! memifsink socket-path={s}",
        "not a prefix length", "such as 10.0.0.1/24", START),
    Row("iphost mac",
        "memifsrc socket-path={s} ! iphost address=10.0.0.1/24 mac=zz ! memifsink socket-path={s}",
        "not a MAC address", "such as 02:00:c0:a8:01:01", START),
    Row("unknown host",
        "audiotestsrc ! audioconvert ! rtpL16pay ! memifudpsink socket-path={s} "
        "address=10.0.0.1/24 host=no.such.host.invalid port=5004",
        "not an IP address", "Give a literal such as 10.0.0.2"),
    Row("packetgen address", "packetgen source-address=10.0.0.256 ! fakesink",
        "source-address=10.0.0.256", "such as 192.168.1.2", START),
    Row("packetgen mac", "packetgen destination-mac=02 ! fakesink",
        "not a MAC address", "such as 02:00:c0:a8:01:01", START),
    # Captures
    Row("filter syntax", "packetgen ! bpffilter expression='tcp prot 80' ! fakesink",
        "syntax error", "man pcap-filter describes the language", START),
    Row("no capture file", "pcapsrc location={d}/no.pcap ! fakesink",
        "No such file or directory", "Set location to a capture file that exists", START),
    Row("no location", "pcapsrc ! fakesink", "There is no file to read", "Set location", START),
    Row("truncated capture file", "pcapsrc location={d}/c.pcap ! fakesink",
        "tried to read 60 captured bytes, only got 40", "capinfos tells more", before=capture(cut=20)),
    Row("not a capture file", "pcapsrc location={d}/c.pcap ! fakesink",
        "unknown file format", "capinfos tells more", START, before=text_file),
    Row("capture of another link type", "pcapsrc location={d}/c.pcap ! fakesink",
        "its packets are of the type 802.11", "Record on an interface with Ethernet", START,
        before=capture(link_type=105)),
    Row("pcapsink cannot write", "packetgen num-buffers=1 ! pcapsink location={d}/no/c.pcap",
        "Cannot write to", "in a directory that exists", START),
    # Programs
    Row("unknown property", "memifsrc sockt-path={s} ! fakesink",
        'no property "sockt-path"', 'in element "memifsrc"'),
    Row("memifping without address", "memifping -s {s}", "give one address", "--help", 2),
    Row("memifping, wrong address", "memifping -s {s} 10.0.0",
        "'10.0.0' is no IPv4 or IPv6 address", "such as 192.168.1.1", 2),
    Row("memifping, wrong role", "memifping -s {s} --role=boss 10.0.0.1",
        "--role=boss", "choose slave or master", 2),
    Row("memifping, unknown option", "memifping --sockt={s} 10.0.0.1",
        "Unknown option --sockt", "--help", 2),
    Row("memifping, nobody listens", "memifping -s {s} 10.0.0.1",
        "nobody listens at {s}", "Start a master there, or wait for one with --wait=SECONDS", 2),
    Row("memifping, nobody comes", "memifping -s {s} --role=master --wait=0.2 10.0.0.1",
        "Listening at {s} id 0 for a slave", "no peer within 0.2 s", 2),
    Row("memifping is refused", "memifping -s {s} 10.0.0.1 --id=3",
        "memifping: the peer disconnected: unmatched interface id 3", "Set the same id on both ends",
        2, beside=MASTER),
    Row("memifping, an ip interface", "memifping -s {s} 10.0.0.1",
        "mode mismatch", "Set mode=ethernet on the peer", 2,
        beside=MASTER.replace("name=", "mode=ip name=")),
    Row("responder, unknown key", "ping --vdev=m,sock={s}", "unknown key 'sock'", "allowed: i, ip",
        2),
    Row("responder, unknown option", "ping --devs=m", "unknown option '--devs=m'", "allowed:", 2),
    Row("responder, wrong address", "ping -s {s} -a 192.168.1", "-a 192.168.1 is wrong",
        "such as 192.168.1.1", 2),
    Row("responder, both masters", "ping --vdev=m,r=master,s={s}", "another program listens there",
        "Use role=slave", beside=MASTER),
    Row("responder, unknown interval", "ping --stats=often --vdev=m,s={s}",
        "--stats=often is wrong", "seconds from 0.1", 2),
    Row("responder, wrong id", "ping --vdev=m,i=7,s={s}", "unmatched interface id 7",
        "Set the same id on both ends", WAITS, beside=MASTER),
    # No mistakes, but said too
    Row("a link that is up", "memifsrc socket-path={s} ! fakesink",
        "Link up as slave with other: 1 queue each way", "ring 1024, buffers 2048, zero-copy",
        WAITS, beside=MASTER),
    Row("figures of packetcheck", "packetgen count=5 ! packetcheck count=5",
        "packetcheck0: 5 of 5 packets arrived intact", "0 lost", 0),
    Row("figures of captures", "pcapsrc location={d}/c.pcap ! pcapsink location={d}/d.pcap",
        "pcapsrc0: 1 packet with 60 bytes read.",
        "pcapsink0: 1 packet with 60 bytes recorded in 1 file.", 0, before=capture()),
]

# Pipelines that look alike and are meant: no word of a mistake.
MEANT = [
    "packetgen ! memifsink socket-path={s} memifsrc socket-path={s} role=master ! fakesink",
    "memifsrc socket-path={s} role=master ! memifsink socket-path={s}x role=master",
    "memifsrc socket-path={s} id=1 role=master ! memifsink socket-path={s} id=2 role=master",
    "memifsrc socket-path={s} role=master ! icmpresponder address=10.0.0.1 ! "
    "memifsink socket-path={s} role=master",
    "memifsrc name=a socket-path={s} id=1 ! memifsink name=b socket-path={s} "
    "memifsrc name=c socket-path={s} ! memifsink name=d socket-path={s} id=1",
]


class Process:
    """A command of the table, with its output in a file."""

    def __init__(self, command, nobody=False):
        words = shlex.split(command)
        if words[0] in ("memifping", "ping"):
            words[0] = str(ping_app.example(words[0]))
        else:
            words.insert(0, "gst-launch-1.0")
        env = {**pipeline.environment(), "GST_DEBUG": "0", "LC_ALL": "C"}
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            words, env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            preexec_fn=pipeline.die_with_parent, user=NOBODY if nobody else None,
            extra_groups=[] if nobody else None)

    def output(self):
        """What it printed, in one line."""
        self.log.seek(0)
        return " ".join(self.log.read().split())

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class MistakesTest(base.InteropTest):
    @classmethod
    def why_not(cls):
        return ping_app.missing()

    def judge(self, row, number):
        """None, or what is wrong."""
        if row.nobody and os.geteuid() != 0:
            return None
        directory = f"{self.directory}/{number}"
        os.mkdir(directory)
        os.chmod(self.directory, 0o755)
        os.chmod(directory, 0o777)
        names = {"d": directory, "s": f"{directory}/s"}

        def fill(text):
            return text.replace("{d}", names["d"]).replace("{s}", names["s"])

        opened = list(row.before(names) or ()) if row.before else []
        try:
            if row.beside:
                opened.append(other := Process(fill(row.beside)))
                pipeline.wait_for(lambda: "Waiting for" in other.output() or "Listening at" in
                                  other.output(), 20, f"the program beside: {other.output()}")
                if "fakesink async=false memifsrc" in row.beside:
                    pipeline.wait_for(lambda: "Link up" in other.output(), 20, "its link")
            opened.append(tried := Process(fill(row.command), row.nobody))
            return self.watch(row, tried, [fill(row.says), fill(row.remedy)])
        except AssertionError as error:
            return str(error)
        finally:
            for thing in opened:
                thing.close()

    def watch(self, row, tried, expected):
        def ended():
            return tried.process.poll() is not None

        def done():
            return ended() or row.code == WAITS and all(words in tried.output() for words in expected)
        try:
            pipeline.wait_for(done, DEADLINE, "what is expected")
        except AssertionError:
            return f"does not say {expected}, or does not end: {tried.output()}"
        if "gstmemif-Message" in tried.output():
            return f"says it a second time, as a log message: {tried.output()}"
        missing = [words for words in expected if words not in tried.output()]
        allowed = {WAITS: (None,), FAILS: (START, LATER)}.get(row.code, (row.code,))
        wrong_code = tried.process.poll() not in allowed
        if missing or wrong_code:
            return f"ends with {tried.process.poll()}, without {missing}: {tried.output()}"
        return None

    def test_all(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(self.judge, ROWS, range(len(ROWS))))
        for row, wrong in zip(ROWS, results):
            with self.subTest(row.name):
                if row.nobody and os.geteuid() != 0:
                    self.skipTest("only root can be another user")
                self.assertIsNone(wrong)

    def test_no_false_alarm(self):
        for number, command in enumerate(MEANT):
            with self.subTest(command):
                running = Process(command.replace("{s}", f"{self.directory}/m{number}"))
                try:
                    pipeline.wait_for(lambda: "to PLAYING" in running.output(), DEADLINE, "a start")
                    self.assertNotIn("WARNING", running.output())
                finally:
                    running.close()

    def test_sockets_go_with_the_programs(self):
        """Our programs take their socket files with them when they are asked to end."""
        for program in ("ping --vdev=m,r=master,s={s}", "memifping --role=master -s {s} 10.0.0.1"):
            for how in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(program=program, signal=how.name):
                    path = f"{self.directory}/gone"
                    running = Process(program.replace("{s}", path))
                    try:
                        self.wait_socket(path)
                        pipeline.wait_for(lambda: "CTRL+C" in running.output() or
                                          "Listening" in running.output(), DEADLINE, "a start")
                        running.process.send_signal(how)
                        running.process.wait(DEADLINE)
                        self.assertFalse(os.path.exists(path))
                    finally:
                        running.close()
