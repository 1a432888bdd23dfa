#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Installs Debian or Ubuntu packages that are missing: packages.sh build|test
# As root, or through sudo. Does nothing where nothing is missing.
set -eu

build=(g++ meson ninja-build pkg-config
  libglib2.0-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base libpcap-dev)
test=(clang clang-format doxygen python3 python3-gi python3-gst-1.0 gir1.2-gstreamer-1.0
  gir1.2-gst-plugins-base-1.0 gobject-introspection libgirepository1.0-dev
  gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
  ffmpeg python3-scapy python3-yaml tshark tcpdump
  iproute2 iputils-ping procps valgrind dpdk dpdk-dev)
# Drivers of DPDK carry its version in their names.
drivers=(librte-net-memif librte-net-tap librte-net-pcap)

# libFuzzer and llvm-cov carry clang's version in theirs. Some releases have the first in clang itself.
clang_tools() {
  local version package
  version=$(apt-cache depends clang 2> /dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
  [ -n "$version" ] || return 0
  for package in "libclang-rt-$version-dev" "llvm-$version"; do
    apt-cache pkgnames "$package" | grep -x "$package" || true
  done
}

installed() {
  dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

wanted=("${build[@]}")
[ "${1:-build}" = test ] && wanted+=("${test[@]}" $(clang_tools))
missing=()
for package in "${wanted[@]}"; do
  installed "$package" || missing+=("$package")
done
missing_drivers=()
if [ "${1:-build}" = test ]; then
  for driver in "${drivers[@]}"; do
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$driver*" 2>/dev/null |
      grep -q '^installed' || missing_drivers+=("$driver")
  done
fi
[ ${#missing[@]} -eq 0 ] && [ ${#missing_drivers[@]} -eq 0 ] && exit 0

if ! command -v apt-get > /dev/null; then
  echo "These packages are missing, and there is no apt-get to install them:" \
    "${missing[*]} ${missing_drivers[*]:-}" >&2
  exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || { echo "Run as root once, to install: ${missing[*]}" >&2; exit 1; }
  sudo=sudo
fi
echo "Installing ${missing[*]} ${missing_drivers[*]:-}"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# Before that, nothing may have been known.
[ "${1:-build}" = test ] && missing+=($(clang_tools))
for driver in "${missing_drivers[@]}"; do
  missing+=($(apt-cache pkgnames "$driver" | grep -E "^$driver[0-9.]+$" | sort | tail -n 1))
done
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  "${missing[@]}" > /dev/null
