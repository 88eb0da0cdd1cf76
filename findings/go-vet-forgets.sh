#!/usr/bin/env bash
# go vet of one package, after a go vet of another one that imports it: is a fault of
# the first still reported?
#
# Package b imports a, and a calls Printf with a wrong argument. Each release begins
# with an empty build cache. asyncvet is run by go vet, too.
#
# Guess: yes. A vet of b looks at a for its facts only and reports nothing of it, but a
# vet of a is another question, whatever is in the cache.
# Seen: with Go 1.26.8 the second vet is silent and ends with 0, and so is a third one,
# of all packages, until the cache is emptied. Go 1.25.14, 1.26.11 and 1.27.4 report
# it. So where a build cache is kept, on a developer's machine or between CI jobs, a
# fault may pass that a fresh machine reports.
#
# Needs Go and the module proxy, which has the toolchains.
set -eu
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
mkdir a b
cat >go.mod <<'EOF2'
module forgets

go 1.25
EOF2
cat >a/a.go <<'EOF2'
package a

import "fmt"

func Say() { fmt.Printf("%d\n", "a word") }
EOF2
cat >b/b.go <<'EOF2'
package b

import "forgets/a"

func Say() { a.Say() }
EOF2
vet() { # vet PACKAGE: prints whether something was reported
	if go vet "./$1" >/dev/null 2>&1; then echo "silent"; else echo "reported"; fi
}
for release in go1.25.14 go1.26.8 go1.26.11 go1.27.4; do
	export GOTOOLCHAIN=$release
	GOCACHE=$dir/cache-$release
	export GOCACHE
	echo "$release: b $(vet b), then a $(vet a), both at once $(vet ...)"
done | tee seen
diff seen - <<'EOF2'
go1.25.14: b silent, then a reported, both at once reported
go1.26.8: b silent, then a silent, both at once silent
go1.26.11: b silent, then a reported, both at once reported
go1.27.4: b silent, then a reported, both at once reported
EOF2
echo "as it was seen"
