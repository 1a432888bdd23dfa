#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
"""A program of libmemif: sends back on each queue what comes there, without a change.

    libmemif_echo.py LIBRARY slave|master SOCKET QUEUES MODE BUFFER-SIZE SECRET
"""

import ctypes
import os
import sys
from ctypes import POINTER, byref, c_char, c_int, c_long, c_uint8, c_uint16, c_uint32, c_void_p

BURST = 256
NO_ROOM, MORE = 18, 19     # MEMIF_ERR_NOBUF_RING, and MEMIF_ERR_NOBUF: packets are left in the ring
MODES = {"ethernet": 0, "ip": 1}


class SocketArguments(ctypes.Structure):
    _fields_ = [("path", c_char * 108), ("app_name", c_char * 32), ("interval", c_long * 2),
                ("value", c_long * 2), ("on_fd", c_void_p), ("alloc", c_void_p),
                ("realloc", c_void_p), ("free", c_void_p)]


class Arguments(ctypes.Structure):
    _fields_ = [("socket", c_void_p), ("secret", c_uint8 * 24), ("s2m_rings", c_uint8),
                ("m2s_rings", c_uint8), ("buffer_size", c_uint16), ("log2_ring_size", c_uint8),
                ("is_master", c_uint8), ("id", c_uint32), ("name", c_char * 32),
                ("mode", c_uint8)]


class Buffer(ctypes.Structure):
    _fields_ = [("index", c_uint16), ("queue", c_void_p), ("length", c_uint32),
                ("flags", c_uint8), ("data", c_void_p)]


ON_CHANGE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
ON_PACKETS = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint16)


class Echo:
    """One interface of libmemif."""

    def __init__(self, library, role, path, queues, mode, size, secret):
        self.lib = ctypes.CDLL(library)
        self.lib.memif_strerror.restype = ctypes.c_char_p
        for name, types in (
                ("memif_rx_burst", (c_void_p, c_uint16, c_void_p, c_uint16, POINTER(c_uint16))),
                ("memif_tx_burst", (c_void_p, c_uint16, c_void_p, c_uint16, POINTER(c_uint16))),
                ("memif_refill_queue", (c_void_p, c_uint16, c_uint16, c_uint16)),
                ("memif_buffer_alloc", (c_void_p, c_uint16, c_void_p, c_uint16, POINTER(c_uint16),
                                        c_uint16)),
                ("memif_poll_event", (c_void_p, c_int))):
            getattr(self.lib, name).argtypes = types
        self.queues, self.size = queues, size
        self.callbacks = ON_CHANGE(self.up), ON_CHANGE(self.down), ON_PACKETS(self.packets)
        self.socket, self.connection = c_void_p(), c_void_p()
        socket = SocketArguments(path=path.encode(), app_name=b"libmemif-echo")
        if role == "slave":
            socket.value[0] = socket.interval[0] = 1
        self.call("memif_create_socket", byref(self.socket), byref(socket), None)
        arguments = Arguments(self.socket, s2m_rings=queues, m2s_rings=queues, buffer_size=size,
                              log2_ring_size=10, is_master=role == "master",
                              name=b"libmemif0", mode=MODES[mode])
        ctypes.memmove(arguments.secret, secret.encode(), min(len(secret), 24))
        self.call("memif_create", byref(self.connection), byref(arguments), *self.callbacks, None)

    def call(self, name, *arguments, allowed=()):
        error = getattr(self.lib, name)(*arguments)
        if error and error not in allowed:
            print(f"{name}: {self.lib.memif_strerror(error).decode()}", flush=True)
            os._exit(1)     # sys.exit() does not leave a callback
        return error

    def up(self, connection, _):
        for queue in range(self.queues):
            self.call("memif_refill_queue", connection, queue, 0xffff, 0)
        print("memif connected!", flush=True)
        return 0

    def down(self, _connection, _):
        print("memif disconnected!", flush=True)
        return 0

    def packets(self, connection, _, queue):
        received, count = (Buffer * BURST)(), c_uint16()
        while True:
            more = self.call("memif_rx_burst", connection, queue, received, BURST, byref(count),
                             allowed=(MORE,))
            self.send_back(connection, queue, received[:count.value])
            if not more:
                return 0

    def send_back(self, connection, queue, received):
        sending = (Buffer * BURST)()
        while received:
            room, sent = c_uint16(), c_uint16()
            self.call("memif_buffer_alloc", connection, queue, sending, len(received),
                      byref(room), self.size, allowed=(NO_ROOM,))
            for i, one in enumerate(received[:room.value]):
                ctypes.memmove(sending[i].data, one.data, one.length)
                sending[i].length, sending[i].flags = one.length, one.flags
            self.call("memif_refill_queue", connection, queue, room.value, 0)
            self.call("memif_tx_burst", connection, queue, sending, room.value, byref(sent))
            received = received[room.value:]

    def run(self):
        while True:
            self.call("memif_poll_event", self.socket, -1)


if __name__ == "__main__":
    LIBRARY, ROLE, PATH, QUEUES, MODE, SIZE, SECRET = sys.argv[1:]
    Echo(LIBRARY, ROLE, PATH, int(QUEUES), MODE, int(SIZE), SECRET).run()
