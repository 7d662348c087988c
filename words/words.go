// Package words holds the sentences that a person reads, each by an id: in
// English in this package's tables, in another language in a file of its own
// (zh.yaml). What the program finds out is kept as a [Text], which is a message
// and its arguments and belongs to no language; only the renderings turn it
// into a sentence.
//
// The record of a run and what is written for programs hold the English
// sentence, so that they read the same whatever language a report is in.
package words

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Text is something to be said: a message with its arguments, several texts
// joined, or words that are quoted as they are, such as an agent's log. It is
// immutable, and two texts are equal if they say the same.
type Text struct {
	english string
	form    string // JSON of spoken; "" for words that are quoted as they are
}

// spoken is what a text says in no language.
type spoken struct {
	ID string `json:"id"`
	// Args are strings, which are the same in every language, and spoken ones.
	Args []any `json:"args,omitempty"`
}

// Message is a sentence with gaps: an id, and the English format of package fmt.
type Message struct {
	id, english string
	fixed       bool // it has no gaps, and % stands for itself
}

// defined are all messages of the tables. Every worker of a probe is a process of
// this program, so that the table by id is made when it is first asked for.
var defined = make([]Message, 0, 640)

var messages = sync.OnceValue(func() map[string]Message {
	byID := make(map[string]Message, len(defined))
	for _, m := range defined {
		byID[m.id] = m
	}
	return byID
})

// message adds a sentence with gaps to the table.
func message(id, english string) Message {
	m := Message{id: id, english: english}
	defined = append(defined, m)
	return m
}

// text adds a sentence without gaps, in which % stands for itself.
func text(id, english string) Text {
	m := Message{id, english, true}
	defined = append(defined, m)
	return m.With()
}

// ByID finds a message, for templates, which name messages by their ids.
func ByID(id string) (Message, error) {
	m, ok := messages()[id]
	if !ok {
		return Message{}, fmt.Errorf("there is no message %s", id)
	}
	return m, nil
}

// Define makes a message of a table that is data, such as the advice's rules.
// Its words in other languages stand with those of the others.
func Define(id, english string) Message {
	return Message{id: id, english: english, fixed: len(verbs(english)) == 0}
}

// verb is one of package fmt's, without the flag that is a space: in "95 % of"
// the sign stands for itself.
var verb = regexp.MustCompile(`%(?:\[\d+\])?[-+#0]*[\d.]*[a-zA-Z%]`)

// verbs are those of a format that take an argument.
func verbs(format string) []string {
	var all []string
	for _, v := range verb.FindAllString(format, -1) {
		if v != "%%" {
			all = append(all, v)
		}
	}
	return all
}

// With fills in the gaps. An argument that is a [Text] or an error with words is
// said in the language of the whole; any other is formatted by the gap's verb and
// stays as it is.
func (m Message) With(args ...any) Text {
	if m.fixed {
		return Text{m.english, `{"id":"` + m.id + `"}`} // ids need no escapes
	}
	english := fmt.Sprintf(m.english, args...)
	gaps := verbs(m.english)
	s := spoken{ID: m.id}
	for i, arg := range args {
		switch arg := arg.(type) {
		case Text:
			s.Args = append(s.Args, arg.argument())
		case error:
			s.Args = append(s.Args, OfError(arg).argument())
		default:
			if i < len(gaps) {
				s.Args = append(s.Args, fmt.Sprintf(gaps[i], arg))
			}
		}
	}
	return Text{english, encode(s)}
}

// heard is spoken as it is read: an argument is a string, or another form.
type heard struct {
	ID   string            `json:"id"`
	Args []json.RawMessage `json:"args"`
}

func encode(s spoken) string {
	form, err := json.Marshal(s)
	if err != nil { // strings and messages always have a form
		panic(fmt.Sprintf("encoding the message %s: %v", s.ID, err))
	}
	return string(form)
}

// argument is the text as one of another's.
func (t Text) argument() any {
	if t.form == "" {
		return t.english
	}
	return json.RawMessage(t.form)
}

// Quote is words that stay as they are in every language: names, figures, and
// what agents and kernels said.
func Quote(words string) Text { return Text{english: words} }

// Quotef is Quote of a format of package fmt.
func Quotef(format string, args ...any) Text { return Quote(fmt.Sprintf(format, args...)) }

// String is the text in English.
func (t Text) String() string { return t.english }

// Empty reports whether there is nothing to say.
func (t Text) Empty() bool { return t.english == "" }

// Equal reports whether two texts say the same, by the same message.
func (t Text) Equal(o Text) bool { return t == o }

// Compare orders texts by their English.
func Compare(a, b Text) int { return strings.Compare(a.english, b.english) }

// IsZero lets encoding/json omit an empty text (omitzero).
func (t Text) IsZero() bool { return t.Empty() }

// MarshalText writes the English sentence: what is written for programs is the
// same in every language.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.english), nil }

// UnmarshalText reads words that were written by MarshalText. Their message is
// not known any more, so they stay English.
func (t *Text) UnmarshalText(b []byte) error {
	*t = Quote(string(b))
	return nil
}

// Named is a table's text for a value, or the value itself where the table has none.
func Named[K ~string](table map[K]Text, value K) Text {
	if t, ok := table[value]; ok {
		return t
	}
	return Quote(string(value))
}

// Plural picks the message for a count.
func Plural[M Message | Text](n int, one, many M) M {
	if n == 1 {
		return one
	}
	return many
}
