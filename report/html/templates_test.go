package html

import (
	"regexp"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/cnibench/cnibench/words"
)

// TestTemplatesSayWords checks that every text of the page has an id in package words and that the
// templates themselves contain no English.
func TestTemplatesSayWords(t *testing.T) {
	for _, page := range pageTemplate().Templates() {
		if page.Tree != nil {
			saidIn(t, page.Name(), page.Tree.Root)
		}
	}
}

var (
	tag     = regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`)
	letters = regexp.MustCompile(`[A-Za-z]{2,}`)
	// names matches names of files and programs, which are the same in every language.
	names = regexp.MustCompile(`samples\.jsonl|run\.json|report\.json|cnibench|Linux|nbsp`)
)

func saidIn(t *testing.T, file string, l *parse.ListNode) {
	if l == nil {
		return
	}
	var plain strings.Builder
	branch := func(b parse.BranchNode) {
		hasWords(t, file, b.Pipe)
		saidIn(t, file, b.List)
		saidIn(t, file, b.ElseList)
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			plain.Write(n.Text)
		case *parse.ActionNode:
			hasWords(t, file, n.Pipe)
		case *parse.IfNode:
			branch(n.BranchNode)
		case *parse.RangeNode:
			branch(n.BranchNode)
		case *parse.WithNode:
			branch(n.BranchNode)
		}
	}
	for line := range strings.Lines(names.ReplaceAllString(tag.ReplaceAllString(plain.String(), "\n"), "")) {
		if letters.MatchString(line) && !strings.ContainsAny(line, "<>\"") {
			t.Errorf("%s: %q has no id in package words", file, strings.TrimSpace(line))
		}
	}
}

// hasWords looks up the ids in a pipe, such as {{t "id"}}.
func hasWords(t *testing.T, file string, p *parse.PipeNode) {
	for _, c := range p.Cmds {
		for i, arg := range c.Args {
			if sub, ok := arg.(*parse.PipeNode); ok {
				hasWords(t, file, sub)
			}
			f, ok := arg.(*parse.IdentifierNode)
			if !ok || i != 0 || f.Ident != "t" || len(c.Args) < 2 {
				continue
			}
			id, ok := c.Args[1].(*parse.StringNode)
			if !ok {
				t.Errorf("%s: %s names no id", file, c)
				continue
			}
			if _, err := words.ByID(id.Text); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
