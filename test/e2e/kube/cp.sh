#!/bin/bash
# cp.sh: start etcd, apiserver, controllers and scheduler in k8s-cp; logs to logs/, pids to cp.pids
set -eu
T=${T:?a working folder}; B=${KUBE:?}; P=$T/pki; mkdir -p $T/logs $T/cp/etcd; : > $T/cp.pids
run() { n=$1; shift; ip netns exec k8s-cp nice -n 10 $B "$@" >$T/logs/$n.log 2>&1 </dev/null & echo "$! $n" >> $T/cp.pids; }
run etcd etcd --data-dir=$T/cp/etcd --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
 --listen-peer-urls=http://127.0.0.1:2380 --unsafe-no-fsync --log-level=warn
run apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --bind-address=0.0.0.0 --advertise-address=10.89.0.1 \
 --tls-cert-file=$P/apiserver.crt --tls-private-key-file=$P/apiserver.key --client-ca-file=$P/ca.crt \
 --service-account-key-file=$P/sa.pub --service-account-signing-key-file=$P/sa.key --service-account-issuer=https://kubernetes.default.svc \
 --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
 --kubelet-client-certificate=$P/kubelet-client.crt --kubelet-client-key=$P/kubelet-client.key --kubelet-certificate-authority=$P/ca.crt \
 --kubelet-preferred-address-types=InternalIP --allow-privileged=true
K="ip netns exec k8s-cp $B kubectl --kubeconfig=$P/admin.kubeconfig"
for _ in $(seq 300); do $K get --raw /readyz >/dev/null 2>&1 && break; sleep 0.2; done
run kcm kube-controller-manager --kubeconfig=$P/kcm.kubeconfig --authentication-kubeconfig=$P/kcm.kubeconfig --authorization-kubeconfig=$P/kcm.kubeconfig \
 --service-account-private-key-file=$P/sa.key --root-ca-file=$P/ca.crt --use-service-account-credentials=true --leader-elect=false --bind-address=127.0.0.1 \
 --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --service-cluster-ip-range=10.96.0.0/16
run scheduler kube-scheduler --kubeconfig=$P/scheduler.kubeconfig --authentication-kubeconfig=$P/scheduler.kubeconfig --authorization-kubeconfig=$P/scheduler.kubeconfig \
 --leader-elect=false --bind-address=127.0.0.1
