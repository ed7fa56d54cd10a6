#!/usr/bin/env bash
# The README's two commands on bare systems: each SUITE of Debian as root and as a user with sudo.
#   matrix.sh FOLDER [SUITE[:root|:sudo] …]     FOLDER takes 6 GB a run and keeps the logs; a bare system stays as FOLDER/SUITE.tar
# Prints a table in Markdown. Mounts and processes of a run live in namespaces of its own and end with it.
set -euo pipefail
source=$(dirname "$(dirname "$(readlink -f "$0")")")
mirror=${HULL_MATRIX_MIRROR:-http://deb.debian.org/debian}

say() { printf '%s\n' "$*" >&2; }

bare() { # SUITE ROOT: a fresh system, unpacked where one was made before
  local suite=$1 root=$2
  rm -rf "$root"
  mkdir -p "$root"
  if [ ! -f "$folder/$suite.tar" ]; then
    say "$suite: debootstrap"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$folder/$suite-debootstrap.log" 2>&1 ||
      { tail -n 5 "$folder/$suite-debootstrap.log" >&2; return 1; }
    tar --one-file-system -C "$root" -cf "$folder/$suite.part" .
    mv "$folder/$suite.part" "$folder/$suite.tar"
  else
    tar -C "$root" -xf "$folder/$suite.tar"
  fi
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  # Who sits behind a proxy with a certificate of its own names it so.
  [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || (cd / && cp -L --parents ".$NODE_EXTRA_CA_CERTS" "$root/")
}

# Inside the namespaces: mounts, the user, the two commands. Writes SECONDS of each, their status and the last line.
inside() { # ROOT USER RESULT
  local root=$1 user=$2 result=$3 home=/root as=() begun what
  mount -t proc proc "$root/proc"
  mount -t sysfs sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
  if [ "$user" = sudo ]; then
    home=/home/hull
    chroot "$root" sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq sudo >/dev/null &&
      useradd -m hull && echo "hull ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/hull'
    as=(setpriv --reuid hull --regid hull --init-groups env HOME=$home USER=hull LOGNAME=hull)
  fi
  mkdir -p "$root$home"
  tar -C "$clone" -cf - . | (mkdir "$root$home/hull" && tar -C "$root$home/hull" -xf - --no-same-owner)
  [ "$user" = root ] || chroot "$root" chown -R hull:hull "$home/hull"
  for what in demo test; do
    begun=$SECONDS
    # Whatever a machine around us set for its own programs stays outside.
    chroot "$root" "${as[@]}" env -u GST_PLUGIN_PATH -u CCACHE_DIR -u CC -u CXX "$home/hull/dev" $what </dev/null ||
      printf 'STATUS %s %d\n' $what $?
    printf 'SECONDS %s %d\n' $what $((SECONDS - begun))
  done >"$result.log" 2>&1
  du -sxm "$root" | cut -f1 >"$result.disk"
}

row() { # SUITE USER RESULT
  local log=$3.log what cells=
  for what in demo test; do
    if grep -q "^STATUS $what" "$log"; then cells+=" failed |"; else cells+=" $(sed -n "s/^SECONDS $what //p" "$log") s |"; fi
  done
  printf '| %s | %s |%s %s | %s MB |\n' "$1" "$2" "$cells" \
    "$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)" "$(cat "$3.disk")"
}

if [ "$1" = --inside ]; then
  clone=$2
  inside "${@:3}"
  exit
fi

folder=$(mkdir -p "$1" && readlink -f "$1")
shift
[ "$(id -u)" -eq 0 ] || { say "only root may make a system"; exit 77; }
command -v debootstrap >/dev/null || { say "debootstrap is not installed"; exit 77; }
[ $# -gt 0 ] || set -- bookworm trixie
clone=$folder/clone
rm -rf "$clone"
git -c safe.directory="*" clone -q "$source" "$clone"
rows=()
failed=0
for run in "$@"; do
  suite=${run%%:*}
  users="root sudo"
  [ "$suite" = "$run" ] || users=${run##*:}
  for user in $users; do
    result=$folder/$suite-$user
    say "$suite as $user: see $result.log"
    bare "$suite" "$folder/root"
    unshare --mount --pid --fork --kill-child --propagation private "$0" --inside "$clone" "$folder/root" "$user" "$result"
    grep -q '^STATUS' "$result.log" && failed=1
    rows+=("$(row "$suite" "$user" "$result")")
    say "${rows[-1]}"
    rm -rf --one-file-system "$folder/root"
  done
done
printf '| Debian | as | `./dev demo` | `./dev test` | tests | disk |\n|---|---|---|---|---|---|\n'
printf '%s\n' "${rows[@]}"
exit $failed
