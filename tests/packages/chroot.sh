# A fresh Debian in a directory, for the scripts beside this. To be sourced; needs root.
#
# Everything in it runs in namespaces of its own: its processes end with the command, and what listens
# there does so on a loopback of its own, unless the command needs the network.

# Where this machine's apt has Debian from.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    head -n 1
}

# chroot_make DIR SUITE: the smallest Debian that apt can be used in, which goes with the script that
# has asked for it.
chroot_make() {
  command -v debootstrap >/dev/null || { echo "debootstrap is not installed" >&2; return 1; }
  chmod 755 "$1" # apt has a user of its own
  debootstrap --variant=minbase "$2" "$1" "$(debian_mirror)" >&2
  # A proxy of this machine's is one there, too.
  apt-config dump Acquire::http Acquire::https >"$1/etc/apt/apt.conf.d/machine"
  echo 'APT::Get::Assume-Yes "true";' >>"$1/etc/apt/apt.conf.d/machine"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d" # no services: there is no init
  chmod +x "$1/usr/sbin/policy-rc.d"
}

# chroot_run DIR COMMAND...
chroot_run() {
  unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/dev/shm"
    directory="$1"; shift; exec chroot "$directory" "$@"' sh "$@"
}

# chroot_run_alone DIR COMMAND...: with nothing but a loopback for network.
chroot_run_alone() {
  unshare --mount --pid --net --fork --kill-child sh -c '
    mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/dev/shm" && ip link set lo up
    directory="$1"; shift; exec chroot "$directory" "$@"' sh "$@"
}

# chroot_apt DIR COMMAND...: one that installs, without questions.
chroot_apt() {
  local directory="$1"
  shift
  chroot_run "$directory" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@" >&2
}

# chroot_install DIR PACKAGE...: with what they recommend.
chroot_install() {
  local directory="$1"
  shift
  chroot_apt "$directory" apt-get install -q "$@"
}
