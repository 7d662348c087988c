package flannel

import (
	"slices"
	"strings"
	"testing"
)

// TestRemoving reads tables with the rules of flannel and of others.
func TestRemoving(t *testing.T) {
	const nat = `-P PREROUTING ACCEPT
-P POSTROUTING ACCEPT
-N FLANNEL-POSTRTG
-N KUBE-POSTROUTING
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A FLANNEL-POSTRTG -s 10.244.0.0/16 -d 10.244.0.0/24 -m comment --comment "flanneld masq" -j RETURN
`
	for _, tt := range []struct {
		name, rules string
		want        []string
	}{
		{"flannel's alone", nat, []string{"-D|POSTROUTING|-m|comment|--comment|flanneld masq|-j|FLANNEL-POSTRTG", "-F|FLANNEL-POSTRTG", "-X|FLANNEL-POSTRTG"}},
		{"nothing of flannel's", "-P INPUT ACCEPT\n-A INPUT -j KUBE-FIREWALL\n", nil},
		{"empty", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, command := range removing(tt.rules) {
				got = append(got, strings.Join(command, "|"))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q", got)
			}
		})
	}
}
