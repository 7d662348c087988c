// Package lang says a report's sentences in another language.
//
// A run's record and its report.json speak English, so that programs and
// readers of any language find the same sentences there. A rendering in another
// language translates the finished sentences: each is matched against the
// formats of the catalogue, from the one with the most fixed text to the one
// with the least, and what stood in for a verb is translated in its turn. So a
// recorded run can be read in any language whenever it was made, and a name or
// a cause that some agent wrote stays as it was written.
package lang

import (
	"cmp"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// Names are the languages that there are, as --lang takes them. The first one
// is what everything is written in.
var Names = []string{"en", "zh"}

// Language says sentences. Nil is English. It is not safe for concurrent use.
type Language struct {
	name     string
	printer  *message.Printer
	exact    map[string]string // formats without verbs
	patterns []pattern         // with verbs, the most fixed text first
	said     map[string]string // so far; a report repeats itself
}

//go:embed zh.yaml
var zh []byte

// New returns the language of that name.
func New(name string) (*Language, error) {
	switch name {
	case "en":
		return nil, nil
	case "zh":
		return read(name, language.SimplifiedChinese, zh)
	}
	return nil, fmt.Errorf("there is no language %q (of %s)", name, strings.Join(Names, ", "))
}

// read takes up a catalogue: formats of package fmt as the program writes them,
// each with its translation, in which %s or %[n]s stands for what the n-th verb
// became.
func read(name string, tag language.Tag, file []byte) (*Language, error) {
	var messages map[string]string
	if err := yaml.Unmarshal(file, &messages); err != nil {
		return nil, fmt.Errorf("reading the messages of %s: %w", name, err)
	}
	l := &Language{name: name, exact: map[string]string{}, said: map[string]string{}}
	texts := catalog.NewBuilder(catalog.Fallback(tag))
	for english, translation := range messages {
		if err := texts.SetString(tag, english, translation); err != nil {
			return nil, fmt.Errorf("taking up the message %q: %w", english, err)
		}
	}
	l.printer = message.NewPrinter(tag, message.Catalog(texts))
	for english := range messages {
		p := compile(english)
		if len(p.fixed) == 1 {
			l.exact[p.fixed[0]] = l.printer.Sprintf(english)
			continue
		}
		l.patterns = append(l.patterns, p)
	}
	slices.SortFunc(l.patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.english, b.english))
	})
	return l, nil
}

// Name is the language's, as --lang takes it and HTML's lang attribute has it.
func (l *Language) Name() string {
	if l == nil {
		return Names[0]
	}
	return l.name
}

// Sayf formats an English sentence and says it.
func (l *Language) Sayf(format string, args ...any) string {
	return l.Say(fmt.Sprintf(format, args...))
}

// Say translates a finished English sentence, or several. What the catalogue
// does not know stays as it is.
func (l *Language) Say(english string) string {
	if l == nil {
		return english
	}
	text := strings.TrimSpace(english)
	if text == "" {
		return english
	}
	said, known := l.said[text]
	if !known {
		said, _ = l.translate(text)
		l.said[text] = said
	}
	before, after, _ := strings.Cut(english, text)
	return before + said + after
}

// translate says a sentence, and whether any of it was known.
func (l *Language) translate(text string) (string, bool) {
	if said, ok := l.exact[text]; ok {
		return said, true
	}
	for i := range l.patterns {
		if values := l.patterns[i].match(text); values != nil {
			args := make([]any, len(values))
			for j, v := range values {
				args[j] = l.Say(v)
			}
			return l.printer.Sprintf(l.patterns[i].english, args...), true
		}
	}
	return l.byParts(text)
}

// joints are where sentences are put together from others, and what stands
// there in a language of full-width punctuation.
var joints = []struct{ english, wide string }{
	{". ", "。"}, {"; ", "；"}, {": ", "："}, {", ", "，"}, {" | ", " | "},
}

// byParts says a text that was put together from others.
func (l *Language) byParts(text string) (string, bool) {
	for _, j := range joints {
		parts := strings.Split(text, j.english)
		if len(parts) == 1 {
			continue
		}
		any := false
		for i, part := range parts {
			said := l.Say(part)
			any = any || said != part
			parts[i] = said
		}
		if any {
			return strings.Join(parts, j.wide), true
		}
	}
	if inside, ok := strings.CutSuffix(text, ")"); ok {
		if before, inside, ok := strings.Cut(inside, " ("); ok {
			a, b := l.Say(before), l.Say(inside)
			if a != before || b != inside {
				return a + "（" + b + "）", true
			}
		}
	}
	if sentence, ok := strings.CutSuffix(text, "."); ok {
		if said := l.Say(sentence); said != sentence {
			return said + "。", true
		}
	}
	return text, false
}

// pattern is a format that finished sentences are held against.
type pattern struct {
	english string
	fixed   []string // what stands between the verbs
	longest string   // of fixed; a text without it cannot match
	weight  int      // characters of fixed
	re      *regexp.Regexp
}

// verb is one of package fmt's, without the flag that is a space: in "95 % of"
// the sign stands for itself.
var verb = regexp.MustCompile(`%(?:\[\d+\])?[-+#0]*[\d.]*[a-zA-Z%]`)

// compile reads a format. A number's verb matches numbers alone.
func compile(format string) pattern {
	p := pattern{english: format}
	var re, fixed strings.Builder
	next := 0
	take := func(text string) {
		re.WriteString(regexp.QuoteMeta(text))
		fixed.WriteString(text)
	}
	for _, at := range verb.FindAllStringIndex(format, -1) {
		take(format[next:at[0]])
		next = at[1]
		v := format[at[0]:at[1]]
		if v == "%%" {
			take("%")
			continue
		}
		p.fixed = append(p.fixed, fixed.String())
		fixed.Reset()
		switch v[len(v)-1] {
		case 'd':
			re.WriteString(`(-?\d+)`)
		case 'f', 'g', 'e':
			re.WriteString(`(-?[\d.]+(?:e[-+]\d+)?|NaN|[-+]Inf)`)
		default:
			re.WriteString(`(.+?)`)
		}
	}
	take(format[next:])
	p.fixed = append(p.fixed, fixed.String())
	for _, f := range p.fixed {
		p.weight += len(f)
		if len(f) > len(p.longest) {
			p.longest = f
		}
	}
	p.re = regexp.MustCompile(`(?s)^` + re.String() + `$`)
	return p
}

// match returns what stood in for the verbs, nil if the text is another one.
func (p *pattern) match(text string) []string {
	if !strings.HasPrefix(text, p.fixed[0]) || !strings.Contains(text, p.longest) {
		return nil
	}
	values := p.re.FindStringSubmatch(text)
	if values == nil {
		return nil
	}
	return values[1:]
}
