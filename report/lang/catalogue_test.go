package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"go.yaml.in/yaml/v3"

	"github.com/cnibench/cnibench/words"
)

// spoken are the sources whose sentences a report may show.
var spoken = []string{
	"../*.go", "../model/*.go", "../facts/*.go", "../gather/*.go", "../figures/*.go", "../judge/*.go", "../view/*.go", "../quantity/*.go",
	"../advice/*.go", "../text/*.go", "../html/*.go", "../markdown/*.go",
	"../../probes/network/adjacency.go", "../../probes/encap/judge.go", "../../probes/frames/decode.go", "../../probes/network/mtu.go", "../../probes/network/mtu_findings.go",
	"../../probes/hot/cpu.go", "../../probes/network/lopsided.go",
	"../../probes/network/reach.go", "../../probes/trickle/firstpacket.go", "../../probes/network/policy.go", "../../probes/hot/socket.go", "../../testbed/lab/diagnose.go", "../../testbed/lab/surroundings.go",
	"../../testbed/lab/feature.go", "../../testbed/lab/lab.go",
	"../../probes/network/service.go", "../../testbed/cluster/cluster.go", "../../testbed/cluster/network.go", "../../testbed/cluster/pods.go",
	"../../testbed/cluster/nodes.go", "../../testbed/cluster/restore.go", "../../testbed/cluster/detect/detect.go", "../../testbed/cluster/worker.go",
}

// forPrograms are files that write formats for programs, which stay English.
var forPrograms = []string{"json.go", "junit.go", "openmetrics.go"}

// alsoSaid are sources of which words alone are taken: names, states, errors
// that become causes.
var alsoSaid = []string{"../../results/*.go", "../../probes/*.go", "../../probes/*/*.go", "../../scenarios/*.go", "../../cmd/cnibench/*.go", "../../plugins/*/*.go", "../../testbed/lab/*.go", "../../testbed/cluster/*.go", "../../testbed/cluster/*/*.go"}

// notSaid are literals that look like sentences and are none of a report's:
// comments of files to paste, names of sources, errors, patterns to find.
var notSaid = []string{
	"network is unreachable", "invalid gateway",
	"encoding a configuration: %v",
	"Kubespray v2.31, group_vars/k8s_cluster: %s on %s",
	"Kubespray has no variables for this plugin: give its own manifests to custom_cni",
	"Set kube_pods_subnet to a network of at least /%d that is not used elsewhere",
	"flannel takes the pods' MTU from the node's NIC; the largest packet that passed on this cluster has %d bytes",
	"flannel takes the pods' MTU from the node's NIC, and none is given here: %s",
	"calico_mtu is left to Calico's detection: %s",
	"%s is left to Felix's detection: %s",
	"the run did not measure this cluster's path",
	"the pods' own MTU was the limit of what was measured, and more would fit",
	"the underlay cut packets up, so what passed is not what fits",
	"between the nodes that were measured nothing was encapsulated, and between subnets less fits",
	"limits.vpc_routes of the needs",
	"violates PodSecurity",
	"rules.yaml: %s needs one conclusion, a source and a date",
	"rules.yaml: %s requires %s, which is not measured",
}

// TestCatalogue holds the messages against what the program can say: each
// sentence of the sources has a message, and each message is found in the
// sources.
func TestCatalogue(t *testing.T) {
	messages, byID := messagesOf(t)
	s := &sources{sentences: map[string]string{}, words: map[string]bool{}}
	s.goFiles(t, spoken, true)
	s.goFiles(t, alsoSaid, false)
	s.templates(t)
	s.rules(t)
	var known, said strings.Builder
	for english := range messages {
		known.WriteString(strings.Join(compile(english).fixed, "\n") + "\n")
	}
	for text := range s.words {
		said.WriteString(strings.Join(compile(text).fixed, "\n") + "\n")
	}
	for sentence, where := range s.sentences {
		if messages[sentence] == "" && !slices.Contains(notSaid, sentence) && !within(sentence, known.String()) {
			t.Errorf("%s: no translation of %q", where, sentence)
		}
	}
	for english := range messages {
		if byID[english] == "" && !s.words[english] && !within(english, said.String()) {
			t.Errorf("nothing says %q: the message is unused", english)
		}
	}
	for _, sentence := range notSaid {
		if s.sentences[sentence] == "" {
			t.Errorf("notSaid names %q, which is not in the sources", sentence)
		}
	}
}

// within reports whether all fixed parts of a format stand in a text.
func within(format, text string) bool {
	for _, part := range compile(format).fixed {
		if part = bare(part); part != "" && !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// TestVerbs holds what a translation takes in against what there is.
func TestVerbs(t *testing.T) {
	for english, translation := range first(messagesOf(t)) {
		values := len(compile(english).fixed) - 1
		var used []int
		next := 1
		for _, v := range verb.FindAllString(translation, -1) {
			if v == "%%" {
				continue
			}
			if open, rest, ok := strings.Cut(v, "["); ok && open == "%" {
				n, err := strconv.Atoi(strings.TrimSuffix(rest, "]s"))
				if err != nil {
					t.Errorf("%q: %q is neither %%s nor %%[n]s", translation, v)
				}
				next = n
			} else if v != "%s" {
				t.Errorf("%q: %q is neither %%s nor %%[n]s", translation, v)
			}
			used = append(used, next)
			next++
		}
		slices.Sort(used)
		used = slices.Compact(used)
		if len(used) != values || values > 0 && used[values-1] != values {
			t.Errorf("%q has %d values, its translation %q takes in %v", english, values, translation, used)
		}
	}
}

func first(messages, _ map[string]string) map[string]string { return messages }

func messagesOf(t *testing.T) (messages, byID map[string]string) {
	t.Helper()
	if err := yaml.Unmarshal(zh, &messages); err != nil {
		t.Fatal(err)
	}
	said, err := words.New("zh")
	if err != nil {
		t.Fatal(err)
	}
	byID = said.Formats()
	maps.Copy(messages, byID)
	return messages, byID
}

// sources is what the program can say.
type sources struct {
	sentences map[string]string // with the place
	words     map[string]bool   // every literal, in its bare form
}

func (s *sources) add(text, where string) {
	text = bare(text)
	s.words[text] = true
	if readsLikeASentence(text) {
		s.sentences[text] = where
	}
}

// bare takes off what joins a sentence to others.
func bare(text string) string {
	text = strings.Trim(strings.NewReplacer("<sub>", "", "</sub>", "").Replace(text), " \n\t;,.:#*")
	if in, ok := strings.CutPrefix(text, "("); ok {
		if in, ok := strings.CutSuffix(in, ")"); ok {
			text = in
		}
	}
	return text
}

var twoWords = regexp.MustCompile(`[A-Za-z]{2,}[^A-Za-z]* .*[A-Za-z]{2,}`)

func readsLikeASentence(text string) bool {
	return twoWords.MatchString(verb.ReplaceAllString(text, "…")) && !strings.ContainsAny(text, "<>{}")
}

func (s *sources) goFiles(t *testing.T, patterns []string, sentences bool) {
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files match %s: %v", pattern, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") || sentences && slices.Contains(forPrograms, filepath.Base(f)) {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, f, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			if sentences {
				ast.Inspect(file, func(n ast.Node) bool { return s.node(set, n) })
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						s.words[text] = true
					}
				}
				return true
			})
		}
	}
}

// node takes up a literal, or a chain of them.
func (s *sources) node(set *token.FileSet, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field:
		return false
	case *ast.KeyValueExpr:
		if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Title" {
			return false // of help texts
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok {
			if pkg, ok := f.X.(*ast.Ident); ok && (pkg.Name == "errors" || pkg.Name == "regexp" || f.Sel.Name == "Errorf") {
				return false
			}
		}
	case *ast.BinaryExpr:
		if text, ok := chain(n); ok {
			s.add(text, set.Position(n.Pos()).String())
			for _, operand := range operands(n) {
				if _, literal := operand.(*ast.BasicLit); !literal {
					ast.Inspect(operand, func(n ast.Node) bool { return s.node(set, n) })
				}
			}
			return false
		}
	case *ast.BasicLit:
		if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
			s.add(text, set.Position(n.Pos()).String())
		}
	}
	return true
}

// chain is the format of texts put together by +.
func chain(n *ast.BinaryExpr) (string, bool) {
	if n.Op != token.ADD {
		return "", false
	}
	var b strings.Builder
	any := false
	for _, o := range operands(n) {
		lit, ok := o.(*ast.BasicLit)
		if !ok {
			b.WriteString("%s")
			continue
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil || lit.Kind != token.STRING {
			return "", false
		}
		any = true
		b.WriteString(text)
	}
	return b.String(), any
}

func operands(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		return append(operands(b.X), operands(b.Y)...)
	}
	return []ast.Expr{e}
}

// templates takes up what the page says, and finds text that is not said
// through the catalogue.
func (s *sources) templates(t *testing.T) {
	nothing := func(...any) string { return "" }
	funcs := template.FuncMap{}
	for _, name := range []string{"quantity", "interval", "ratio", "share", "form", "join", "percent", "milli", "bytes", "matrix", "adjacent", "reached", "policy", "limit", "style", "language", "say", "t", "adjacencyMaps", "reachMaps", "ways", "underlay", "machines", "setupTook", "broke", "standing"} {
		funcs[name] = nothing
	}
	for _, file := range []string{"../html/page.html", "../html/network.html", "../html/advice.html"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		page, err := template.New(file).Funcs(funcs).Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, defined := range page.Templates() {
			if defined.Tree != nil {
				s.list(t, file, defined.Tree.Root)
			}
		}
	}
}

var (
	tag     = regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`)
	letters = regexp.MustCompile(`[A-Za-z]{2,}`)
	// names of files and of the program are the same in every language.
	names = regexp.MustCompile(`samples\.jsonl|run\.json|report\.json|cnibench|Linux|seed|nbsp`)
)

func (s *sources) list(t *testing.T, file string, l *parse.ListNode) {
	if l == nil {
		return
	}
	var plain strings.Builder
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			plain.Write(n.Text)
		case *parse.ActionNode:
			s.pipe(file, n.Pipe)
		case *parse.IfNode:
			s.list(t, file, n.List)
			s.list(t, file, n.ElseList)
		case *parse.RangeNode:
			s.list(t, file, n.List)
			s.list(t, file, n.ElseList)
		case *parse.WithNode:
			s.list(t, file, n.List)
			s.list(t, file, n.ElseList)
		}
	}
	text := names.ReplaceAllString(tag.ReplaceAllString(plain.String(), "\n"), "")
	for line := range strings.Lines(text) {
		if letters.MatchString(line) && !strings.ContainsAny(line, "<>\"") {
			t.Errorf("%s: %q is not said through the catalogue", file, strings.TrimSpace(line))
		}
	}
}

func (s *sources) pipe(file string, p *parse.PipeNode) {
	for _, c := range p.Cmds {
		for i, arg := range c.Args {
			if sub, ok := arg.(*parse.PipeNode); ok {
				s.pipe(file, sub)
			}
			if f, ok := arg.(*parse.IdentifierNode); ok && i == 0 && f.Ident == "t" && len(c.Args) > 1 {
				if text, ok := c.Args[1].(*parse.StringNode); ok && letters.MatchString(verb.ReplaceAllString(text.Text, "")) {
					s.sentences[text.Text], s.words[text.Text] = file, true
				}
			}
		}
	}
}

// rules takes up what the advice's files say.
func (s *sources) rules(t *testing.T) {
	for file, keys := range map[string][]string{
		"../advice/rules.yaml":  {"text", "lacks", "unknown", "reject", "note"},
		"../advice/claims.yaml": {"claim"},
		"../advice/modes.yaml":  {"words", "why"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content any
		if err := yaml.Unmarshal(text, &content); err != nil {
			t.Fatal(err)
		}
		s.values(file, content, keys)
	}
}

var filledIn = regexp.MustCompile(`\{[a-z_]+\}`)

func (s *sources) values(file string, content any, keys []string) {
	switch c := content.(type) {
	case []any:
		for _, v := range c {
			s.values(file, v, keys)
		}
	case map[string]any:
		for k, v := range c {
			if text, ok := v.(string); ok && slices.Contains(keys, k) {
				text = filledIn.ReplaceAllString(text, "%s")
				s.sentences[text], s.words[text] = file, true
				continue
			}
			if text, ok := v.(string); ok && k == "source" {
				s.words[text] = true
			}
			s.values(file, v, keys)
		}
	}
}

// TestMessageWithinMessage says a message whose last value is a message too.
func TestMessageWithinMessage(t *testing.T) {
	zh, err := New("zh")
	if err != nil {
		t.Fatal(err)
	}
	const text = "agents of flannel-host-gw on routed exited 1 times, the last: flanneld on node2 exited (exit status 1) and was started again"
	const want = "flannel-host-gw 在 routed 上的代理进程退出了 1 次，最后一次：node2 上的 flanneld 退出（exit status 1），已重新启动"
	if said := zh.Say(text); said != want {
		t.Errorf("said %q, want %q", said, want)
	}
}
