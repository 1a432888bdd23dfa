#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Answers ping on an interface of a DPDK program, whose side is the client. Ctrl-C ends it.
#   examples/launch-dpdk.sh [SOCKET [ADDRESS]]
set -eu
socket=${1:-/tmp/dpdk.sock}
address=${2:-192.168.1.1}
build=${MEMIF_BUILD:-$(dirname "$0")/../build}

# A client of DPDK dials once, when it starts; its pinging end here is a TAP device of the kernel.
cat << END
As root, once this runs:
  dpdk-testpmd -l 0,1 --no-huge --no-pci -m 256 --vdev=net_tap0,iface=memiftap \\
    --vdev=net_memif0,role=client,id=0,socket=$socket,socket-abstract=no \\
    -- --total-num-mbufs=8192 --forward-mode=io
  ip address add 192.168.1.2/24 dev memiftap
  ping $address
END
export GST_PLUGIN_PATH=${GST_PLUGIN_PATH:-$build/plugins}
exec gst-launch-1.0 memifsrc socket-path="$socket" role=master ! \
  icmpresponder address="$address" ! memifsink socket-path="$socket" role=master
