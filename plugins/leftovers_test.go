package plugins

import (
	"slices"
	"strings"
	"testing"
)

// TestRemoving reads tables with the rules of flannel, of Calico and of others.
func TestRemoving(t *testing.T) {
	const nat = `-P PREROUTING ACCEPT
-P POSTROUTING ACCEPT
-N FLANNEL-POSTRTG
-N KUBE-POSTROUTING
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/24 -m comment --comment "flanneld masq" -j RETURN
`
	const filter = `-P FORWARD ACCEPT
-N KUBE-FORWARD
-N cali-FORWARD
-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-FORWARD -m comment --comment "cali:vjrMJCRpqwy5oRoX" -j MARK --set-xmark 0x0/0xe0000
`
	flannel, calico := Leftovers{Chains: "FLANNEL-"}, Leftovers{Chains: "cali-", Comment: "cali:"}
	for _, tt := range []struct {
		name, rules string
		of          Leftovers
		want        []string
	}{
		{"flannel's alone", nat, flannel, []string{"-D|POSTROUTING|-m|comment|--comment|flanneld masq|-j|FLANNEL-POSTRTG", "-F|FLANNEL-POSTRTG", "-X|FLANNEL-POSTRTG"}},
		{"Calico's, with its rule that jumps nowhere", filter, calico, []string{"-D|FORWARD|-m|comment|--comment|cali:wUHhoiAYhphO9Mso|-j|cali-FORWARD",
			"-D|FORWARD|-m|comment|--comment|cali:S93hcgKJrXEqnTfs|-m|comment|--comment|Policy explicitly accepted packet.|-m|mark|--mark|0x10000/0x10000|-j|ACCEPT",
			"-F|cali-FORWARD", "-X|cali-FORWARD"}},
		{"nothing of Calico's", nat, calico, nil},
		{"nothing of flannel's", "-P INPUT ACCEPT\n-A INPUT -j KUBE-FIREWALL\n", flannel, nil},
		{"empty", "", flannel, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, command := range tt.of.removing(tt.rules) {
				got = append(got, strings.Join(command, "|"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q", got)
			}
		})
	}
}
