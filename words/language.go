package words

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Names are the languages that there are, as --lang takes them. The first one
// is what everything is written in.
var Names = []string{"en", "zh"}

//go:embed zh.yaml
var zh []byte

// Language says texts. Nil is English.
type Language struct {
	name     string
	messages map[string]string // formats by id, in which %s or %[n]s stands for the n-th argument
	joints   map[string]joint
}

// New returns the language of that name.
func New(name string) (*Language, error) {
	switch name {
	case "en":
		return nil, nil
	case "zh":
		return read(name, zh)
	}
	return nil, fmt.Errorf("there is no language %q (of %s)", name, strings.Join(Names, ", "))
}

// read takes up a language's file.
func read(name string, file []byte) (*Language, error) {
	l := &Language{name: name, joints: map[string]joint{}}
	if err := yaml.Unmarshal(file, &l.messages); err != nil {
		return nil, fmt.Errorf("reading the messages of %s: %w", name, err)
	}
	for id := range joints {
		form := l.messages[id]
		parts := strings.Split(form, "…")
		switch len(parts) {
		case 2:
			l.joints[id] = joint{id: id, before: parts[0], after: parts[1]}
		case 3:
			l.joints[id] = joint{id: id, before: parts[0], between: parts[1], after: parts[2]}
		default:
			return nil, fmt.Errorf("reading the messages of %s: %s is %q, want … once or twice", name, id, form)
		}
		delete(l.messages, id)
	}
	return l, nil
}

// english says forms in English, to compare them with the sentences beside them.
var english = sync.OnceValue(func() *Language {
	l := &Language{name: Names[0], messages: map[string]string{}, joints: joints}
	for id, m := range messages() {
		l.messages[id] = m.english
		if !m.fixed {
			l.messages[id] = verb.ReplaceAllStringFunc(m.english, func(v string) string {
				if v == "%%" {
					return v
				}
				return "%s"
			})
		}
	}
	return l
})

// Name is the language's, as --lang takes it and HTML's lang attribute has it.
func (l *Language) Name() string {
	if l == nil {
		return Names[0]
	}
	return l.name
}

// Say says a text. What the language has no words for stays English.
func (l *Language) Say(t Text) string {
	if l == nil || t.form == "" {
		return t.english
	}
	said, ok := l.say([]byte(t.form))
	if !ok {
		return t.english
	}
	return said
}

// say says what a form holds. It is false if the language has no words for it, or
// if they take in other arguments: forms of a record are untrusted.
func (l *Language) say(form []byte) (text string, ok bool) {
	var h heard
	if json.Unmarshal(form, &h) != nil {
		return "", false
	}
	args, values := make([]string, len(h.Args)), make([]any, len(h.Args))
	for i, arg := range h.Args {
		if args[i], ok = l.argument(arg); !ok {
			return "", false
		}
		values[i] = args[i]
	}
	if j, ok := l.joints[h.ID]; ok {
		return j.before + strings.Join(args, j.between) + j.after, true
	}
	switch format, ok := l.messages[h.ID]; {
	case !ok || len(verbs(format)) != len(args):
		return "", false
	case len(args) == 0:
		return format, true
	default:
		return fmt.Sprintf(format, values...), true
	}
}

// argument says one argument: what it is a string of, or a text's form.
func (l *Language) argument(arg json.RawMessage) (text string, ok bool) {
	if json.Unmarshal(arg, &text) == nil {
		return text, true
	}
	return l.say(arg)
}

// Has reports whether the language has words for a message.
func (l *Language) Has(m Message) bool {
	return l == nil || l.messages[m.id] != ""
}
