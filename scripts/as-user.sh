#!/bin/sh
# Runs a test binary as an ordinary user: `go test -exec scripts/as-user.sh`, called
# as root. In a mount namespace of its own, it mounts the checkout and the binary
# where an ordinary user may read them, and /dev/net/tun with the mode that
# distributions give it (0666). Nothing changes on the machine itself.
set -eu

if [ "${1:-}" != --inside ]; then
	exec unshare --mount --propagation private -- "$0" --inside "$@"
fi
shift
repo=$(cd "$(dirname "$0")/.." && pwd)
here=$(pwd)
binary=$1
shift

stage=$(mktemp -d)
mount -t tmpfs -o mode=0755 tmpfs "$stage"
mkdir "$stage/repo" "$stage/tmp"
chmod 1777 "$stage/tmp"
cp "$binary" "$stage/test"
if [ -e /dev/net/tun ]; then
	mknod -m 0666 "$stage/tun" c 10 200
	mount --bind "$stage/tun" /dev/net/tun
fi
mount --bind "$repo" "$stage/repo"
# The stage must be reachable regardless of the modes of its parent directories.
mount --bind "$stage" /mnt
mount --bind "$repo" /mnt/repo
rmdir_later=$stage
cd "/mnt/repo${here#"$repo"}"
umount "$rmdir_later/repo" && umount "$rmdir_later" && rmdir "$rmdir_later"
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
	env -i PATH="$PATH" TMPDIR=/mnt/tmp CI="${CI:-}" /mnt/test "$@"
