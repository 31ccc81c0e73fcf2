#!/usr/bin/env bash
# What building needs: Rust and a C compiler (for SQLite, decimal128 and cryptography).
. "$(dirname "$0")/lib.sh"

have cargo || die "cargo not found: install Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or later from your usual source, then run again"
have cc && have make || apt_install "C compiler" build-essential
