package words

import "strings"

// joint is how a language puts texts together. Its id stands for any number of
// arguments.
type joint struct{ id, before, between, after string }

var joints = map[string]joint{}

func newJoint(id, before, between, after string) joint {
	j := joint{id, before, between, after}
	joints[id] = j
	return j
}

// Joints of texts; zh.yaml has those of Chinese, with … for each text.
var (
	items     = newJoint("join.items", "", ", ", "")
	clauses   = newJoint("join.clauses", "", "; ", "")
	and       = newJoint("join.and", "", " and ", "")
	names     = newJoint("join.names", "", " and ", "")
	sentences = newJoint("join.sentences", "", ". ", "")
	said      = newJoint("join.said", "", ": ", "")
	following = newJoint("join.following", "", " ", "")
	aside     = newJoint("join.aside", " (", "", ")")
	arrows    = newJoint("join.arrows", "", " → ", "")
	columns   = newJoint("join.columns", "", " | ", "")
	stop      = newJoint("join.stop", "", "", ".")
	lines     = newJoint("join.lines", "", "\n", "")
	glued     = newJoint("join.glued", "", "", "")
)

// join puts texts together; those that are empty are left out.
func (j joint) join(all []Text) Text {
	s := spoken{ID: j.id}
	var english []string
	for _, t := range all {
		if !t.Empty() {
			s.Args = append(s.Args, t.argument())
			english = append(english, t.english)
		}
	}
	if len(english) == 0 {
		return Text{}
	}
	return Text{j.before + strings.Join(english, j.between) + j.after, encode(s)}
}

// List joins items by commas.
func List(all ...Text) Text { return items.join(all) }

// ListNames joins names, which stay as they are, by commas.
func ListNames(names []string) Text { return List(Quotes(names)...) }

// Clauses joins clauses by semicolons.
func Clauses(all ...Text) Text { return clauses.join(all) }

// And joins predicates of one subject, the last one by "and".
func And(all ...Text) Text { return lastBy(and, all) }

// AndNames joins names, which stay as they are, the last one by "and".
func AndNames(all []string) Text { return lastBy(names, Quotes(all)) }

func lastBy(j joint, all []Text) Text {
	if len(all) < 2 {
		return List(all...)
	}
	last := len(all) - 1
	return j.join([]Text{List(all[:last]...), all[last]})
}

// Sentences joins sentences that end without a full stop by full stops.
func Sentences(all ...Text) Text { return sentences.join(all) }

// Of says what is said of something: "what: text".
func Of(what, t Text) Text { return said.join([]Text{what, t}) }

// Following joins texts by spaces.
func Following(all ...Text) Text { return following.join(all) }

// Arrows joins the stations of a path.
func Arrows(all ...Text) Text { return arrows.join(all) }

// Columns joins what stands beside each other.
func Columns(all ...Text) Text { return columns.join(all) }

// Stop ends a sentence with a full stop.
func Stop(t Text) Text { return stop.join([]Text{t}) }

// Aside adds a remark in brackets to a text; an empty one adds nothing.
func Aside(t, remark Text) Text {
	if remark.Empty() {
		return t
	}
	return glued.join([]Text{t, aside.join([]Text{remark})})
}

// Quotes are words that all stay as they are.
func Quotes(all []string) []Text {
	quoted := make([]Text, len(all))
	for i, s := range all {
		quoted[i] = Quote(s)
	}
	return quoted
}
