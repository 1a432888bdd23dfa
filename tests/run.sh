#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds everything and runs all tests. The last line is `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/.."

usage() {
  cat << 'END'
Usage: tests/run.sh [OPTIONS]
Builds with warnings as errors, runs all tests and ends with `N passed, N failed, N skipped`.

  --soak        only the long run: ten minutes of traffic with links going up and down
  --quick       unit tests of the plain build only (about two minutes)
  --no-install  do not install missing packages
  --help        this text

Stages: plain (unit tests, the commands of the documentation), interop (DPDK, the kernel, a second
implementation), asan (AddressSanitizer and UBSan: unit tests and hostile peers), tsan
(ThreadSanitizer: where threads meet), clang (builds with the other compiler), style.
Build directories are build, build-asan, build-tsan and build-clang.
END
}

quick= soak= install=yes
for option in "$@"; do
  case $option in
    --quick) quick=yes ;;
    --soak) soak=yes ;;
    --no-install) install= ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

if [ -n "$install" ]; then .ci/packages.sh test || exit 1; fi

# Other Pythons in the path may lack the system's modules.
python=/usr/bin/python3
tally=$(mktemp)
trap 'rm -f "$tally"' EXIT

say() { printf '\n==== %s\n' "$*"; }

# count PASSED FAILED SKIPPED
count() { echo "$@" >> "$tally"; }

# A step that is one test: it passes or fails as a whole.
check() {
  local name=$1
  shift
  if "$@"; then count 1 0 0; else echo "FAILED: $name"; count 0 1 0; fi
}

# build DIR MESON_OPTION...
build() {
  local dir=$1
  shift
  local log
  log=$(mktemp)
  # A directory that is there may have been set up for something else, as by the quick start.
  if { [ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"; } > "$log" 2>&1 &&
    meson configure "$dir" -Dwerror=true -Dtests=enabled >> "$log" 2>&1 &&
    meson compile -C "$dir" >> "$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  cat "$log"
  rm -f "$log"
  return 1
}

# unit DIR MESON_TEST_OPTION...: every check of every test program counts
unit() {
  local dir=$1
  shift
  meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes 2 "$@" || true
  local summary
  summary=$($python tests/summary.py "$dir/meson-logs/testlog.json")
  printf '%s\n' "$summary"
  tail -n 1 <<< "$summary" | sed -E 's/[^0-9]+/ /g' >> "$tally"
}

# interop DIR TEST...
interop() {
  local dir=$1 log
  shift
  log=$(mktemp)
  $python tests/interop/run.py --build "$PWD/$dir" "$@" 2>&1 | tee "$log"
  if tail -n 1 "$log" | grep -q '^interop: '; then
    tail -n 1 "$log" | sed -E 's/[^0-9]+/ /g' >> "$tally"
  else
    count 0 1 0
  fi
  rm -f "$log"
}

say plain
if build build; then
  count 1 0 0
  if [ -n "$soak" ]; then
    say soak
    interop build soak
  else
    unit build
  fi
else
  echo "FAILED: the plain build"
  count 0 1 0
fi

if [ -z "$quick$soak" ]; then
  say interop
  interop build

  say 'asan: AddressSanitizer and UBSan'
  if build build-asan -Db_sanitize=address,undefined -Db_lundef=false; then
    count 1 0 0
    ASAN_OPTIONS=detect_leaks=1:suppressions= unit build-asan --timeout-multiplier 4
    MEMIF_ASAN=1 interop build-asan test_hostile
  else
    echo "FAILED: the build with AddressSanitizer"
    count 0 1 0
  fi

  say 'tsan: ThreadSanitizer'
  if build build-tsan -Db_sanitize=thread -Db_lundef=false; then
    count 1 0 0
    unit build-tsan --timeout-multiplier 6 --suite threads
  else
    echo "FAILED: the build with ThreadSanitizer"
    count 0 1 0
  fi

  say clang
  check 'the build with clang' env CXX=clang++ bash -c "$(declare -f build); build build-clang"

  say style
  check 'clang-format' bash -c \
    "git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror"
fi

echo
awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s
  exit f > 0 || p == 0 }' <(awk '{ print $(NF-2), $(NF-1), $NF }' "$tally")
