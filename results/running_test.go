package results

import "testing"

func TestRunning(t *testing.T) {
	dir := t.TempDir()
	if Running(dir) {
		t.Error("there is no run")
	}
	journal, err := Create(dir, Run{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if !Running(dir) {
		t.Error("a journal that is open is not seen as running")
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	if Running(dir) {
		t.Error("a journal that was closed is seen as running")
	}
	lock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !Running(dir) {
		t.Error("a journal that another kernel writes is not seen as running")
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if _, again, err := Open(dir); err != nil {
		t.Errorf("looking kept the run away: %v", err)
	} else if err := again.Close(); err != nil {
		t.Error(err)
	}
}
