#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The gst-memif developers
# Runs all benchmarks: tests/benchmarks/run.sh [BUILD-DIRECTORY] [OPTIONS OF run.py]
here=$(dirname "$(readlink -f "$0")")
build=${here}/../../build
case $1 in -* | '') ;; *) build=$1 && shift ;; esac
exec python3 "${here}/run.py" --build "${build}" "$@"
