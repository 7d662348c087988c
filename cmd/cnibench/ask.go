package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// question is a question to the user about a cluster.
type question struct {
	text   string
	choice string // possible answers
	get    func(n *results.Needs) string
	set    func(n *results.Needs, answer string) error
}

// asked lists the questions, the most decisive first.
var asked = []question{
	{"Where does the cluster run?", strings.Join(results.Clouds, ", "), func(n *results.Needs) string { return n.Cloud },
		func(n *results.Needs, answer string) error { n.Cloud = answer; return nil }},
	{"Do all nodes share one layer 2 network?", "yes, no, unknown", func(n *results.Needs) string { return string(n.L2) },
		func(n *results.Needs, answer string) error {
			text, err := json.Marshal(answer)
			if err != nil {
				return err
			}
			return n.L2.UnmarshalJSON(text)
		}},
	yesOrNo("Must NetworkPolicy be enforced?", func(n *results.Needs) *bool { return &n.NetworkPolicy }),
	yesOrNo("Must hosts outside the cluster reach pods by their addresses?", func(n *results.Needs) *bool { return &n.PodIPsReachable }),
	yesOrNo("Are overlays ruled out?", func(n *results.Needs) *bool { return &n.NoOverlay }),
	yesOrNo("Must pods' traffic between nodes be encrypted?", func(n *results.Needs) *bool { return &n.Encryption }),
	yesOrNo("Does the cluster exist already?", func(n *results.Needs) *bool { return &n.ExistingCluster }),
	count("How many nodes now?", func(n *results.Needs) *int { return &n.Nodes }),
	count("How many nodes later?", func(n *results.Needs) *int { return &n.NodesLater }),
	network("Which network are the nodes in?", func(n *results.Needs) *netip.Prefix { return &n.NodeCIDR }),
	network("Which network do pods get?", func(n *results.Needs) *netip.Prefix { return &n.PodCIDR }),
}

func yesOrNo(text string, field func(*results.Needs) *bool) question {
	return question{text, "yes, no",
		func(n *results.Needs) string {
			if *field(n) {
				return "yes"
			}
			return "no"
		},
		func(n *results.Needs, answer string) error {
			switch strings.ToLower(answer) {
			case "yes", "y":
				*field(n) = true
			case "no", "n":
				*field(n) = false
			default:
				return fmt.Errorf("%q is neither yes nor no", answer)
			}
			return nil
		}}
}

func count(text string, field func(*results.Needs) *int) question {
	return question{text, "a number",
		func(n *results.Needs) string {
			if *field(n) == 0 {
				return ""
			}
			return strconv.Itoa(*field(n))
		},
		func(n *results.Needs, answer string) error {
			v, err := strconv.Atoi(answer)
			if err != nil || v < 1 {
				return fmt.Errorf("%q is not a number of nodes", answer)
			}
			*field(n) = v
			return nil
		}}
}

func network(text string, field func(*results.Needs) *netip.Prefix) question {
	return question{text, "such as 10.244.0.0/16",
		func(n *results.Needs) string {
			if !field(n).IsValid() {
				return ""
			}
			return field(n).String()
		},
		func(n *results.Needs, answer string) (err error) {
			*field(n), err = netip.ParsePrefix(answer)
			return err
		}}
}

// maxWrong is the number of invalid answers to one question after which asking ends: a person would
// not give more.
const maxWrong = 3

// ask asks all questions. An empty answer keeps the known value; the end of the input keeps all
// remaining ones.
func ask(in io.Reader, out io.Writer, n results.Needs) (results.Needs, error) {
	lines := bufio.NewScanner(in)
	for _, q := range asked {
		for wrong := 0; ; wrong++ {
			known := q.get(&n)
			fmt.Fprintf(out, "%s (%s) [%s] ", q.text, q.choice, orUnsaid(known))
			if !lines.Scan() {
				fmt.Fprintln(out)
				return n, lines.Err()
			}
			answer := strings.TrimSpace(lines.Text())
			if answer == "" {
				break
			}
			next := n
			err := q.set(&next, answer)
			if err == nil {
				err = scenarios.CheckNeeds(next)
			}
			if err == nil {
				n = next
				break
			}
			fmt.Fprintf(out, "  %v\n", err)
			if wrong+1 == maxWrong {
				return n, errors.New("three invalid answers in a row")
			}
		}
	}
	return n, nil
}

func orUnsaid(known string) string {
	if known == "" {
		return "not specified"
	}
	return known
}
