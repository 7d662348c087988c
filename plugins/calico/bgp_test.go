package calico

import (
	"strings"
	"testing"
)

// protocols is the output of BIRD 2.0.12 for a mesh of three nodes.
const protocols = `0001 BIRD 2.0.12 ready.
2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     21:05:00.865  
 direct1    Direct     ---        up     21:05:00.865  
 blocks     Static     master4    up     21:05:00.865  
 kernel1    Kernel     master4    up     21:05:00.865  
 mesh_node2 BGP        ---        up     21:05:01.828  Established   
 mesh_node3 BGP        ---        up     21:05:01.828  Established   
0000 
`

func TestReadSessions(t *testing.T) {
	tests := []struct {
		name, answer, wantErr string
	}{
		{"all up", protocols, ""},
		{"one connecting", strings.Replace(protocols, "Established", "Active", 1), "mesh_node2"},
		{"no mesh", "0001 BIRD 2.0.12 ready.\n0000 \n", "no BGP session"},
		{"broken off", protocols[:len(protocols)-8], "is incomplete"},
		{"nothing", "", "is incomplete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := readSessions(strings.NewReader(tt.answer))
			if (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("readSessions: error %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func FuzzReadSessions(f *testing.F) {
	f.Add(protocols)
	f.Fuzz(func(t *testing.T, answer string) {
		if readSessions(strings.NewReader(answer)) == nil && !strings.Contains(answer, "Established") {
			t.Errorf("readSessions(%q) sees a session", answer)
		}
	})
}
