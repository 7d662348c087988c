package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/testbed/outside"
)

func TestHostOutside(t *testing.T) {
	one := outside.Ticket{Addr: netip.MustParseAddrPort("10.0.0.5:41234"), Token: [32]byte{1}}
	other := outside.Ticket{Addr: netip.MustParseAddrPort("10.0.0.6:41234"), Token: [32]byte{2}}
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "ticket")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	for _, tt := range []struct {
		name, flag, env string
		want            *outside.Ticket
		wrong           string // "" for none
	}{
		{"neither", "", "", nil, ""},
		{"the flag", one.String(), "", &one, ""},
		{"the environment", "", one.String(), &one, ""},
		{"the flag wins", one.String(), other.String(), &one, ""},
		{"a file", file(one.String() + "\n"), "", &one, ""},
		{"a file that the environment names", "", file(one.String()), &one, ""},
		{"a file with all that was printed", file("export " + outside.Env + "=" + one.String() + "\n--outside " + one.String() + "\n"), "", &one, ""},
		{"a file that is not there", "@/nowhere/ticket", "", nil, "/nowhere/ticket"},
		{"half a ticket in the environment", "", "10.0.0.5:41234,s3cr3t", nil, outside.Env + ": "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := hostOutside(tt.flag, tt.env)
			if (err != nil) != (tt.wrong != "") || err != nil && (!strings.Contains(err.Error(), tt.wrong) || strings.Contains(err.Error(), "s3cr3t")) {
				t.Fatalf("%v", err)
			}
			if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}
