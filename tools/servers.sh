#!/usr/bin/env bash
# Real servers for tests and examples: MariaDB, PostgreSQL, Redis, and Chromium to
# look at pages.
#
#	tools/servers.sh install NAME...         installs what is missing (Debian, as root)
#	tools/servers.sh hold NAME               starts a server, prints its address, and
#	                                         stops it when standard input ends; on a
#	                                         line "kill" there it kills it, and on
#	                                         "start" it starts it anew where it was,
#	                                         and prints what it has done
#	tools/servers.sh with NAME... -- CMD...  starts servers, runs a command that finds
#	                                         their addresses in its environment, and
#	                                         stops them
#
#	mariadb    MYSQL_DSN     user:password@tcp(127.0.0.1:port)/database
#	postgres   POSTGRES_URL  postgres://user:password@127.0.0.1:port/database?sslmode=disable
#	redis      REDIS_URL     redis://127.0.0.1:port
#	chromium   CHROMIUM      path of the program, which is not started
#
# A variable that is set already is believed: then no server is started. A server
# listens on the loopback only, its data is in a temporary folder that is gone
# afterwards, and it is stopped by its process id. What is missing is installed
# where that is possible. Exit status 3 says that something cannot be had.
set -u

fail() { echo "servers.sh: $2" >&2; exit "$1"; }
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }

variable() { # the variable that has a server's address
	case $1 in
	mariadb) echo MYSQL_DSN ;;
	postgres) echo POSTGRES_URL ;;
	redis) echo REDIS_URL ;;
	chromium) echo CHROMIUM ;;
	*) fail 2 "there is no server of the name $1" ;;
	esac
}

program() { # the path of a server's program
	case $1 in
	mariadb) PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mariadbd ;;
	postgres) ls -1 /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1 | grep . || command -v postgres ;;
	redis) command -v redis-server ;;
	chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
	esac
}

package() { # Debian's name for it
	case $1 in
	mariadb) echo mariadb-server ;;
	postgres) echo postgresql ;;
	redis) echo redis-server ;;
	chromium) echo chromium ;;
	esac
}

need() { # need NAME: sets $found to the path of its program, which it installs if need be
	if ! found=$(program "$1") && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "servers.sh: installing $(package "$1")" >&2
		exec 8>"${TMPDIR:-/tmp}/servers.sh.lock" && flock 8 # tests of several packages may ask
		program "$1" >/dev/null ||
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$(package "$1")"; } >&2
		exec 8>&-
		found=$(program "$1")
	fi
	[ -n "$found" ] || fail 3 "there is no $1; Debian's package $(package "$1") has it"
}

# A database refuses to run as root, or should: then it runs as the user that its
# package has made.
as() { # as USER COMMAND...
	local user=$1
	shift
	if [ "$(id -u)" = 0 ] && id "$user" >/dev/null 2>&1; then
		setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"
	else
		"$@"
	fi
}

own() { # own USER: the data folder is the user's
	[ "$(id -u)" != 0 ] || chown "$1" "$data"
}

serve() { # serve NAME: starts it and sets $address, $pid and $data
	need "$1"
	data=$(mktemp -d "${TMPDIR:-/tmp}/servers-$1.XXXXXX") || exit 1
	chmod 755 "$data"
	prepare_"$1" >"$data/log" 2>&1 || { cat "$data/log" >&2; fail 1 "the data of $1 cannot be made"; }
	local try wait
	for try in 1 2 3 4 5; do # another program may take the port meanwhile
		port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
		start_"$1" >>"$data/log" 2>&1 </dev/null &
		pid=$!
		for wait in $(seq 300); do
			kill -0 "$pid" 2>/dev/null || break
			answers_"$1" >/dev/null 2>&1 && return
			sleep 0.1
		done
		stop
	done
	tail -n 50 "$data/log" >&2
	fail 1 "$1 does not start"
}

again() { # the server, with its data, at its port
	local try wait
	for try in $(seq 100); do # what is left of the killed one may be in the way
		start_"$1" >>"$data/log" 2>&1 </dev/null &
		pid=$!
		for wait in $(seq 600); do
			kill -0 "$pid" 2>/dev/null || break
			answers_"$1" >/dev/null 2>&1 && return
			sleep 0.1
		done
		stop
		sleep 0.2
	done
	tail -n 50 "$data/log" >&2
	fail 1 "$1 does not start again"
}

stop() {
	[ -n "${pid:-}" ] || return 0
	kill "$pid" 2>/dev/null # it ends in good order
	for _ in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	pid=
}

remove() {
	stop
	[ -z "${data:-}" ] || rm -rf "$data"
}

# Each start_ becomes the server's process itself, so that $! is its.

prepare_mariadb() {
	own mysql
	cat >"$data/init.sql" <<-'SQL'
		CREATE DATABASE greenlet;
		CREATE USER 'greenlet'@'%' IDENTIFIED BY 'greenlet';
		GRANT ALL ON *.* TO 'greenlet'@'%';
	SQL
	as mysql "$(command -v mariadb-install-db || command -v mysql_install_db)" --no-defaults \
		--datadir="$data/data" --auth-root-authentication-method=normal --skip-test-db
}
start_mariadb() {
	local init=--init-file=$data/init.sql
	[ ! -d "$data/data/greenlet" ] || init=
	exec_as mysql "$found" --no-defaults --datadir="$data/data" --socket="$data/socket" --pid-file="$data/pid" \
		--bind-address=127.0.0.1 --port="$port" --skip-name-resolve --max-connections=2000 $init
}
answers_mariadb() {
	address="greenlet:greenlet@tcp(127.0.0.1:$port)/greenlet"
	"$(command -v mariadb || command -v mysql)" --no-defaults -h 127.0.0.1 -P "$port" -u greenlet -pgreenlet -e 'select 1' greenlet
}

prepare_postgres() {
	own postgres
	echo greenlet >"$data/password"
	chmod 644 "$data/password"
	as postgres "${found%/*}/initdb" -D "$data/data" -U greenlet --pwfile="$data/password" --auth=scram-sha-256 -E UTF8 --locale=C
}
start_postgres() {
	exec_as postgres "$found" -D "$data/data" -c listen_addresses=127.0.0.1 -p "$port" -k "$data" \
		-c max_connections=300 -c fsync=off
}
answers_postgres() {
	address="postgres://greenlet:greenlet@127.0.0.1:$port/postgres?sslmode=disable"
	PGPASSWORD=greenlet "${found%/*}/psql" -h 127.0.0.1 -p "$port" -U greenlet -c 'select 1' postgres
}

prepare_redis() { :; }
start_redis() {
	exec "$found" --bind 127.0.0.1 --port "$port" --dir "$data" --save '' --appendonly no
}
answers_redis() {
	address="redis://127.0.0.1:$port"
	[ "$(redis-cli -h 127.0.0.1 -p "$port" ping)" = PONG ]
}

exec_as() {
	local user=$1
	shift
	if [ "$(id -u)" = 0 ] && id "$user" >/dev/null 2>&1; then
		cd / || exit 1
		exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"
	fi
	exec "$@"
}

have() { # have NAME: sets $address, and starts a server for that if need be
	local name
	name=$(variable "$1") || exit 2
	address=${!name:-}
	[ -z "$address" ] || return 0
	if [ "$1" = chromium ]; then
		need chromium
		address=$found
		return
	fi
	trap remove EXIT
	trap 'exit 143' HUP INT TERM
	serve "$1"
}

case ${1:-} in
install)
	shift
	[ $# -gt 0 ] || usage
	for name; do variable "$name" >/dev/null || exit 2; need "$name"; done
	;;
hold)
	[ $# = 2 ] || usage
	have "$2"
	echo "$address"
	while read -r line; do
		case $line in
		kill)
			kill -9 "$pid"
			wait "$pid" 2>/dev/null
			echo killed
			;;
		start)
			again "$2"
			echo started
			;;
		esac
	done
	;;
with)
	shift
	[ $# -gt 0 ] || usage
	if [ "$1" = -- ]; then
		shift
		exec "$@"
	fi
	first=$1
	shift
	have "$first"
	declare -x "$(variable "$first")=$address"
	"$0" with "$@" &
	inner=$!
	trap 'kill "$inner" 2>/dev/null; wait "$inner"; exit 143' HUP INT TERM
	wait "$inner"
	exit $?
	;;
*) usage ;;
esac
