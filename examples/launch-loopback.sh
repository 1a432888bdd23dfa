#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Both ends of an interface in one pipeline: packets go out at one and come in at the other, through
# shared memory. Ends by itself when all have arrived.
#   examples/launch-loopback.sh [PACKETS]
set -eu
packets=${1:-1000}
socket=@gst-memif-loopback-$$
build=${MEMIF_BUILD:-$(dirname "$0")/../build}

export GST_PLUGIN_PATH=${GST_PLUGIN_PATH:-$build/plugins}
timeout 60 gst-launch-1.0 -q \
  fakesrc num-buffers="$packets" sizetype=fixed sizemax=64 filltype=pattern ! \
  application/x-packet,link-type=ethernet ! memifsink socket-path="$socket" when-down=block \
  memifsrc socket-path="$socket" role=master ! identity eos-after="$packets" ! fakesink sync=false
echo "$packets packets went through shared memory"
