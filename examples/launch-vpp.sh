#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Answers ping on an interface of VPP, whose side is the master. Ctrl-C ends it.
#   examples/launch-vpp.sh [SOCKET [ADDRESS]]
set -eu
socket=${1:-/run/vpp/memif.sock}
address=${2:-192.168.1.1}
build=${MEMIF_BUILD:-$(dirname "$0")/../build}

cat << END
In VPP, before or after this starts:
  vppctl create interface memif id 0 master
  vppctl set interface state memif0/0 up
  vppctl set interface ip address memif0/0 192.168.1.2/24
  vppctl ping $address
END
export GST_PLUGIN_PATH=${GST_PLUGIN_PATH:-$build/plugins}
exec gst-launch-1.0 memifsrc socket-path="$socket" ! icmpresponder address="$address" ! \
  memifsink socket-path="$socket"
