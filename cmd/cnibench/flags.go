package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

// flagError explains in one sentence what is wrong with a flag, and which one was probably meant.
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
		if _, ours := f.Value.(*linkFlag); ours { // its own error explains the format
			return usage("%v %s", invalid.Unwrap(), help)
		}
		return usage("--%s takes %s, not %q%s %s", f.Name, kindOf(f), invalid.GetValue(), outOfRange(err), help)
	}
	return usage("%v %s", err, help)
}

// kindOf describes the values that a flag accepts.
func kindOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int":
		return "a whole number"
	case "uint64", "uint16":
		return "a whole number that is not negative"
	case "float64":
		return "a number"
	case "duration":
		return "a duration with a unit, such as 500ms or 2s"
	case "bool":
		return "true or false"
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

// checkFlags rejects flags with an empty value, as given by an unset shell variable: their
// intended value is unknown.
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

// linkFlag is a flag whose value is a link.
type linkFlag results.Link

func (l *linkFlag) String() string { return results.Link(*l).String() }
func (l *linkFlag) Type() string   { return "string" }

// Set suggests the nearest key for a misspelt one.
func (l *linkFlag) Set(text string) error {
	link, err := results.ParseLink(text)
	var unknown *results.UnknownLinkKeyError
	if errors.As(err, &unknown) {
		return catalogue.OneOf("property of a link", unknown.Key, unknown.Known)
	}
	*l = linkFlag(link)
	return err
}
