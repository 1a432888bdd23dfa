#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# What needs another release of Debian, in a chroot: suite.sh SUITE [quick|packages|arm64]
#   quick     build and unit tests (tests/run.sh --quick)
#   packages  builds the packages, looks at them with lintian, installs them in a chroot without
#             anything else, and runs debian/tests there as a user who is not root
#   arm64     cross build, and the tests of what looks at bytes under qemu
# The release is installed into build-suite-SUITE (packages: build-suite-SUITE-clean as well, arm64:
# build-suite-SUITE-arm64), once, from the mirror that this machine uses. Ends with a line as
# tests/run.sh, or with the reason why that is not possible and exit code 77.
set -u
cd "$(dirname "$0")/.."
suite=$1 task=${2:-quick}
root=$PWD/build-suite-$suite

skip() {
  echo "suite $suite is skipped: $*"
  exit 77
}

[ "$(id -u)" -eq 0 ] || skip 'a chroot needs root'
for program in debootstrap unshare chroot; do
  command -v $program > /dev/null || skip "there is no $program (apt-get install debootstrap)"
done

# installed DIR: a release with nothing but what makes it one
installed() {
  local mirror log
  [ ! -e "$1/.complete" ] || return 0
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
  [ -n "$mirror" ] || skip 'apt names no mirror'
  rm -rf --one-file-system "$1"
  mkdir -p "$1"
  log=$(mktemp)
  if ! debootstrap --variant=minbase "$suite" "$1" "$mirror" > "$log" 2>&1; then
    tail -n 3 "$log"
    rm -f "$log"
    rm -rf --one-file-system "$1"
    skip "debootstrap cannot install it from $mirror"
  fi
  rm -f "$log"
  # The mirror may be a snapshot, whose releases expire; signatures are checked all the same.
  echo 'Acquire::Check-Valid-Until "false";' > "$1/etc/apt/apt.conf.d/80snapshot"
  touch "$1/.complete"
}

# The files of the work tree, without what was built here, and beside what was built there.
copy_sources() {
  mkdir -p "$1/src"
  find "$1/src" -mindepth 1 -maxdepth 1 ! -name build ! -name 'obj-*' -exec rm -rf {} +
  git ls-files -z | tar --null -c -T - | tar -x -C "$1/src"
}

# inside DIR COMMANDS: what is mounted goes with the namespace
inside() {
  unshare --mount sh -c '
    set -e
    mount --rbind /dev "$1/dev"
    mount -t proc proc "$1/proc"
    exec chroot "$1" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -c "
      set -e
      cd /src
      $2"' sh "$1" "$2"
}

# verdict NAME COMMAND...: one test
passed=0 failures=
verdict() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failures="$failures  $name
"
  fi
}

finish() {
  [ -z "$failures" ] || printf 'Failed:\n%s' "$failures"
  echo "$passed passed, $(printf '%s' "$failures" | grep -c .) failed, 0 skipped"
  [ -z "$failures" ]
  exit
}

# A release that goes on, as sid does, is taken as it is today.
quick='
  apt-get update -qq
  apt-get dist-upgrade -y -qq --no-install-recommends > /dev/null
  .ci/packages.sh build > /dev/null
  apt-get install -y -qq --no-install-recommends python3 libcap2-bin gstreamer1.0-plugins-good \
    gstreamer1.0-plugins-bad > /dev/null
  g++ --version | head -n 1
  pkg-config --modversion gstreamer-1.0
  exec tests/run.sh --quick --no-install'

# The tests are those of the other tasks.
build_packages='
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends dpkg-dev lintian > /dev/null
  apt-get build-dep -y -qq --no-install-recommends -P nocheck ./ > /dev/null
  rm -rf /packages
  mkdir /packages
  DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc -b -Pnocheck > /packages/log 2>&1 ||
    { tail -n 40 /packages/log; exit 1; }
  mv ../*.deb ../*.changes ../*.buildinfo /packages/'
# A package that is not uploaded closes no bug with it.
look_at_packages='lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs \
  /packages/*.changes'
install_packages='
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends /src/*.deb gstreamer1.0-tools > /dev/null
  useradd --create-home user
  tests=$(sed -n "s/^Tests: //p" debian/tests/control)
  [ -n "$tests" ]
  for test in $tests; do
    su user -c "sh debian/tests/$test"
  done'

# In place of the machine that is built for, qemu runs what has no system calls of its own kind.
cross='
  dpkg --add-architecture arm64
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends meson ninja-build pkgconf crossbuild-essential-arm64 \
    qemu-user gstreamer1.0-plugins-base:arm64 libglib2.0-dev:arm64 libgstreamer1.0-dev:arm64 \
    libgstreamer-plugins-base1.0-dev:arm64 libpcap-dev:arm64 > /dev/null
  [ -f build/build.ninja ] || meson setup build --cross-file /cross.ini -Dwerror=${WERROR:-false} \
    -Dtests=enabled -Dintrospection=disabled > /dev/null
  meson compile -C build > build/log 2>&1 || { tail -n 40 build/log; exit 1; }'
run_cross='meson test -C build --no-rebuild --print-errorlogs --timeout-multiplier 10 packet-flowhash \
  packet-checksum packet-views packet-forms memif-protocol ip-answers ip-fragments'

case $task in
  quick)
    installed "$root"
    copy_sources "$root"
    inside "$root" "$quick"
    exit ;;
  packages)
    clean=$root-clean
    installed "$root"
    installed "$clean"
    copy_sources "$root"
    verdict 'the packages are built' inside "$root" "$build_packages"
    [ -z "$failures" ] || finish
    verdict 'lintian has nothing to say' inside "$root" "$look_at_packages"
    # What is installed goes with the copy.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp -a "$clean/." "$copy/"
    copy_sources "$copy"
    cp "$root"/packages/*.deb "$copy/src/"
    chmod 755 "$copy"
    verdict 'a user runs what was installed' inside "$copy" "$install_packages"
    finish ;;
  arm64)
    installed "$root-arm64"
    copy_sources "$root-arm64"
    cat > "$root-arm64/cross.ini" << 'END'
[binaries]
c = 'aarch64-linux-gnu-gcc'
cpp = 'aarch64-linux-gnu-g++'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkg-config = 'aarch64-linux-gnu-pkg-config'
exe_wrapper = 'qemu-aarch64'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
    verdict 'the cross build' inside "$root-arm64" "$cross"
    [ -z "$failures" ] || finish
    verdict 'tests under qemu' inside "$root-arm64" "$run_cross"
    finish ;;
  *)
    echo "suite.sh: unknown task $task" >&2
    exit 2 ;;
esac
