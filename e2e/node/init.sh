#!/bin/bash
# The first process of a pid and mount namespace of its own (node.ts starts it so): a container runtime
# and a kubelet. What is mounted here is seen by nobody outside, and ends with this process.
#   STATE       where the node keeps everything
#   RUNTIME     where Debian's containerd and runc are unpacked
#   KUBELET     the kubelet
#   KUBECONFIG  whom the kubelet is to the API server
#   NODE_NAME   what the node is called
set -e
mkdir -p "$STATE"/{containerd,kubelet,sysctl,log/pods,log/containers}
mkdir -p /run/containerd /var/lib/kubelet /var/log/pods /var/log/containers
# Both mount volumes that the other must see.
mount --make-rshared /
# Containers' shims have their sockets there, whatever the configuration says.
mount -t tmpfs -o mode=711 none /run/containerd
mount --bind "$STATE/kubelet" /var/lib/kubelet
mount --bind "$STATE/log/pods" /var/log/pods
mount --bind "$STATE/log/containers" /var/log/containers
# A kubelet sets these for the whole machine when it starts: here it sets copies.
for key in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  copy="$STATE/sysctl/${key//\//.}"
  cat "/proc/sys/$key" > "$copy"
  mount --bind "$copy" "/proc/sys/$key"
done
export PATH="$RUNTIME/usr/bin:$RUNTIME/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
containerd --config "$STATE/containerd.toml" > "$STATE/containerd.log" 2>&1 &
for _ in {1..100}; do
  [ -S /run/containerd/containerd.sock ] && break
  sleep 0.1
done
"$KUBELET" --config "$STATE/kubelet.yaml" --kubeconfig "$KUBECONFIG" \
  --hostname-override "$NODE_NAME" --cert-dir "$STATE/pki" > "$STATE/kubelet.log" 2>&1 &
# A node of which one half is dead is dead.
wait -n
