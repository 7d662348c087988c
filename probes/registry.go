package probes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// registered lists every probe in the order in which people read them. Adding
// a probe means adding it here.
func registered() []*Probe {
	return []*Probe{tcpStream(), tcpRR(), udpRR(), tcpCRR(), udpPPS(), loadLatency(), mtu(), cniTime(), encap(), adjacency(), reach(), policy(), path(), service()}
}

// All returns every probe.
func All() []*Probe { return registered() }

// Metrics describes the figures of the named probes, parameters included in
// the probe's name. Names that [Parse] refuses are left out.
func Metrics(specs []string) []results.Metric {
	var all []results.Metric
	for _, spec := range specs {
		p, _, err := Parse(spec)
		if err != nil {
			continue
		}
		for _, m := range p.Metrics {
			m.Probe = spec
			all = append(all, m)
		}
	}
	return all
}

// UnknownError is a name that [Parse] does not know.
type UnknownError struct {
	What  string // probe, or parameter of a probe
	Name  string
	Known []string // the names that there are
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no %s %q (there are %s)", e.What, e.Name, strings.Join(e.Known, ", "))
}

// Param is something that can be set on a probe.
type Param struct {
	Name  string
	Title string // one line for people
	// Default is used when the parameter is absent; "" for a flag, which takes
	// no value and is off unless named.
	Default  string
	Min, Max int64 // bounds of the value, a whole number; unused for a flag
}

// Help is the parameter as a person gives it, and what it does.
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

// Parse reads a probe's name with its parameters, such as
// "tcp-stream:streams=4:reverse". The parameters returned include defaults; a
// flag that is set has the value "true".
func Parse(spec string) (*Probe, map[string]string, error) {
	name, rest, more := strings.Cut(spec, ":")
	all := All()
	i := slices.IndexFunc(all, func(p *Probe) bool { return p.Name == name })
	if i < 0 {
		names := make([]string, len(all))
		for i, p := range all {
			names[i] = p.Name
		}
		return nil, nil, &UnknownError{What: "probe", Name: name, Known: names}
	}
	probe := all[i]
	params := map[string]string{}
	for _, p := range probe.Params {
		if !p.flag() && p.Default != "" {
			params[p.Name] = p.Default
		}
	}
	seen := map[string]bool{}
	for more {
		var item string
		item, rest, more = strings.Cut(rest, ":")
		key, value, hasValue := strings.Cut(item, "=")
		if seen[key] {
			return nil, nil, fmt.Errorf("parameter %q of probe %s is given twice", key, name)
		}
		seen[key] = true
		value, err := probe.checkParam(key, value, hasValue)
		if err != nil {
			return nil, nil, err
		}
		params[key] = value
	}
	return probe, params, nil
}

// checkParam returns the value of a parameter that was given.
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

// number returns a numeric parameter of the site, or otherwise if it is not
// set. [Parse] has checked it; a site made by hand may lack it.
func (s *Site) number(name string, otherwise int) (int, error) {
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

// role finds a role by the name that requests use, "probe/role".
func role(name string) (Role, error) {
	switch name {
	case counterRole:
		return readCounters, nil
	case pingRole:
		return ping, nil
	}
	probe, part, _ := strings.Cut(name, "/")
	for _, p := range All() {
		if p.Name == probe {
			if r := p.Roles[part]; r != nil {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("no role is called %q", name)
}
