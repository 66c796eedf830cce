#!/usr/bin/env bash
# The first process in the namespaces of a host, of the launcher or of the switch between them. hosts.py calls it in new
# ones. What it says before READY and its number is an error. Ends when its standard input is closed.
#
#   hosts.sh switch
#   hosts.sh launcher NAME NUMBER SWITCH FOLDER
#   hosts.sh host NAME NUMBER SWITCH FOLDER SHARED [HIDDEN...]     SHARED may be empty
set -euo pipefail

be_switch() {
  ip link add bridge type bridge
  ip link set bridge up
  stay $$
}

be_launcher() {
  plug_in "$@"
  stay $$
  end_all_in_this_network
  rm -rf "$4"
}

# Process 1 of its own: a shell, which buries orphans while it reads.
be_host() {
  local pid covered shared held folder=$4
  plug_in "${@:1:4}"
  shared=$5
  shift 5
  read -r pid _ </proc/self/stat  # of this shell, as the machine counts: /proc is the machine's so far
  mount -t proc proc /proc
  mount --bind "$folder/ssh" /etc/ssh
  exec {held}<"${shared:-/}"  # it may lie in what is covered now
  for covered in /tmp /var/tmp /dev/shm "$@"; do
    [[ ! -d $covered ]] || mount -t tmpfs tmpfs "$covered"
  done
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/sshd /run/lockstep
  if [[ $shared ]]; then
    mkdir -p "$shared"
    mount --no-canonicalize --bind "/proc/self/fd/$held" "$shared"
  fi
  exec {held}<&-
  start_sshd || { cat /run/sshd.log; exit 1; }
  stay "$pid"
}

start_sshd() {
  /usr/sbin/sshd -E /run/sshd.log </dev/null || return
  until [[ -s /run/sshd.pid ]]; do  # it has one as soon as it listens
    ((SECONDS < 20)) || return
    sleep 0.01
  done
}

# NAME NUMBER SWITCH FOLDER: an own name, and a cable to the switch. Its address of the link layer is the same when a
# host comes back: the others remember it, and would not find the host for half a minute.
plug_in() {
  local number=$2 switch=/proc/$3/ns/net
  hostname "$1"
  mount --bind "$4/hosts" /etc/hosts
  ip -batch - <<COMMANDS
link set lo up
link add eth0 address 02:00:00:00:00:$(printf %02x "$number") type veth peer name port-$number netns $switch
addr add 10.0.0.$number/24 dev eth0
link set eth0 up
COMMANDS
  nsenter --net="$switch" ip link set "port-$number" master bridge up
}

stay() {  # PROCESS
  echo READY "$1"
  exec >/dev/null 2>&1
  read -r _ || :
}

# Programs that were started in the launcher's, and whatever those have left behind.
end_all_in_this_network() {
  local process found=yes
  while [[ $found ]]; do
    found=
    for process in /proc/[0-9]*; do
      if [[ ${process#/proc/} != "$$" && $process/ns/net -ef /proc/self/ns/net ]]; then
        found=yes
        kill -KILL "${process#/proc/}" || :
      fi
    done
  done
}

# In a new network nothing is up yet. Anywhere else, what follows would be the end of the machine.
up=$(ip -o link show up)
if [[ $up ]]; then echo "$0: only in a network of its own"; exit 1; fi
"be_$1" "${@:2}"
