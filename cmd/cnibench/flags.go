package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// flagError describes in one sentence what is wrong with a flag, and suggests the
// one that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	help := fmt.Sprintf("(%s --help lists the flags)", cmd.CommandPath())
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		})
		name := unknown.GetSpecifiedName()
		return usage("there is no flag --%s; did you mean --%s? %s", name, catalogue.Nearest(name, known), help)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		if _, ours := f.Value.(*linkFlag); ours { // its own error says what it takes
			return usage("%v %s", invalid.Unwrap(), help)
		}
		return usage("--%s takes %s, not %q%s %s", f.Name, kindOf(f), invalid.GetValue(), outOfRange(err), help)
	}
	return usage("%v %s", err, help)
}

// kindOf describes the values that a flag takes.
func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int":
		return "a whole number"
	case "uint64", "uint16":
		return "a whole number that is not negative"
	case "float64":
		return "a number"
	case "duration":
		return "a duration such as 500ms or 2s"
	case "bool":
		return "true or false"
	case "nodes":
		return "a whole number, or all"
	case "stringToString":
		return "pairs such as key=value"
	}
	return "a value"
}

func outOfRange(err error) string {
	if errors.Is(err, strconv.ErrRange) {
		return ", which is out of range"
	}
	return ""
}

// checkFlags rejects flags with an empty value, which may come from an unset shell
// variable: the intended value is not known.
func checkFlags(cmd *cobra.Command, _ []string) error {
	if cmd.Hidden {
		return nil
	}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if v := f.Value.String(); v == "" || v == "[]" || v == `[""]` {
			err = usage("--%s needs a value: leave it out for the default", f.Name)
		}
	})
	return err
}

// linkFlag is a pflag.Value for a link.
type linkFlag results.Link

func (l *linkFlag) String() string { return results.Link(*l).String() }
func (l *linkFlag) Type() string   { return "string" }

// Set parses a link. The error for a misspelt key suggests the nearest known one.
func (l *linkFlag) Set(text string) error {
	link, err := results.ParseLink(text)
	var unknown *results.UnknownLinkKeyError
	if errors.As(err, &unknown) {
		return catalogue.OneOf("property of a link", unknown.Key, unknown.Known)
	}
	*l = linkFlag(link)
	return err
}

// nodesFlag is a number of nodes, or all of a cluster.
type nodesFlag int

func (n *nodesFlag) String() string {
	if *n == scenarios.AllNodes {
		return "all"
	}
	return strconv.Itoa(int(*n))
}

func (n *nodesFlag) Type() string { return "nodes" }

// Set reads a number, or the word all.
func (n *nodesFlag) Set(text string) error {
	if text == "all" {
		*n = scenarios.AllNodes
		return nil
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	*n = nodesFlag(number)
	return nil
}
