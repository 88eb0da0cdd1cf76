#!/usr/bin/env bash
# Two PHP Fibers each render a page: ob_start(), some output, a wait in which the other one
# runs, some more output, ob_get_clean(). Which text does each get? And does
# @, or a handler for warnings, go with a Fiber that is suspended?
#
# Guess: each its own page. Fibers are to run old code that knows nothing of them, and
# what is suspended by "@f()" is silent in the Fiber only.
# Seen: with PHP 8.2 of Debian 12
#   two pages       mixed: each Fiber gets its own end, after the beginning of the other's
#   @               goes with the Fiber
#   set_error_handler   is everybody's: a warning outside goes to the Fiber's handler while
#                   the Fiber is suspended
#   a Fiber that is dropped   its buffer stays open, and takes what others say
# The buffers, and the handlers, are a stack of the process; of what a program may set for a
# while the engine keeps error_reporting for each Fiber. So under AMPHP, ReactPHP's async or
# any other event loop of Fibers nothing may wait between ob_start and ob_get_clean, in
# templates too; render what must be waited for before.
#
# Needs the packages of Debian 12 (apt-get update has been run).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq php-cli >/dev/null 2>&1
cat >pages.php <<'EOF2'
<?php
function say(string $text): void { fwrite(STDERR, $text . "\n"); }

function page(string $name): string {
	ob_start();
	echo "$name begins, ";
	Fiber::suspend();
	echo "$name ends";
	return ob_get_clean();
}

say("PHP " . PHP_MAJOR_VERSION . "." . PHP_MINOR_VERSION);
$a = new Fiber(fn() => page("a"));
$b = new Fiber(fn() => page("b"));
$a->start();
$b->start();
$a->resume();
$b->resume();
say("page a: " . $a->getReturn());
say("page b: " . $b->getReturn());

function waits(): bool { Fiber::suspend(); return true; }
$all = error_reporting();
$quiet = new Fiber(fn() => @waits());
$quiet->start();
say("outside of @: " . (error_reporting() === $all ? "as before" : "silent"));
$quiet->resume();

set_error_handler(function ($number, $message) { say("$message: the program's handler"); return true; });
$handles = new Fiber(function () {
	set_error_handler(function ($number, $message) { say("$message: the fiber's handler"); return true; });
	Fiber::suspend();
	restore_error_handler();
});
$handles->start();
trigger_error("a warning outside", E_USER_WARNING);
$handles->resume();

$dropped = new Fiber(fn() => page("c"));
$dropped->start();
unset($dropped);
gc_collect_cycles();
say("after one was dropped: " . ob_get_level() . " buffer is open");
EOF2
php pages.php 2>&1 >/dev/null | tee seen
diff seen - <<'EOF2'
PHP 8.2
page a: b begins, a ends
page b: a begins, b ends
outside of @: as before
a warning outside: the fiber's handler
after one was dropped: 1 buffer is open
EOF2
echo "as it was seen"
