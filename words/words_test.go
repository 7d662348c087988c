package words

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEveryLanguageIsComplete holds a language's file against the messages
// there are: each has words, with the same arguments, and no word is unused.
func TestEveryLanguageIsComplete(t *testing.T) {
	for name, file := range map[string][]byte{"zh": zh} {
		var said map[string]string
		if err := yaml.Unmarshal(file, &said); err != nil {
			t.Fatal(err)
		}
		for id, m := range messages() {
			form, ok := said[id]
			if !ok {
				t.Errorf("%s has no words for %s (%q)", name, id, m.english)
				continue
			}
			if got, want := taken(t, form, m), len(verbs(m.english)); got != want {
				t.Errorf("%s: %s takes %d arguments in English (%q) and %d in %q", name, id, want, m.english, got, form)
			}
		}
		for id := range said {
			_, isMessage := messages()[id]
			_, isJoint := joints[id]
			if !isMessage && !isJoint && !ofData.MatchString(id) {
				t.Errorf("%s has words for %s, which is no message", name, id)
			}
		}
		for id := range joints {
			if said[id] == "" {
				t.Errorf("%s has no words for the joint %s", name, id)
			}
		}
	}
}

// ofData are ids of sentences that stand in data files; the advice's tests look at
// those.
var ofData = regexp.MustCompile(`^(rules|claims|modes|openings)\.`)

// taken counts the arguments that a form takes in, each once.
func taken(t *testing.T, form string, m Message) int {
	t.Helper()
	if len(verbs(m.english)) == 0 {
		return 0 // percent signs stand for themselves
	}
	var used []int
	next := 1
	for _, v := range verbs(form) {
		if n, ok := strings.CutPrefix(v, "%["); ok {
			at, err := strconv.Atoi(strings.TrimSuffix(n, "]s"))
			if err != nil {
				t.Errorf("%s: %q is neither %%s nor %%[n]s", m.id, v)
			}
			next = at
		} else if v != "%s" {
			t.Errorf("%s: %q is neither %%s nor %%[n]s", m.id, v)
		}
		used = append(used, next)
		next++
	}
	slices.Sort(used)
	return len(slices.Compact(used))
}

// TestIDs holds ids to one form, so that they sort by subject.
func TestIDs(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+(\.[a-z0-9-]+)+$`)
	if len(messages()) != len(defined) {
		t.Errorf("%d messages have %d ids", len(defined), len(messages()))
	}
	for id := range messages() {
		if !form.MatchString(id) {
			t.Errorf("the id %q has another form than subject.what-is-said", id)
		}
	}
}

func TestSay(t *testing.T) {
	zh, err := New("zh")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name             string
		text             Text
		english, chinese string
	}{
		{"fixed", High, "high", "高"},
		{"numbers and names stay", AgentsExited.With("calico", "l2", 3, Quote("felix: killed")),
			"agents of calico on l2 exited 3 times, the last: felix: killed", "calico 在 l2 上的代理进程退出了 3 次，最后一次：felix: killed"},
		{"a text within a text", VerdictSentence.With("a", Faster, "b", "goodput", HigherBy.With("3 %", "1 %", "5 %")),
			"a is faster than b: its goodput is 3 % higher (1 % to 5 %).", "a 比 b 更快：其 goodput 高 3 %（1 % 至 5 %）。"},
		{"arguments in another order", FailedOf.With(2, 12), "failed 2 of 12", "12 个中 2 个失败"},
		{"joined", Clauses(List(High, Quote("x")), Text{}, Aside(Low, Unknown)), "high, x; low (unknown)", "高，x；低（未知）"},
		{"quoted as it is", Quote("high"), "high", "high"},
		{"nothing", Text{}, "", ""},
	} {
		if got := c.text.String(); got != c.english {
			t.Errorf("%s: %q in English, want %q", c.name, got, c.english)
		}
		if got := zh.Say(c.text); got != c.chinese {
			t.Errorf("%s: %q in Chinese, want %q", c.name, got, c.chinese)
		}
		var none *Language
		if got := none.Say(c.text); got != c.english {
			t.Errorf("%s: %q said in English, want %q", c.name, got, c.english)
		}
	}
}

// TestForPrograms sees that programs find the English sentence.
func TestForPrograms(t *testing.T) {
	in := struct {
		Cause Text `json:"cause"`
		None  Text `json:"none,omitzero"`
	}{Cause: FailedOf.With(2, 12)}
	out, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"cause":"failed 2 of 12"}`; string(out) != want {
		t.Errorf("written %s, want %s", out, want)
	}
	in.Cause = Text{}
	if err := json.Unmarshal(out, &in); err != nil || in.Cause != Quote("failed 2 of 12") {
		t.Errorf("read %q, %v", in.Cause, err)
	}
}

// TestUnknownMessageStaysEnglish says what a newer record may hold.
func TestUnknownMessageStaysEnglish(t *testing.T) {
	zh, err := New("zh")
	if err != nil {
		t.Fatal(err)
	}
	later := Text{"it is new", encode(spoken{ID: "later.new"})}
	if got := zh.Say(later); got != "it is new" {
		t.Errorf("said %q", got)
	}
}
