#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Builds gst-memif and shows its main job: a pipeline that answers ping over memif.
set -eu
cd "$(dirname "$0")/.."

usage() {
  cat << 'END'
Usage: examples/quickstart.sh [OPTIONS]
Builds gst-memif, starts a responder pipeline with gst-launch-1.0, and pings it from a second
program through shared memory. Exit code 0: every reply came back and was right.

  --count=N       echo requests (default 5)
  --size=BYTES    of the ICMP payload, up to 65000 (default 56)
  --interval=S    seconds between requests, 0 for as fast as replies come (default 0.2)
  --role=ROLE     of the responder: master (default) or slave
  --address=ADDR  of the responder, IPv4 or IPv6 (default 192.168.1.1)
  --rx-mode=MODE  of the responder: interrupt, polling or adaptive (default interrupt)
  --no-install    do not install missing packages
  --help          this text
END
}

count=5 size=56 interval=0.2 role=master address=192.168.1.1 rx_mode=interrupt install=yes
for option in "$@"; do
  case $option in
    --count=*) count=${option#*=} ;;
    --size=*) size=${option#*=} ;;
    --interval=*) interval=${option#*=} ;;
    --role=*) role=${option#*=} ;;
    --address=*) address=${option#*=} ;;
    --rx-mode=*) rx_mode=${option#*=} ;;
    --no-install) install= ;;
    --help | -h) usage; exit 0 ;;
    *) echo "quickstart.sh: unknown option $option" >&2; usage >&2; exit 2 ;;
  esac
done
case $role in
  master) peer_role=slave ;;
  slave) peer_role=master ;;
  *) echo "quickstart.sh: --role=$role: choose master or slave" >&2; exit 2 ;;
esac

[ -z "$install" ] || .ci/packages.sh build
if [ ! -f build/build.ninja ]; then
  echo "Configuring the build ..."
  meson setup build -Dtests=disabled > /dev/null
fi
echo "Building ..."
log=$(mktemp)
meson compile -C build gstmemif gstpacket memifping > "$log" 2>&1 || { cat "$log"; exit 1; }
rm -f "$log"

directory=$(mktemp -d)
socket=$directory/memif.sock
pipeline="memifsrc socket-path=$socket role=$role rx-mode=$rx_mode !
  icmpresponder address=$address ! memifsink socket-path=$socket role=$role"

export GST_PLUGIN_PATH=$PWD/build/plugins GST_REGISTRY=$PWD/build/registry.bin
# shellcheck disable=SC2086
gst-launch-1.0 -q $pipeline &
responder=$!
trap 'kill $responder 2> /dev/null; wait $responder 2> /dev/null || true; rm -rf "$directory"' EXIT

printf '\nThe responder, in one process:\n  gst-launch-1.0 %s\n\nA second process pings it:\n\n' \
  "$pipeline"
status=0
build/examples/memifping --socket-path="$socket" --role=$peer_role --wait=10 --count="$count" \
  --size="$size" --interval="$interval" "$address" || status=$?

if [ $status -eq 0 ]; then
  cat << END

It works. With VPP as peer, tell VPP first:

  vppctl create interface memif id 0 master
  vppctl set interface state memif0/0 up
  vppctl set interface ip address memif0/0 192.168.1.2/24

then start the responder against its socket, and ping it from there (vppctl ping 192.168.1.1):

  meson devenv -C build gst-launch-1.0 \\
    memifsrc socket-path=/run/vpp/memif.sock ! icmpresponder address=192.168.1.1 ! \\
    memifsink socket-path=/run/vpp/memif.sock
END
else
  printf '\nNot every reply came back right (exit code %d).\n' "$status" >&2
fi
exit $status
