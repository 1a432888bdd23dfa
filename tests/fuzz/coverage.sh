#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# How much of each file the fuzzers reach: coverage.sh [SECONDS]
# Each one runs its corpus, what `tests/run.sh --stage=fuzz` found before, and then on for SECONDS
# (0). A region is code between two edges; a branch counts each way that a condition can go.
set -eu
cd "$(dirname "$0")/../.."

dir=build-coverage found=$PWD/build-fuzz/found seconds=${1:-0}
version=$(clang++ -dumpversion)
version=${version%%.*}
if [ ! -f "$dir/build.ninja" ]; then
  LLVM_PROFILE_FILE=/dev/null CXX=clang++ CXXFLAGS='-fprofile-instr-generate -fcoverage-mapping' \
    LDFLAGS=-fprofile-instr-generate \
    meson setup "$dir" -Dfuzzing=true -Ddefault_library=static -Dtests=enabled \
    -Dbenchmarks=disabled -Dexamples=disabled -Doptimization=1 -Db_lundef=false > /dev/null
fi
meson compile -C "$dir" fuzzers > /dev/null

objects=() profiles=()
for corpus in tests/fuzz/corpus/*; do
  name=${corpus##*/}
  program=$dir/tests/fuzz/fuzz-$name
  mkdir -p "$dir/found/$name" "$found/$name"
  LLVM_PROFILE_FILE=$PWD/$dir/$name.profraw G_SLICE=always-malloc \
    "$program" -runs=0 "$dir/found/$name" "$corpus" "$found/$name" 2> "$dir/$name.log" ||
    { cat "$dir/$name.log"; exit 1; }
  profiles+=("$dir/$name.profraw") objects+=(-object "$program")
  [ "$seconds" = 0 ] && continue
  LLVM_PROFILE_FILE=$PWD/$dir/$name-more.profraw G_SLICE=always-malloc \
    "$program" -max_total_time="$seconds" -entropic=0 "$dir/found/$name" "$corpus" \
    2> "$dir/$name.log" ||
    { cat "$dir/$name.log"; exit 1; }
  profiles+=("$dir/$name-more.profraw")
done
"llvm-profdata-$version" merge -o "$dir/all.profdata" "${profiles[@]}"
printf '%-42s %8s %8s %9s\n' file regions reached branches
"llvm-cov-$version" report "${objects[@]}" -instr-profile="$dir/all.profdata" \
  -ignore-filename-regex='^/usr/|(^|/)tests/' |
  awk 'NF == 13 && $2 ~ /^[0-9]+$/ { printf "%-42s %8d %8s %9s\n", $1, $2, $4, $13 }'
