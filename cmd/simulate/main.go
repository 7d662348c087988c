// Command simulate shows what the verdicts are worth: it draws runs from
// recorded noise, in which the truth is known, and counts how often the
// statistics of package stats are wrong, beside the procedure of the field's
// other tools.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	var s simulation
	flag.IntVar(&s.draws, "draws", 2000, "simulated runs for each row")
	flag.Uint64Var(&s.seed, "seed", 1, "of the draws")
	traces := flag.String("traces", "stats/testdata", "folder of the recorded traces")
	flag.Parse()
	if err := s.run(os.Stdout, *traces); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

// run loads the traces and prints the tables.
func (s *simulation) run(out io.Writer, folder string) error {
	traces, err := load(folder)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d draws a row, seed %d, recorded noise from %s\n", s.draws, s.seed, folder)
	s.identical(out, traces)
	s.coverage(out, traces)
	s.different(out, traces)
	return nil
}
