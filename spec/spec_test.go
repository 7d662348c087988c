package spec

import (
	"reflect"
	"strings"
	"testing"
)

type section struct {
	Size  int               `json:"size"`
	Names []string          `json:"names"`
	Rest  map[string]string `json:"rest"`
}

type file struct {
	Title string    `json:"title"`
	One   *section  `json:"one"`
	Many  []section `json:"many"`
}

// TestLines checks the lines of keys, including keys in sections.
func TestLines(t *testing.T) {
	f := file{Title: "kept"}
	lines, err := Read([]byte("one:\n  size: 3\n  rest: {a: b}\nmany:\n- {size: 4}\n"), &f)
	if want := (Lines{"one": 1, "one.size": 2, "one.rest": 3, "many": 4}); err != nil || !reflect.DeepEqual(lines, want) {
		t.Errorf("%v, %v", lines, err)
	}
	if f.Title != "kept" || f.One.Size != 3 || f.One.Rest["a"] != "b" || f.Many[0].Size != 4 {
		t.Errorf("%+v", f)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"a misspelt key", "title: a\none:\n  sise: 3\n", `line 3: there is no key "sise"; did you mean size?`},
		{"a misspelt key in a list", "many:\n- size: 1\n- sise: 3\n", `line 3: there is no key "sise"`},
		{"a key twice", "title: a\ntitle: b\n", "line 2: title is given twice, first in line 1"},
		{"a word for a number", "one:\n  size: big\n", "line 2: size: takes a value of type int, not a string"},
		{"a number for a list", "one: {names: 3}\n", "line 1: names: must be a list"},
		{"a list for a map", "one:\n  rest: [a]\n", "line 2: rest: takes a value of type"},
		{"an alias", "title: &a x\none: {names: [*a]}\n", "line 1: anchors and aliases are not supported"},
		{"no YAML", "title: [\n", "reading YAML: line"},
		{"too long", strings.Repeat("#", maxLength+1), "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read([]byte(c.text), &file{}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestHas(t *testing.T) {
	for text, want := range map[string]bool{"needs: {a: 1}": true, "needs:\n": false, "a: {needs: 1}": false, "": false, "[needs]": false, "needs: [": false} {
		if Has([]byte(text), "needs") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// FuzzRead feeds what anybody may write: it is read or refused with a line.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"title: a", "one: {size: 3}", "many: [{size: 1}, null]", "a: &a [*a]", "null", "!!binary x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var one, again file
		if _, err := Read(text, &one); err != nil {
			return
		}
		if _, err := Read(text, &again); err != nil || !reflect.DeepEqual(one, again) {
			t.Errorf("%+v, then %+v, %v", one, again, err)
		}
	})
}
