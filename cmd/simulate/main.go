// Command simulate shows how reliable the verdicts are: it simulates runs from
// recorded noise, with known differences between plugins, and counts how often the
// statistics of package stats are wrong, compared with the procedure of other tools
// in the field.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	var s simulation
	flag.IntVar(&s.draws, "draws", 2000, "number of simulated runs for each row")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the random numbers")
	traces := flag.String("traces", "stats/testdata", "folder with the recorded traces")
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
	fmt.Fprintf(out, "%d simulated runs per row, seed %d, recorded noise from %s\n", s.draws, s.seed, folder)
	s.identical(out, traces)
	s.coverage(out, traces)
	s.different(out, traces)
	return nil
}
