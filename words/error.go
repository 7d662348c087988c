package words

import (
	"errors"
	"strings"
)

// Worded is an error that knows its sentence.
type Worded interface {
	error
	Words() Text
}

// sentence is an error that consists of a text.
type sentence struct {
	text    Text
	wrapped []error
}

func (s *sentence) Error() string { return s.text.english }

// Words is the text.
func (s *sentence) Words() Text { return s.text }

// Unwrap returns what the error was made of.
func (s *sentence) Unwrap() []error { return s.wrapped }

// Error makes an error of a text, which wraps the errors that the text speaks of.
func Error(t Text, wrapped ...error) error { return &sentence{t, wrapped} }

// OfError is what an error says. An error that wraps another one says its own
// part in English and the other in words, if it ends with it.
func OfError(err error) Text {
	if err == nil {
		return Text{}
	}
	if w, ok := err.(Worded); ok {
		return w.Words()
	}
	var worded Worded
	if !errors.As(err, &worded) {
		return Quote(err.Error())
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return ofErrors(err, all.Unwrap())
	}
	inner := errors.Unwrap(err)
	if inner == nil {
		return Quote(err.Error())
	}
	before, ok := strings.CutSuffix(err.Error(), inner.Error())
	if !ok {
		return Quote(err.Error())
	}
	return glued.join([]Text{Quote(before), OfError(inner)})
}

// ofErrors is what several errors say, if they were joined by errors.Join, or by
// semicolons.
func ofErrors(joined error, all []error) Text {
	said := make([]Text, len(all))
	for i, err := range all {
		said[i] = OfError(err)
	}
	if len(said) == 1 && said[0].english == joined.Error() {
		return said[0]
	}
	for _, j := range []joint{lines, clauses} {
		if text := j.join(said); text.english == joined.Error() {
			return text
		}
	}
	return Quote(joined.Error())
}
