# A fresh Debian in a directory, for the scripts beside this. To be sourced; needs root.
#
# Everything in it runs in namespaces of its own: its processes end with the command, or with the script
# when the whole system was started, and what listens there does so on a loopback of its own, unless the
# command needs the network.

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

# chroot_boot DIR: starts its systemd, as a machine without a network does, and waits until everything is
# up. Commands run there by chroot_in; chroot_halt ends it.
chroot_boot() {
  # Its own control group, which its systemd takes for the root of all.
  chroot_group="$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/signalbox-$$"
  mkdir "$chroot_group"
  unshare --mount --pid --net --uts --ipc --fork --kill-child bash -euc '
    echo $$ >"$2/cgroup.procs"
    exec unshare --cgroup --mount bash -euc '\''
      directory="$0"
      mount --bind "$directory" "$directory"
      cd "$directory"
      mount -t proc proc proc
      mount -t sysfs sysfs sys
      mount -t tmpfs tmpfs sys/fs/cgroup
      mount -t cgroup2 cgroup2 sys/fs/cgroup
      for each in run tmp dev; do mount -t tmpfs tmpfs "$each"; done
      for each in null zero full random urandom tty; do cp -a "/dev/$each" dev/; done
      mkdir dev/pts dev/shm
      mount -t tmpfs tmpfs dev/shm
      mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
      ln -s pts/ptmx dev/ptmx
      ln -s /proc/self/fd dev/fd
      pivot_root . mnt # in a mere chroot systemctl does nothing
      umount -l mnt
      mount --make-rshared . # as systemd has it on a machine, for its credentials
      exec env -i container=signalbox /usr/sbin/chroot . /lib/systemd/systemd'\'' "$1"' bash "$1" "$chroot_group" >&2 &
  chroot_parent=$!
  until chroot_init="$(pgrep -P "$chroot_parent")" && [ -e "/proc/$chroot_init/root/run/dbus/system_bus_socket" ]; do
    kill -0 "$chroot_parent"
    sleep 0.1
  done
  chroot_in systemctl is-system-running --wait >&2
}

# chroot_in COMMAND...: in what chroot_boot has started.
chroot_in() {
  nsenter --target "$chroot_init" --all --wdns=/ \
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

chroot_halt() {
  [ -n "${chroot_parent:-}" ] || return 0
  kill -KILL "$chroot_parent" || true # and the init with it, and all that is of it
  wait "$chroot_parent" 2>/dev/null || true
  while [ -e "$chroot_group" ]; do
    find "$chroot_group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
  done
}
