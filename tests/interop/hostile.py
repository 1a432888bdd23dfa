# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""Tools both hostile sides use: wrong descriptors, wrong messages, waiting to be shown out."""

import contextlib
import fcntl
import functools
import itertools
import multiprocessing
import os
import resource
import select
import socket
import struct
import tempfile
import threading
import time

import memif_wire as wire
from memif_wire import Channel, Gone, ProtocolError, Refused

REFUSAL_TIMEOUT = 30.0   # the handshake's own time-out is 5 s


class NotRefused(AssertionError):
    """The other side went on as if nothing had happened."""


def wait_refused(channel, timeout=REFUSAL_TIMEOUT):
    """Until the other side says DISCONNECT or closes; further answers in between are allowed."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            message = channel.recv(deadline - time.monotonic())
        except Gone:
            return
        except TimeoutError:
            raise NotRefused(f"still connected after {timeout} s") from None
        for fd in message.fds:
            os.close(fd)
        if message.type == wire.DISCONNECT:
            return
        if message.type == wire.CONNECTED:
            raise NotRefused("the connection was made nevertheless")


def wrong_messages(states, legal, at):
    """An attack by name for each message in each state where it is not legal.

    `at(target, state)` brings a connection to that state.
    """
    def attack(state, data, target):
        with at(target, state) as peer:
            with contextlib.suppress(Gone):
                peer.channel.send(data)
            wait_refused(peer.channel)

    return {f"message-{name}-at-{state}": functools.partial(attack, state, data)
            for state in states for name, data in MESSAGES.items() if (state, name) not in legal}


def settle(channel, timeout=0.15):
    """Gives the other side a moment with what it got, whether it closes or not."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            for fd in channel.recv(deadline - time.monotonic()).fds:
                os.close(fd)
        except (Gone, TimeoutError, ProtocolError):
            return


@contextlib.contextmanager
def wrong_fd(kind, size=1 << 20):
    """A descriptor that is not what the protocol asks for."""
    keep = []
    try:
        if kind == "pipe":
            keep += os.pipe()
        elif kind == "full-pipe":
            keep += os.pipe()[::-1]
            os.set_blocking(keep[0], False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(keep[0], bytes(4096))
            os.set_blocking(keep[0], True)
        elif kind == "file":
            with tempfile.TemporaryFile() as file:
                keep.append(os.dup(file.fileno()))
            os.ftruncate(keep[0], size)
        elif kind == "null":
            keep.append(os.open("/dev/null", os.O_RDWR))
        elif kind == "zero":
            keep.append(os.open("/dev/zero", os.O_RDWR))
        elif kind == "socket":
            keep += [end.detach() for end in socket.socketpair()]
        elif kind == "directory":
            keep.append(os.open("/tmp", os.O_RDONLY))
        elif kind == "path":
            keep.append(os.open("/tmp", os.O_PATH))
        elif kind == "epoll":
            with select.epoll() as poll:
                keep.append(os.dup(poll.fileno()))
        elif kind == "eventfd":
            keep.append(os.eventfd(0, os.EFD_NONBLOCK))
        elif kind == "blocking-eventfd":
            keep.append(os.eventfd(0, 0))
        elif kind == "semaphore-eventfd":
            keep.append(os.eventfd(1 << 31, os.EFD_NONBLOCK | os.EFD_SEMAPHORE))
        elif kind == "memfd":
            keep.append(memfd(size))
        elif kind == "readonly-memfd":
            keep.append(memfd(size))
            keep.insert(0, os.open(f"/proc/self/fd/{keep[0]}", os.O_RDONLY))
        elif kind == "unsealed-memfd":
            keep.append(memfd(size, 0))
        elif kind == "write-sealed-memfd":
            keep.append(memfd(size, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE))
        elif kind == "empty-memfd":
            keep.append(memfd(0))
        else:
            raise ValueError(kind)
        yield keep[0]
    finally:
        for fd in keep:
            with contextlib.suppress(OSError):
                os.close(fd)


def memfd(size, seals=fcntl.F_SEAL_SHRINK):
    fd = os.memfd_create("hostile", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def saturate(fd):
    """Fills an eventfd: a further write would block, or fail when non-blocking."""
    with contextlib.suppress(BlockingIOError):
        os.eventfd_write(fd, (1 << 64) - 2)


def make_blocking(fd):
    """File flags belong to the open file, hence to both sides: theirs blocks now as well."""
    os.set_blocking(fd, True)


def punch_hole(fd, size):
    """Throws the pages away without shrinking the file; seals allow that."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate(fd, 0x02 | 0x01, ctypes.c_long(0), ctypes.c_long(size))


def desc(flags=0, region=0, length=64, offset=0, metadata=0):
    return (flags & 0xFFFF, region & 0xFFFF, length & 0xFFFFFFFF, offset & 0xFFFFFFFF, metadata)


class Scribbler:
    """Rewrites bytes of shared memory as fast as it can, from a thread, while traffic flows."""

    def __init__(self, mem, places):
        """`places`: [(offset, [bytes, bytes, ...]), ...], written in turn."""
        self.mem, self.places, self.stop = mem, places, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        mem, places = self.mem, self.places
        while not self.stop.is_set():
            for _ in range(200):
                for offset, values in places:
                    for value in values:
                        mem[offset:offset + len(value)] = value

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def raw(kind, size=wire.MESSAGE_SIZE):
    """A message of any type number, and of any size, with nothing in it."""
    return struct.pack("=H", kind).ljust(size, b"\0")[:size]


# Messages by name, for the matrix of wrong message against state.
MESSAGES = {
    "none": raw(wire.NONE), "ack": wire.ack(), "hello": wire.hello(), "init": wire.init(),
    "add-region": wire.add_region(0, 65536), "add-ring": wire.add_ring(0, 0, 0, 0, 10),
    "connect": wire.connect(), "connected": wire.connected(), "type-9": raw(9),
    "type-255": raw(255), "type-65535": raw(65535), "size-1": b"\x01", "size-2": raw(1, 2),
    "size-127": raw(1, 127), "size-129": raw(1, 129), "size-4096": raw(1, 4096),
}


# --- crowds ------------------------------------------------------------------------------------

def greeted(path):
    """A connection that listens, and says nothing; it may be closed already."""
    return Channel.dial(path, time.monotonic() + 5)


def squat(path):
    """Once: says INIT, and then nothing until it is shown the door."""
    channel = Channel.dial(path, time.monotonic() + 1)
    try:
        channel.expect(wire.HELLO, time.monotonic() + 1)
        channel.send(wire.init())
        while True:
            channel.recv(10)
    finally:
        channel.close()


def ring_the_bell(path):
    """Once: connects, and leaves again."""
    greeted(path).close()


@contextlib.contextmanager
def crowd(visit, path, programs):
    """Several programs that do nothing but visiting, until the end."""
    def program():
        while True:
            with contextlib.suppress(Gone, Refused, ProtocolError, TimeoutError, OSError):
                visit(path)

    processes = [multiprocessing.get_context("fork").Process(target=program, daemon=True)
                 for _ in range(programs)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


@contextlib.contextmanager
def few_descriptors(pipe, left):
    """Lets a running pipeline open only so many files more."""
    used = {int(name) for name in os.listdir(f"/proc/{pipe.pid}/fd")}
    free = (n for n in itertools.count() if n not in used)
    limit = next(itertools.islice(free, left, None))
    before = resource.prlimit(pipe.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pipe.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pipe.pid, resource.RLIMIT_NOFILE, before)
