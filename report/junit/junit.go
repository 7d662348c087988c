// Package junit writes test results as JUnit XML for CI systems, using only the elements and attributes
// that both Jenkins' junit-10.xsd and GitLab accept.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"github.com/cnibench/cnibench/results"
)

// Suite is a set of test cases.
type Suite struct {
	Name     string
	Hostname string
	Time     time.Time // when it started
	Cases    []Case
}

// Case is the result of one check. At most one of Failure, Error and Skipped is set; a case with none
// of them passed.
type Case struct {
	Class, Name string
	Failure     string // why it failed, as a sentence
	Kind        string // of the failure or error
	Error       string // why it could not be decided, as a sentence
	Skipped     string // why it was not checked, as a sentence
	Output      string // the figures that the result rests on
}

type suitesXML struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Suites   []suiteXML `xml:"testsuite"`
}

type suiteXML struct {
	Name      string    `xml:"name,attr"`
	Tests     int       `xml:"tests,attr"`
	Failures  int       `xml:"failures,attr"`
	Errors    int       `xml:"errors,attr"`
	Skipped   int       `xml:"skipped,attr"`
	Timestamp string    `xml:"timestamp,attr"`
	Hostname  string    `xml:"hostname,attr,omitempty"`
	Cases     []caseXML `xml:"testcase"`
}

type caseXML struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Skipped *reason  `xml:"skipped"`
	Error   *failure `xml:"error"`
	Failure *failure `xml:"failure"`
	Output  string   `xml:"system-out,omitempty"`
}

type reason struct {
	Message string `xml:"message,attr"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// Write writes suites as one XML document.
func Write(out io.Writer, suites ...Suite) error {
	document := suitesXML{}
	for _, s := range suites {
		x := s.xml()
		document.Tests += x.Tests
		document.Failures += x.Failures
		document.Errors += x.Errors
		document.Suites = append(document.Suites, x)
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	e := xml.NewEncoder(out)
	e.Indent("", "  ")
	if err := e.Encode(document); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	return nil
}

func (s Suite) xml() suiteXML {
	x := suiteXML{Name: results.Printable(s.Name), Tests: len(s.Cases), Timestamp: s.Time.UTC().Format("2006-01-02T15:04:05"), Hostname: s.Hostname}
	for _, c := range s.Cases {
		one := caseXML{Class: results.Printable(c.Class), Name: results.Printable(c.Name), Output: results.Printable(c.Output)}
		switch {
		case c.Failure != "":
			x.Failures++
			text := results.Printable(c.Failure)
			one.Failure = &failure{Message: text, Type: c.Kind, Text: text}
		case c.Error != "":
			x.Errors++
			text := results.Printable(c.Error)
			one.Error = &failure{Message: text, Type: c.Kind, Text: text}
		case c.Skipped != "":
			x.Skipped++
			one.Skipped = &reason{results.Printable(c.Skipped)}
		}
		x.Cases = append(x.Cases, one)
	}
	return x
}
