#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine's loopback, with a munge of its own, for tests only:
#   slurm.sh start DIR BASEPORT   starts it; DIR/slurm.conf is what SLURM_CONF shall name; exits 77 where Slurm is missing
#   slurm.sh kill-node DIR NAME   ends a node at once, with everything that runs on it
#   slurm.sh lose-disk DIR NAME FOLDER   the node finds an empty folder there that it cannot write; exits 77 where it may not
#   slurm.sh stop DIR             ends the rest
# Only processes this script started are ended, by their numbers.
set -euo pipefail
command=$1 dir=$2
export PATH=$PATH:/usr/sbin:/sbin SLURM_CONF=$dir/slurm.conf

configure() {
  local host version
  host=$(hostname -s)
  version=$(slurmctld -V | sed 's/^[^0-9]*\([0-9]*\)\.\([0-9]*\).*/\1\2/')
  cat >"$dir/slurm.conf" <<TEXT
ClusterName=hulltest
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$1
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=10
JobRequeue=1
SlurmdParameters=config_overrides
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$(($1 + 1))-$(($1 + 2))] CPUs=1 RealMemory=2000 State=UNKNOWN
PartitionName=test Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
TEXT
  if [ "$version" -ge 2311 ]; then
    # Newer daemons want control groups even where no plugin of ours asks for them, and containers have none to give.
    echo CgroupPlugin=disabled >"$dir/cgroup.conf"
  else
    echo CommunicationParameters=NoAddrCache >>"$dir/slurm.conf"
  fi
}

start() {
  command -v slurmctld slurmd munged sbatch >/dev/null || { echo "slurm-wlm or munge is not installed"; exit 77; }
  [ "$(id -u)" -eq 0 ] || { echo "only root may start a cluster"; exit 77; }
  configure "$1"
  mkdir -p "$dir/state" "$dir/spool.n1" "$dir/spool.n2"
  head -c 1024 /dev/urandom >"$dir/munge.key"
  chmod 600 "$dir/munge.key"
  munged --force --key-file="$dir/munge.key" --socket="$dir/munge.sock" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed"
  slurmctld -f "$dir/slurm.conf"
  slurmd -N n1 -f "$dir/slurm.conf"
  # With mounts of its own, so that it can lose a disk.
  unshare --mount --propagation private slurmd -N n2 -f "$dir/slurm.conf" || slurmd -N n2 -f "$dir/slurm.conf"
  local i
  for i in $(seq 60); do
    [ "$(sinfo --noheader --Node --format=%T 2>/dev/null | grep -c idle)" -eq 2 ] && return
    sleep 0.5
  done
  sinfo >&2 || true
  tail -n 3 "$dir"/*.log >&2
  stop
  exit 1
}

# Tasks carry the node's name in their environment; their parents are the node's step daemons.
kill_node() {
  local node=$1 pid parent list
  list=$(cat "$dir/slurmd.$node.pid")
  for pid in $(pgrep -f 'pertitle task' || true); do
    tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "SLURM_CONF=$dir/slurm.conf" || continue
    tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$node" || continue
    parent=$(awk '{print $4}' "/proc/$pid/stat" 2>/dev/null || true)
    list="$list $parent $pid"
  done
  echo "killing $list"
  kill -KILL $list 2>/dev/null || true
}

lose_disk() {
  local pid
  pid=$(cat "$dir/slurmd.$1.pid")
  [ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || exit 77
  nsenter --target "$pid" --mount mount -t tmpfs -o ro none "$2"
}

stop() {
  local file
  # Without a cluster of ours scancel would look for one elsewhere, for a minute.
  [ -f "$SLURM_CONF" ] || return 0
  scancel --quiet --user root 2>/dev/null || true
  for file in "$dir"/slurmd.*.pid "$dir/slurmctld.pid" "$dir/munged.pid"; do
    [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null || true
  done
}

case $command in
  start) start "$3" ;;
  kill-node) kill_node "$3" ;;
  lose-disk) lose_disk "$3" "$4" ;;
  stop) stop ;;
esac
