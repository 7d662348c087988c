package probes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/probes/worker"
)

// UnknownError reports the name of a probe or parameter that does not exist.
type UnknownError struct {
	What  string // probe, or parameter of a probe
	Name  string
	Known []string // the existing names
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no %s %q (there are %s)", e.What, e.Name, strings.Join(e.Known, ", "))
}

// Param is a parameter of a probe.
type Param struct {
	Name  string
	Title string // one line for people
	// Default is the value if the parameter is absent. It is "" for a flag, which
	// takes no value and is off unless named.
	Default  string
	Min, Max int64 // bounds of the value, a whole number; unused for a flag
}

// Help returns how to set the parameter and what it does.
func (p Param) Help() string {
	switch {
	case p.flag():
		return fmt.Sprintf("%s: %s", p.Name, p.Title)
	case p.Default == "":
		return fmt.Sprintf("%s=%d–%d: %s", p.Name, p.Min, p.Max, p.Title)
	}
	return fmt.Sprintf("%s=%d–%d (%s): %s", p.Name, p.Min, p.Max, p.Default, p.Title)
}

func (p Param) flag() bool { return p.Max == 0 }

// ParseParams parses the text that follows a probe's name and a colon. more
// reports whether there was a colon.
func (p *Probe) ParseParams(text string, more bool) (map[string]string, error) {
	params := map[string]string{}
	for _, q := range p.Params {
		if !q.flag() && q.Default != "" {
			params[q.Name] = q.Default
		}
	}
	seen := map[string]bool{}
	for more {
		var item string
		item, text, more = strings.Cut(text, ":")
		key, value, hasValue := strings.Cut(item, "=")
		if seen[key] {
			return nil, fmt.Errorf("parameter %q of probe %s is given twice", key, p.Name)
		}
		seen[key] = true
		value, err := p.checkParam(key, value, hasValue)
		if err != nil {
			return nil, err
		}
		params[key] = value
	}
	return params, nil
}

// checkParam checks a parameter and returns its value.
func (p *Probe) checkParam(key, value string, hasValue bool) (string, error) {
	i := slices.IndexFunc(p.Params, func(q Param) bool { return q.Name == key })
	if i < 0 {
		if len(p.Params) == 0 {
			return "", fmt.Errorf("probe %s takes no parameters, not %q", p.Name, key)
		}
		names := make([]string, len(p.Params))
		for i, q := range p.Params {
			names[i] = q.Name
		}
		return "", &UnknownError{What: "parameter of probe " + p.Name, Name: key, Known: names}
	}
	param := p.Params[i]
	if param.flag() {
		if hasValue {
			return "", fmt.Errorf("parameter %q of probe %s takes no value", key, p.Name)
		}
		return "true", nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < param.Min || n > param.Max {
		return "", fmt.Errorf("parameter %q of probe %s is %q, not a whole number from %d to %d", key, p.Name, value, param.Min, param.Max)
	}
	return strconv.FormatInt(n, 10), nil
}

// Number returns a numeric parameter of the site, or otherwise if it is not set.
// catalogue.Parse sets and checks parameters; a Site built by hand may lack them.
func (s *Site) Number(name string, otherwise int) (int, error) {
	text, ok := s.Params[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("parameter %q is %q, not a whole number", name, text)
	}
	return n, nil
}

// FindRole finds a role by its name in requests, "probe/role".
func FindRole(among []*Probe, name string) (worker.Role, error) {
	probe, part, _ := strings.Cut(name, "/")
	for _, p := range among {
		if r := p.Roles[part]; r != nil && p.Name == probe {
			return r, nil
		}
	}
	return nil, fmt.Errorf("no role is called %q", name)
}
