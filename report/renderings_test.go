package report_test

import (
	"io"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/words"
)

// people returns a rendering for people in a language, or in English if it is nil.
func people(write func(io.Writer, *model.Report, *words.Language) error, r *model.Report, in *words.Language) func(io.Writer) error {
	return func(out io.Writer) error { return write(out, r, in) }
}

// of returns a rendering for programs, of a report or of the record behind it.
func of[T any](write func(io.Writer, T) error, v T) func(io.Writer) error {
	return func(out io.Writer) error { return write(out, v) }
}
