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
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"

	"github.com/cnibench/cnibench/words"
)

// translator says finished English sentences. It is not safe for concurrent use.
type translator struct {
	printer  *message.Printer
	exact    map[string]string // formats without verbs
	formats  map[string]bool   // with verbs
	patterns []pattern         // of formats, the most fixed text first
	said     map[string]string // so far; a report repeats itself
}

// New returns the language of that name: nil for English.
func New(name string) (*words.Language, error) {
	l, err := words.New(name)
	if l == nil || err != nil {
		return nil, err
	}
	t, err := read(language.SimplifiedChinese, l.Formats())
	if err != nil {
		return nil, err
	}
	l.SayQuoted(t.Say)
	return l, nil
}

// read takes up a catalogue: formats of package fmt as the program writes them,
// each with its translation, in which %s or %[n]s stands for what the n-th verb
// became.
func read(tag language.Tag, messages map[string]string) (*translator, error) {
	l := &translator{exact: map[string]string{}, formats: map[string]bool{}, said: map[string]string{}}
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
		l.formats[english] = true
		l.patterns = append(l.patterns, p)
	}
	slices.SortFunc(l.patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.english, b.english))
	})
	return l, nil
}

// Say translates a finished English sentence, or several. What the catalogue
// does not know stays as it is.
func (l *translator) Say(english string) string {
	text := strings.TrimSpace(english)
	if text == "" {
		return english
	}
	said, known := l.said[text]
	if !known {
		said = l.translate(text)
		l.said[text] = said
	}
	before, after, _ := strings.Cut(english, text)
	return before + said + after
}

// translate says a text: as a message, or as what it was put together from,
// the most certain way first.
func (l *translator) translate(text string) string {
	if said, ok := l.exact[text]; ok {
		return said
	}
	if said, ok := l.match(text, true); ok {
		return said
	}
	if said, ok := l.joined(text, ". ", "。", "; ", "；"); ok {
		return said
	}
	for i := range text {
		if rest, ok := strings.CutPrefix(text[i:], ": "); ok && balanced(text[:i]) {
			if said, ok := l.match(rest, true); ok {
				return l.Say(text[:i]) + "：" + said
			}
		}
	}
	if before, inside, ok := remark(text); ok {
		return l.Say(before) + "（" + l.Say(inside) + "）"
	}
	if said, ok := l.match(text, false); ok {
		return said
	}
	if sentence, ok := strings.CutSuffix(text, "."); ok {
		if said := l.Say(sentence); said != sentence {
			return said + "。"
		}
	}
	said, _ := l.joined(text, " → ", " → ", " | ", " | ", ": ", "：", ", ", "，")
	return said
}

// match says a text that a message's format may have made. Only telling
// formats are held against texts that may consist of several sentences.
func (l *translator) match(text string, telling bool) (string, bool) {
	for i := range l.patterns {
		p := &l.patterns[i]
		if p.telling() != telling {
			continue
		}
		values := p.match(text)
		if values == nil || !telling && p.swallows(values) || telling && p.startsTooEarly(values) {
			continue
		}
		args := make([]any, len(values))
		for j, v := range values {
			args[j] = l.Say(v)
		}
		return l.printer.Sprintf(p.english, args...), true
	}
	return text, false
}

// joined says the parts of a text, each joint being followed by what stands
// there in Chinese. False if the text has no such joint or no part is known.
func (l *translator) joined(text string, joints ...string) (string, bool) {
	for i := 0; i < len(joints); i += 2 {
		parts := split(text, joints[i])
		if joints[i] == ": " && len(parts) > 2 { // the rest may be one message
			parts = []string{parts[0], text[len(parts[0])+len(joints[i]):]}
		}
		if len(parts) == 1 {
			continue
		}
		known := false
		for j, part := range parts {
			parts[j] = l.Say(part)
			known = known || parts[j] != part
		}
		if known {
			return strings.Join(parts, joints[i+1]), true
		}
	}
	return text, false
}

// split cuts a text at a joint, outside brackets.
func split(text, joint string) []string {
	var parts []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth = max(depth-1, 0) // logs are quoted cut off
		}
		if depth == 0 && i >= start && strings.HasPrefix(text[i:], joint) {
			parts = append(parts, text[start:i])
			start = i + len(joint)
		}
	}
	return append(parts, text[start:])
}

// remark takes a text and what stands in brackets at its end apart.
func remark(text string) (before, inside string, ok bool) {
	if !strings.HasSuffix(text, ")") {
		return "", "", false
	}
	depth := 0
	for i := len(text) - 1; i > 0; i-- {
		switch text[i] {
		case ')':
			depth++
		case '(':
			depth--
		}
		if depth == 0 {
			return strings.TrimSuffix(text[:i], " "), text[i+1 : len(text)-1], true
		}
	}
	return "", "", false
}

func balanced(text string) bool {
	depth := 0
	for _, c := range text {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
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
			re.WriteString(`(-?\d+|…)`)
		case 'f', 'g', 'e':
			re.WriteString(`(-?[\d.]+(?:e[-+]\d+)?|NaN|[-+]Inf|…)`)
		default:
			re.WriteString(`(.*?)`)
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

// telling formats have so much fixed text, or brackets of their own, that what
// looks like them was made by them.
func (p *pattern) telling() bool { return p.weight >= 20 || strings.Contains(p.longest, "(") }

// swallows reports whether a value reaches over a colon that is not the
// format's: what stands behind it is a remark on the whole. For a format that
// is hardly more than one short word, so does a comma, or much text.
func (p *pattern) swallows(values []string) bool {
	over := func(joint string) bool {
		return !strings.Contains(p.english, joint) && slices.ContainsFunc(values, func(v string) bool { return len(split(v, joint)) > 1 })
	}
	long := slices.ContainsFunc(values, func(v string) bool { return len(v) > 60 })
	return over(": ") || p.weight < 10 && (long || over(", "))
}

// startsTooEarly reports whether the first of several values reaches over a
// colon: the text then begins with another message, which this one ends.
func (p *pattern) startsTooEarly(values []string) bool {
	return len(values) > 1 && len(split(values[0], ": ")) > 1
}

// match returns what stood in for the verbs, nil if the text is another one. A
// value has all of its brackets.
func (p *pattern) match(text string) []string {
	if !strings.HasPrefix(text, p.fixed[0]) || !strings.Contains(text, p.longest) {
		return nil
	}
	values := p.re.FindStringSubmatch(text)
	if values == nil {
		return nil
	}
	whole := values[1:]
	if p.fixed[len(p.fixed)-1] == "" {
		last := values[len(values)-1]
		if strings.HasSuffix(last, ".") || len(split(last, "; ")) > 1 {
			return nil // the full stop is the sentence's, and what is listed behind it is another
		}
		if p.telling() {
			whole = values[1 : len(values)-1] // the last one may quote a log
		}
	}
	if slices.ContainsFunc(whole, func(v string) bool { return !balanced(v) }) {
		return nil
	}
	return values[1:]
}
