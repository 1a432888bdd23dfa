#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Builds everything and runs all tests. The last line is `N passed, N failed, N skipped`; what failed
# is named before it.
set -u
cd "$(dirname "$0")/.."

usage() {
  cat << 'END'
Usage: tests/run.sh [OPTIONS]
Builds everything, runs all tests and ends with the names of those that failed and
`N passed, N failed, N skipped`.

  --stage=NAME  only this stage (may be given several times)
  --quick       only the stage plain (a few minutes)
  --soak        only the long run: ten minutes of traffic with links going up and down
  --no-install  do not install missing packages
  --help        this text

Stages:
  plain    build, unit tests
  interop  DPDK, the kernel, a second memif implementation, hostile peers, the documentation
  asan     AddressSanitizer and UBSan: unit tests, hostile peers
  tsan     ThreadSanitizer: unit tests of the engine and the elements where threads meet
  fuzz     every fuzzer for a minute (only when asked for)
  clang    build with the other compiler
  style    clang-format, headers of files, comments, includes
  peers    VPP and libmemif, whose builds VPP_BUILD and LIBMEMIF_BUILD name: see tests/peers/README.md
           (only when asked for)
Only when asked for, and with root and debootstrap, in a release of Debian of their own:
  suite:S  build and unit tests in release S, such as trixie or sid
  packages[:S]     the Debian packages: built, looked at by lintian, installed, used (trixie)
  cross:arm64[:S]  cross build, and tests of what looks at bytes under qemu (trixie)
With WERROR=true in the environment, as in CI, warnings are errors: compilers that this has not been
built with may have others.
Build directories are build, build-asan, build-tsan, build-clang, build-fuzz and build-suite-S*.
END
}

stages= install=yes
for option in "$@"; do
  case $option in
    --stage=plain | --stage=interop | --stage=asan | --stage=tsan | --stage=clang | --stage=style | \
      --stage=fuzz | --stage=peers | --stage=suite:[a-z]* | --stage=packages | \
      --stage=packages:[a-z]* | --stage=cross:arm64 | --stage=cross:arm64:[a-z]*)
      stages="$stages ${option#*=}" ;;
    --quick) stages="$stages plain" ;;
    --soak) stages="$stages soak" ;;
    --no-install) install= ;;
    --help | -h) usage; exit 0 ;;
    *) echo "run.sh: unknown option $option" >&2; usage >&2; exit 2 ;;
  esac
done
[ -n "$stages" ] || stages='plain interop asan tsan clang style'

if [ -n "$install" ]; then .ci/packages.sh test || exit 1; fi

# Other Pythons in the path may lack the system's modules.
python=/usr/bin/python3
work=$(mktemp -d)
ahead= built_ahead=
trap '[ -z "$ahead" ] || kill -- "-$ahead" 2> /dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
tally=$work/tally failed=$work/failed
touch "$failed"

# count PASSED FAILED SKIPPED
count() { echo "$@" >> "$tally"; }

# Puts the stage before each of the names in a file and adds them to the list.
failures() {
  [ -f "$1" ] || return 0
  sed "s/^/$stage: /" "$1" >> "$failed"
  rm -f "$1"
}

# A step that is one test: it passes or fails as a whole.
check() {
  local name=$1
  shift
  if "$@"; then
    count 1 0 0
  else
    echo "FAILED: $name"
    echo "$stage: $name" >> "$failed"
    count 0 1 0
    return 1
  fi
}

# build DIR TARGETS MESON_OPTION...: no targets are all of them
build() {
  local dir=$1 targets=$2 log
  shift 2
  log=$(mktemp)
  # A directory that is there may have been set up for something else, as by the quick start.
  if { [ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"; } > "$log" 2>&1 &&
    meson configure "$dir" -Dwerror="${WERROR:-false}" "$@" >> "$log" 2>&1 &&
    meson compile -C "$dir" $targets >> "$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  cat "$log"
  rm -f "$log"
  return 1
}

# unit DIR MESON_TEST_OPTION...: every check of every test program counts
unit() {
  local dir=$1 summary
  shift
  rm -f "$dir/meson-logs/testlog.json"
  meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes 2 "$@" || true
  summary=$($python tests/summary.py --failed "$work/names" "$dir/meson-logs/testlog.json")
  printf '%s\n' "$summary"
  failures "$work/names"
  tail -n 1 <<< "$summary" | sed -E 's/[^0-9]+/ /g' >> "$tally"
}

# interop DIR ARGUMENT...
interop() {
  local dir=$1 log
  shift
  log=$work/interop
  $python -u tests/interop/run.py --build "$PWD/$dir" --failed "$work/names" "$@" 2>&1 | tee "$log"
  failures "$work/names"
  if tail -n 1 "$log" | grep -q '^interop: '; then
    tail -n 1 "$log" | sed -E 's/[^0-9]+/ /g' >> "$tally"
  else
    echo "$stage: the interop tests did not end" >> "$failed"
    count 0 1 0
  fi
}

# Only what is tested, lightly optimised, with lines but no variables for the debugger: these builds
# take most of the time.
sanitizer() {
  echo "-Db_sanitize=$1 -Db_lundef=false -Dtests=enabled -Dbenchmarks=disabled" \
    "-Dexamples=disabled -Doptimization=1 -Dcpp_args=-g1"
}

# build_for STAGE
build_for() {
  # shellcheck disable=SC2046
  case $1 in
    plain | interop | soak | peers) build build '' -Dtests=enabled ;;
    asan) build build-asan '' $(sanitizer address,undefined) ;;
    tsan) build build-tsan threads $(sanitizer thread) ;;
    clang) CXX=clang++ build build-clang '' -Dtests=disabled -Ddebug=false ;;
    fuzz) CXX=clang++ build build-fuzz fuzzers -Dfuzzing=true -Ddefault_library=static \
      $(sanitizer address,undefined) ;;
  esac
}

# built STAGE: builds what a stage needs, or waits for it where that was begun ahead. The first build
# starts those of the stages behind it: while tests run, which wait a good deal, they have the
# processors that nobody else wants.
built() {
  if [ -n "$ahead" ] && [[ " $built_ahead " == *" $1 "* ]]; then
    while [ ! -f "$work/$1.built" ] && kill -0 "$ahead" 2> /dev/null; do sleep 0.2; done
    [ ! -f "$work/$1.log" ] || cat "$work/$1.log"
    [ "$(cat "$work/$1.built" 2> /dev/null)" = 0 ]
    return
  fi
  build_for "$1"
  local result=$?
  [ -n "$ahead" ] || build_ahead
  return $result
}

# Stages that the build of another serves are not built again.
build_ahead() {
  local later
  for later in $stages; do
    case $later in
      asan | tsan | clang | fuzz) [ "$later" = "$stage" ] || built_ahead="$built_ahead $later" ;;
    esac
  done
  [ -n "$built_ahead" ] || return 0
  set -m  # a group of processes of its own, to be ended with
  {
    chrt --idle --pid 0 "$BASHPID" || renice -n 19 -p "$BASHPID"
    for later in $built_ahead; do
      build_for "$later" > "$work/$later.log" 2>&1
      echo $? > "$work/$later.ended"
      mv "$work/$later.ended" "$work/$later.built"
    done
  } > /dev/null 2>&1 &
  ahead=$!
  set +m
}

# fuzz DIR NAME: what it finds on the way is kept for the next time, beside the input that fails.
# Entropic weights take longer to keep than most inputs do.
fuzz() {
  local dir=$1 name=$2 log=$work/fuzz
  mkdir -p "$dir/found/$name"
  G_SLICE=always-malloc "$dir/tests/fuzz/fuzz-$name" -max_total_time=60 -timeout=60 \
    -entropic=0 -max_len=4096 -print_final_stats=1 -artifact_prefix="$dir/$name-" \
    "$dir/found/$name" "tests/fuzz/corpus/$name" > "$log" 2>&1 &&
    { grep '^Done' "$log"; return 0; }
  tail -n 100 "$log"
  return 1
}

# suite NAME TASK: what a whole run there says counts here
suite() {
  local log=$work/suite
  tests/suite.sh "$@" 2>&1 | tee "$log"
  if tail -n 1 "$log" | grep -qE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'; then
    sed -n '/^Failed:$/,/^[0-9]/s/^  //p' "$log" > "$work/names"
    failures "$work/names"
    tail -n 1 "$log" | sed -E 's/[^0-9]+/ /g' >> "$tally"
  elif grep -q "^suite $1 is skipped: " "$log"; then
    count 0 0 1
  else
    echo "$stage: the run did not end" >> "$failed"
    count 0 1 0
  fi
}

for stage in $stages; do
  printf '\n==== %s (%s)\n' "$stage" "$(date +%T)"
  case $stage in
    plain)
      check 'the plain build' built plain && unit build ;;
    interop)
      check 'the plain build' built interop && interop build ;;
    peers)
      check 'the plain build' built peers && interop build --directory tests/peers ;;
    soak)
      check 'the plain build' built soak && interop build soak ;;
    asan)
      check 'the build with AddressSanitizer' built asan &&
        unit build-asan --timeout-multiplier 4 && interop build-asan --asan test_hostile test_racing ;;
    tsan)
      check 'the build with ThreadSanitizer' built tsan &&
        unit build-tsan --timeout-multiplier 6 --suite threads ;;
    clang)
      check 'the build with clang' built clang ;;
    fuzz)
      check 'the build of the fuzzers' built fuzz &&
        for corpus in tests/fuzz/corpus/*; do
          check "fuzz ${corpus##*/}" fuzz build-fuzz "${corpus##*/}"
        done ;;
    suite:*)
      suite "${stage#suite:}" quick ;;
    packages*)
      suite "$(cut -s -d: -f2 <<< "$stage:trixie")" packages ;;
    cross:arm64*)
      suite "$(cut -s -d: -f3 <<< "$stage:trixie")" arm64 ;;
    style)
      check 'clang-format' bash -c \
        "git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror"
      check 'headers of files, comments, includes' $python tests/style.py ;;
  esac
done

echo
if [ -s "$failed" ]; then
  echo 'Failed:'
  sed 's/^/  /' "$failed"
fi
awk '{ p += $(NF-2); f += $(NF-1); s += $NF }
  END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' "$tally"
