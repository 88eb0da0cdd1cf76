#!/bin/sh
# Prints the path of the user-mode emulator for an architecture, as QEMU names
# it (aarch64, riscv64), after installing it where that is possible: on Debian,
# as root. Else says on standard error why there is none, and fails.
set -u
emulator=qemu-$1-static

if ! command -v "$emulator" >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "installing $emulator" >&2
	apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq qemu-user-static >&2
fi
if ! command -v "$emulator"; then
	echo "there is no $emulator; Debian's package qemu-user-static has it" >&2
	exit 1
fi
