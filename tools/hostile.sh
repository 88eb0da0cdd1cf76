#!/bin/sh
# Runs the stress tests in every way that the runtime and the build can be made
# hostile to a switch of stacks.
#
#	sh tools/hostile.sh short|long [part ...]
#
# Parts, all of them without an argument:
#
#	godebug   under settings of GODEBUG that find what the collector misses
#	load      with GOGC=1 and with 1, 2 and 8 processors
#	noopt     without optimisation and inlining
#	morestack every function's prologue asks to yield, or moves the stack
#	checkptr  conversions of pointers are checked
#	pie       as a position-independent executable
#	trace     execution traces are parsed to the end (needs the module proxy)
#	cshared   as a shared library that C threads call (needs gcc)
#	arm64     on arm64, by an emulator (needs QEMU)
#
# "short" takes some minutes and does on the other Go releases what is quick
# there, and nothing on patches to the one that runs; "long" does everything on
# all of them, and for longer. GREENLET_HAMMER sets how long each run of
# TestHammer lasts, RELEASES the Go releases. What a part needs and has not is
# skipped, but with CI=true that is a failure.
set -u
cd "$(dirname "$0")/.." || exit 1

length=${1:-}
case $length in
short) : "${GREENLET_HAMMER:=2s}" ;;
long) : "${GREENLET_HAMMER:=20s}" ;;
*)
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
shift
[ $# -gt 0 ] || set -- godebug load noopt morestack checkptr pie trace cshared arm64
export GREENLET_HAMMER GOTELEMETRY=off

GO=${GO:-go}
running=$($GO env GOVERSION)
RELEASES=${RELEASES:-$(sed -n 's,^// GOVERSION=\(go[0-9.]*\) .*,\1,p' internal/rt/layout_go*_amd64.go)}
[ "$length" = long ] || RELEASES=$(printf '%s\n' $RELEASES | grep -v "^${running%.*}\." ; echo "$running")
others=$(printf '%s\n' $RELEASES | grep -vx "$running")
tests='TestHammer|TestHotPotato|TestMarking|TestTraceLeaves|TestPreempt|Profile|TestStackOfAll|TestLocked|TestPullWhile'
all=$tests

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0

# try NAME COMMAND...: runs a command and shows the end of its output if it fails.
try() {
	name=$1
	shift
	begin=$(date +%s)
	printf '%-46s ' "$name"
	if timeout 900 "$@" >"$work/log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		printf 'ok   %4d s  %s\n' $(($(date +%s) - begin)) "$(sed -n 's/.* \([0-9]* switches\)$/\1/p' "$work/log" | tail -n 1)"
		return 0
	fi
	failed=$((failed + 1))
	printf 'FAIL %4d s\n' $(($(date +%s) - begin))
	grep -E '^(--- FAIL|panic:|fatal error:|runtime:|SIG)' "$work/log" | head -n 10
	echo '- - -'
	{ head -n 60 "$work/log"; echo ...; tail -n 60 "$work/log"; } | cut -c1-300
	echo '- - -'
	return 1
}

skip() { # skip NAME REASON
	printf '%-46s skipped: %s\n' "$1" "$2"
	skipped=$((skipped + 1))
	[ "${CI:-}" != true ] || failed=$((failed + 1))
}

# binary RELEASE FLAG...: builds the tests and sets $test to the program.
binary() {
	release=$1
	shift
	test=$work/$release.test
	rm -f "$test"
	try "$release: build $*" env GOTOOLCHAIN="$release" $target $GO test -c "$@" -o "$test" .
}

# hammer NAME VARIABLE=VALUE...: runs the tests that were built last.
hammer() {
	name=$1
	shift
	try "$release: $name" env "$@" $emulator "$test" $flags -test.v -test.timeout=800s -test.run "$tests"
}
emulator= target= flags=
[ "$length" = long ] || flags=-test.short

# chosen prints the releases for what takes long.
chosen() {
	if [ "$length" = long ]; then
		echo $RELEASES
	else
		echo "$running"
	fi
}

godebug() {
	for release in $RELEASES; do
		binary "$release" || continue
		# In Go 1.25 the collector itself can come to a stand in gcstoptheworld=2, with
		# its workers asleep in the middle of a mark: on the generic switch, too.
		case $length,$release in
		long,go1.25*) settings='clobberfree=1 gccheckmark=1 asyncpreemptoff=1 gcshrinkstackoff=1' ;;
		long,*) settings='clobberfree=1 gccheckmark=1 gcstoptheworld=2 asyncpreemptoff=1 gcshrinkstackoff=1' ;;
		*,"$running") settings='clobberfree=1,gccheckmark=1 gcstoptheworld=2 asyncpreemptoff=1,gcshrinkstackoff=1' ;;
		*) settings='clobberfree=1,gccheckmark=1,asyncpreemptoff=1' ;;
		esac
		for setting in $settings; do
			hammer "$setting" GODEBUG="$setting"
		done
		if [ "$length" = long ]; then
			hammer 'clobberfree, gccheckmark, GOGC=1' GODEBUG=clobberfree=1,gccheckmark=1 GOGC=1
			hammer 'gcstoptheworld=1' GODEBUG=gcstoptheworld=1
			hammer 'asyncpreemptoff, clobberfree' GODEBUG=asyncpreemptoff=1,clobberfree=1
			hammer 'tracecheckstackownership' GODEBUG=tracecheckstackownership=1
			hammer 'generic switch, clobberfree' GODEBUG=clobberfree=1 GREENLET_BACKEND=generic
		fi
	done
}

load() {
	for release in $(chosen); do
		binary "$release" || continue
		hammer 'GOGC=1' GOGC=1
		for n in 1 8; do
			hammer "$n processors" GOMAXPROCS=$n
		done
		if [ "$length" = long ]; then
			hammer 'GOGC=off, a limit on memory' GOGC=off GOMEMLIMIT=100MiB
		fi
	done
}

noopt() {
	for release in $(chosen); do
		binary "$release" -gcflags='all=-N -l' || continue
		[ "$length" = short ] || hammer 'as it is'
		hammer 'clobberfree, gccheckmark' GODEBUG=clobberfree=1,gccheckmark=1
	done
}

morestack() {
	# Everything takes ten times as long in these: only what switches all the time.
	[ "$length" = long ] || tests='TestHammer|TestHotPotato|TestPullWhile'
	for release in $(chosen); do
		for mode in Preempt Move; do
			binary "$release" -gcflags="all=-d=maymorestack=runtime.mayMoreStack$mode" || continue
			hammer "mayMoreStack$mode"
		done
	done
	tests=$all
}

checkptr() {
	for release in $(chosen); do
		binary "$release" -gcflags=all=-d=checkptr=2 || continue
		hammer 'checkptr'
	done
}

pie() {
	for release in $(chosen); do
		binary "$release" -buildmode=pie || continue
		hammer 'as it is'
	done
}

trace() {
	for release in $RELEASES; do
		try "$release: traces" env GOTOOLCHAIN="$release" $GO -C tools/tracecheck test -count=1 ${flags:+-short} ./...
	done
}

cshared() {
	if ! command -v gcc >/dev/null; then
		skip cshared 'no gcc'
		return
	fi
	for release in $(chosen); do
		dir=$work/$release.cshared
		mkdir -p "$dir"
		try "$release: build a shared library" env GOTOOLCHAIN="$release" CGO_ENABLED=1 \
			$GO -C tools/cshared build -buildmode=c-shared -o "$dir/libcshared.so" . || continue
		try "$release: build its caller" gcc -o "$dir/caller" tools/cshared/caller/main.c \
			-L"$dir" -lcshared -lpthread -Wl,-rpath,"$dir" || continue
		try "$release: C threads call" "$dir/caller"
		try "$release: C threads call, hostile" env GODEBUG=clobberfree=1,gccheckmark=1 GOGC=1 "$dir/caller"
		try "$release: C threads call, generic" env GREENLET_BACKEND=generic "$dir/caller"
	done
}

arm64() {
	emulator=$(sh tools/emulator.sh aarch64 2>"$work/log") || {
		skip arm64 "$(tail -n 1 "$work/log")"
		emulator=
		return
	}
	target='GOARCH=arm64 CGO_ENABLED=0'
	for release in $(chosen); do
		binary "$release" || continue
		hammer 'arm64'
		hammer 'arm64, clobberfree, GOGC=1' GODEBUG=clobberfree=1 GOGC=1
		if [ "$length" = long ]; then
			hammer 'arm64, gccheckmark' GODEBUG=gccheckmark=1
			hammer 'arm64, asyncpreemptoff' GODEBUG=asyncpreemptoff=1
			hammer 'arm64, 8 processors' GOMAXPROCS=8
		fi
	done
	emulator= target=
}

echo "$running on $(uname -sm), $(nproc) processors; also $(echo $others); TestHammer for $GREENLET_HAMMER"
for part; do
	echo
	echo "== $part"
	case $part in
	godebug | load | noopt | morestack | checkptr | pie | trace | cshared | arm64) $part ;;
	*)
		echo "there is no part $part" >&2
		failed=$((failed + 1))
		;;
	esac
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
