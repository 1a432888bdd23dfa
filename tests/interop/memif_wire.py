# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""The control channel of memif: 128-byte messages on a SEQPACKET socket.

Written from the protocol description alone and sharing nothing with the C++ engine, so that a
misreading on one side shows as a disagreement instead of being agreed upon by both.
"""

import array
import os
import select
import socket
import struct
import time

MESSAGE_SIZE = 128
VERSION = 0x0200
COOKIE = 0x3E31F20

NONE, ACK, HELLO, INIT, ADD_REGION, ADD_RING, CONNECT, CONNECTED, DISCONNECT = range(9)
TYPE_NAMES = ("NONE", "ACK", "HELLO", "INIT", "ADD_REGION", "ADD_RING", "CONNECT", "CONNECTED",
              "DISCONNECT")

RING_S2M = 1
MODES = {"ethernet": 0, "ip": 1, "punt-inject": 2}

# Packed payloads, type included; '=' keeps host order, which is what memif puts on the wire.
_HELLO = struct.Struct("=H32sHHHHHB")
_INIT = struct.Struct("=HHIB24s32s")
_ADD_REGION = struct.Struct("=HHQ")
_ADD_RING = struct.Struct("=HHHHIBH")
_NAME = struct.Struct("=H32s")
_DISCONNECT = struct.Struct("=HI96s")


class ProtocolError(Exception):
    """The other side broke a rule of memif."""


class Refused(Exception):
    """The other side said DISCONNECT; the text is its reason."""


class Gone(Exception):
    """The other side closed the control channel."""


def wait(readable, timeout, writable=()):
    """Whether anything is ready within the time; poll, as select knows no large descriptors."""
    poll = select.poll()
    for each in readable:
        poll.register(each, select.POLLIN)
    for each in writable:
        poll.register(each, select.POLLOUT)
    return bool(poll.poll(max(0, timeout) * 1000))


def _fill(payload):
    return payload.ljust(MESSAGE_SIZE, b"\0")


def _raw(text):
    return text if isinstance(text, bytes) else text.encode()


def _text(field):
    return field.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def ack():
    return _fill(struct.pack("=H", ACK))


def hello(name="interop", min_version=VERSION, max_version=VERSION, max_region=255,
          max_m2s=255, max_s2m=255, max_log2=14):
    return _fill(_HELLO.pack(HELLO, _raw(name), min_version, max_version, max_region, max_m2s,
                             max_s2m, max_log2))


def init(id=0, mode=0, secret=b"", name="interop", version=VERSION):
    return _fill(_INIT.pack(INIT, version, id, mode, _raw(secret), _raw(name)))


def add_region(index, size):
    return _fill(_ADD_REGION.pack(ADD_REGION, index, size))


def add_ring(flags, index, region, offset, log2, private_hdr_size=0):
    return _fill(_ADD_RING.pack(ADD_RING, flags, index, region, offset, log2, private_hdr_size))


def connect(if_name="interop0"):
    return _fill(_NAME.pack(CONNECT, _raw(if_name)))


def connected(if_name="interop0"):
    return _fill(_NAME.pack(CONNECTED, _raw(if_name)))


def disconnect(reason="bye", code=0):
    return _fill(_DISCONNECT.pack(DISCONNECT, code, _raw(reason)))


class Message:
    """One received message, its fields as attributes, with the descriptors that came along."""

    _SIZES = {HELLO: _HELLO.size, INIT: _INIT.size, ADD_REGION: _ADD_REGION.size,
              ADD_RING: _ADD_RING.size, CONNECT: _NAME.size, CONNECTED: _NAME.size,
              DISCONNECT: _DISCONNECT.size, ACK: 2, NONE: 2}

    def __init__(self, data, fds):
        self.data, self.fds = data, fds
        if len(data) != MESSAGE_SIZE:
            raise ProtocolError(f"message of {len(data)} bytes")
        self.type = struct.unpack_from("=H", data)[0]
        if self.type >= len(TYPE_NAMES):
            raise ProtocolError(f"unknown message type {self.type}")
        self.name_of_type = TYPE_NAMES[self.type]
        self.unused = data[self._SIZES[self.type]:]
        getattr(self, "_parse_" + self.name_of_type.lower(), lambda: None)()

    def _parse_hello(self):
        (_, name, self.min_version, self.max_version, self.max_region, self.max_m2s,
         self.max_s2m, self.max_log2) = _HELLO.unpack_from(self.data)
        self.name = _text(name)

    def _parse_init(self):
        _, self.version, self.id, self.mode, self.secret, name = _INIT.unpack_from(self.data)
        self.name = _text(name)

    def _parse_add_region(self):
        _, self.index, self.size = _ADD_REGION.unpack_from(self.data)

    def _parse_add_ring(self):
        (_, self.flags, self.index, self.region, self.offset, self.log2,
         self.private_hdr_size) = _ADD_RING.unpack_from(self.data)

    def _parse_connect(self):
        self.name = _text(_NAME.unpack_from(self.data)[1])

    _parse_connected = _parse_connect

    def _parse_disconnect(self):
        _, self.code, reason = _DISCONNECT.unpack_from(self.data)
        self.reason = _text(reason)

    def __repr__(self):
        return f"{self.name_of_type}({len(self.fds)} fds)"


def address(path):
    """The socket address of a path; `@name` is abstract, without padding or trailing NUL."""
    return "\0" + path[1:] if path.startswith("@") else path


def listen(path, backlog=64):
    """A listening socket that also asks for credentials, as memif masters do."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not path.startswith("@") and os.path.exists(path):
        os.unlink(path)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    sock.bind(address(path))
    sock.listen(backlog)
    return sock


class Channel:
    """One control connection. Closes unclaimed descriptors."""

    def __init__(self, sock):
        self.sock = sock
        self.received = []

    @classmethod
    def dial(cls, path, deadline):
        """Connects, waiting for a listener until the deadline."""
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                sock.settimeout(max(0.01, deadline - time.monotonic()))
                sock.connect(address(path))
                return cls(sock)
            except (FileNotFoundError, ConnectionRefusedError, BlockingIOError, TimeoutError):
                sock.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            except BaseException:
                sock.close()
                raise

    @classmethod
    def accept(cls, listener, deadline):
        if not wait([listener], deadline - time.monotonic()):
            raise TimeoutError("nobody dialled")
        return cls(listener.accept()[0])

    def fileno(self):
        return self.sock.fileno()

    def send(self, data, fds=()):
        """Sends exactly these bytes and descriptors, however wrong they are."""
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.sock.sendmsg([data], control, socket.MSG_NOSIGNAL)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone("closed while sending") from error

    def recv(self, timeout):
        """The next message; Gone at EOF, TimeoutError when nothing comes."""
        if not wait([self.sock], timeout):
            raise TimeoutError("no message came")
        try:
            data, control, flags, _ = self.sock.recvmsg(
                4 * MESSAGE_SIZE, 4096, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError as error:
            raise Gone("connection reset") from error
        fds = []
        for level, kind, body in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                ints = array.array("i")
                ints.frombytes(body[:len(body) - len(body) % ints.itemsize])
                fds += ints
        if not data:
            raise Gone("end of file")
        try:
            message = Message(data, fds)
        except ProtocolError:
            for fd in fds:
                os.close(fd)
            raise
        self.received.append(message)
        return message

    def expect(self, kind, deadline):
        """The next message, which has to be of this type; a DISCONNECT becomes Refused."""
        message = self.recv(deadline - time.monotonic())
        if message.type == DISCONNECT:
            raise Refused(message.reason)
        if message.type != kind:
            raise ProtocolError(f"{message!r} where {TYPE_NAMES[kind]} was due")
        return message

    def close(self):
        self.sock.close()
