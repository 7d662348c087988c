// Command simulate shows how reliable the verdicts are: it draws runs from recorded noise, for
// which the truth is known, and counts how often the statistics of package stats are wrong, next
// to the procedure of other tools in the field.
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
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the draws")
	traces := flag.String("traces", "stats/testdata", "directory of the recorded traces")
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
	fmt.Fprintf(out, "%d draws per row, seed %d, recorded noise from %s\n", s.draws, s.seed, folder)
	s.identical(out, traces)
	s.coverage(out, traces)
	s.different(out, traces)
	return nil
}
