package words

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestOfError finds the words of errors within others.
func TestOfError(t *testing.T) {
	zh, err := New("zh")
	if err != nil {
		t.Fatal(err)
	}
	lacks, other := Error(KernelLacks.With("ipip")), Error(NotWithin.With("5s"), context.DeadlineExceeded)
	for _, c := range []struct {
		name             string
		err              error
		english, chinese string
	}{
		{"none", nil, "", ""},
		{"without words", errors.New("no such file"), "no such file", "no such file"},
		{"with words", lacks, "kernel lacks ipip", "内核缺少 ipip"},
		{"wrapped", fmt.Errorf("bringing up b: %w", lacks), "bringing up b: kernel lacks ipip", "bringing up b: 内核缺少 ipip"},
		{"joined", errors.Join(lacks, errors.New("x")), "kernel lacks ipip\nx", "内核缺少 ipip\nx"},
		{"joined alone", errors.Join(nil, lacks), "kernel lacks ipip", "内核缺少 ipip"},
		{"in one sentence", fmt.Errorf("%w; %w", lacks, other), "kernel lacks ipip; not within 5s", "内核缺少 ipip；未在 5s 之内"},
		{"in a sentence of their own", fmt.Errorf("%w, although %w", lacks, other), "kernel lacks ipip, although not within 5s", "kernel lacks ipip, although not within 5s"},
		{"in the middle", fmt.Errorf("it %w here", lacks), "it kernel lacks ipip here", "it kernel lacks ipip here"},
		{"an argument", Error(CannotBeUsedHere.With("vxlan", lacks)), "vxlan cannot be used here: kernel lacks ipip", "此处无法使用 vxlan：内核缺少 ipip"},
	} {
		text := OfError(c.err)
		if text.String() != c.english {
			t.Errorf("%s: %q in English, want %q", c.name, text, c.english)
		}
		if got := zh.Say(text); got != c.chinese {
			t.Errorf("%s: %q in Chinese, want %q", c.name, got, c.chinese)
		}
	}
	if !errors.Is(other, context.DeadlineExceeded) {
		t.Error("an error of a text does not wrap what the text speaks of")
	}
}

// TestRecordKeepsMessages writes texts as sentences, and finds their messages by
// the forms beside them.
func TestRecordKeepsMessages(t *testing.T) {
	type record struct {
		Cause    Text
		Warnings []Text
		Inside   *struct{ Why Text }
	}
	was := record{Cause: KernelLacks.With("ipip"), Warnings: []Text{High, Quote("as it is")}, Inside: &struct{ Why Text }{Clauses(Low, FailedOf.With(1, 2))}}
	read := func() record {
		return record{Quote(was.Cause.english), []Text{Quote("high"), Quote("as it is")}, &struct{ Why Text }{Quote(was.Inside.Why.english)}}
	}
	forms := Collect(was)
	got := read()
	Restore(&got, forms)
	if got.Cause != was.Cause || got.Warnings[0] != High || got.Warnings[1] != was.Warnings[1] || got.Inside.Why != was.Inside.Why {
		t.Errorf("read back %+v, want %+v", got, was)
	}
	for name, form := range map[string]string{
		"another message":      `{"id":"reach.kernel-lacks","args":["vxlan"]}`,
		"no message":           `{"id":"no.such"}`,
		"too few arguments":    `{"id":"reach.kernel-lacks"}`,
		"an argument too many": `{"id":"reach.kernel-lacks","args":["ipip","x"]}`,
		"no form":              `7`,
	} {
		got := read()
		Restore(&got, Forms{"kernel lacks ipip": []byte(form)})
		if got.Cause != Quote("kernel lacks ipip") {
			t.Errorf("%s passes for a message: %+v", name, got.Cause)
		}
	}
}
