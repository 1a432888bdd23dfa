#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Builds and runs the unit tests in another release of Debian: suite.sh SUITE
# The release is installed into build-suite-SUITE, once, from the mirror that this machine uses. Ends
# with the line of tests/run.sh, or with the reason why that is not possible and exit code 77.
set -u
cd "$(dirname "$0")/.."
suite=$1
root=$PWD/build-suite-$suite
# What tests/run.sh --quick needs beyond the packages of a build.
more='python3 libcap2-bin gstreamer1.0-plugins-good'

skip() {
  echo "suite $suite is skipped: $*"
  exit 77
}

[ "$(id -u)" -eq 0 ] || skip 'a chroot needs root'
for program in debootstrap unshare chroot; do
  command -v $program > /dev/null || skip "there is no $program (apt-get install debootstrap)"
done

if [ ! -e "$root/.complete" ]; then
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
  [ -n "$mirror" ] || skip 'apt names no mirror'
  rm -rf "$root"
  mkdir -p "$root"
  if ! debootstrap --variant=minbase "$suite" "$root" "$mirror" > "$root.log" 2>&1; then
    tail -n 3 "$root.log"
    skip "debootstrap cannot install it from $mirror"
  fi
  touch "$root/.complete"
fi

# The files of the work tree, without what was built.
mkdir -p "$root/src"
git ls-files -z | tar --null -c -T - | tar -x -C "$root/src"

# What is mounted goes with the namespace.
exec unshare --mount sh -c '
  set -e
  mount --rbind /dev "$1/dev"
  mount -t proc proc "$1/proc"
  exec chroot "$1" sh -c "
    set -e
    cd /src
    export DEBIAN_FRONTEND=noninteractive
    .ci/packages.sh build > /dev/null
    apt-get install -y -qq --no-install-recommends $2 > /dev/null
    g++ --version | head -n 1
    pkg-config --modversion gstreamer-1.0
    exec tests/run.sh --quick --no-install"' sh "$root" "$more"
