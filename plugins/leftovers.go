package plugins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// Leftovers says by which names to know what a plugin leaves on a node of a cluster
// after its agents have ended. Patterns are those of path.Match.
type Leftovers struct {
	Devices []string // patterns of devices' names
	Sets    []string // patterns of IP sets' names
	// Chains begins the names of its chains, and Comment the comments of its rules in
	// other chains; "" if it writes none.
	Chains, Comment string
	Tables          []string // of iptables, in which it has chains
	Files           []string // patterns of files and folders
	Folders         []string // in which it keeps its state
	Annotations     []string // prefixes of the annotations that it puts on Node objects
	// Reasons lists the reasons that it gives for the node's condition
	// NetworkUnavailable.
	Reasons []string
}

// Matches reports whether a name matches one of the patterns.
func Matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// RemoveChains removes the plugin's chains, its rules in other chains and the jumps
// to its chains, with the iptables programs of the plugin's own image: they created
// the chains. It works on the network namespace in which it runs, and goes on after
// an error.
func (l Leftovers) RemoveChains(ctx context.Context) error {
	if _, err := exec.LookPath("iptables"); err != nil {
		return fmt.Errorf("removing the chains %s: %w", l.Chains, err)
	}
	var errs []error
	for _, family := range []string{"ip", "ip6"} {
		if _, err := exec.LookPath(family + "tables"); err != nil {
			continue
		}
		for _, table := range l.Tables {
			errs = append(errs, l.removeFrom(ctx, family+"tables", table))
		}
		// The legacy program creates a table that it is asked for, so it is only asked
		// for those that there are.
		there, _ := os.ReadFile("/proc/net/" + family + "_tables_names")
		for _, table := range strings.Fields(string(there)) {
			if _, err := exec.LookPath(family + "tables-legacy"); err == nil {
				errs = append(errs, l.removeFrom(ctx, family+"tables-legacy", table))
			}
		}
	}
	return errors.Join(errs...)
}

func (l Leftovers) removeFrom(ctx context.Context, program, table string) error {
	rules, err := iptables(ctx, program, "-t", table, "-S")
	if err != nil {
		return err
	}
	for _, command := range l.removing(rules) {
		_, failed := iptables(ctx, program, append([]string{"-t", table}, command...)...)
		err = errors.Join(err, failed)
	}
	return err
}

// removing turns a table's rules, as iptables -S prints them, into the commands that
// remove the plugin's chains: first its rules in other chains, then the rules in its
// chains, then the chains themselves.
func (l Leftovers) removing(rules string) [][]string {
	var jumps, flushes, deletes [][]string
	for line := range strings.Lines(rules) {
		fields := argumentsOf(strings.TrimSpace(line))
		if len(fields) < 2 {
			continue
		}
		own := strings.HasPrefix(fields[1], l.Chains)
		switch {
		case fields[0] == "-N" && own:
			flushes = append(flushes, []string{"-F", fields[1]})
			deletes = append(deletes, []string{"-X", fields[1]})
		case fields[0] == "-A" && !own && l.wrote(fields):
			jumps = append(jumps, append([]string{"-D"}, fields[1:]...))
		}
	}
	return append(append(jumps, flushes...), deletes...)
}

// wrote reports whether the plugin wrote a rule: the rule jumps to one of its
// chains, or has its comment.
func (l Leftovers) wrote(rule []string) bool {
	for i, argument := range rule[1:] {
		switch before := rule[i]; {
		case (before == "-j" || before == "-g") && strings.HasPrefix(argument, l.Chains),
			before == "--comment" && l.Comment != "" && strings.HasPrefix(argument, l.Comment):
			return true
		}
	}
	return false
}

// argumentsOf splits a rule into arguments. Comments of several words are in double
// quotes.
func argumentsOf(rule string) []string {
	var all []string
	for i, part := range strings.Split(rule, `"`) {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = append(all, strings.Fields(part)...)
	}
	return all
}

func iptables(ctx context.Context, program string, args ...string) (string, error) {
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append([]string{"-w"}, args...)...)
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(log.String()))
	}
	return string(out), nil
}
