// Command simulate shows how reliable the verdicts are: it simulates runs from recorded noise, in
// which the truth is known, and counts how often the statistics of package stats, the comparison of
// two runs and the advice are wrong. It holds the shares to goals, and exits with 1 if one is
// missed. docs/statistics.md discusses the tables.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

// leastDraws is the least number of draws with which a table can miss its goal: at 5 %, three
// standard errors of 20 draws are 15 points.
const leastDraws = 20

func main() {
	var s simulation
	flag.IntVar(&s.draws, "draws", 500, "number of draws for each cell of a table")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the random numbers")
	folder := flag.String("traces", "stats/testdata", "folder with recorded noise, *.trace with one value a line")
	only := flag.String("only", "", "names of the experiments to simulate, separated by commas; all if empty")
	old := flag.Bool("before", false, "simulate the procedure of commit 5240fcb instead, which misses goals")
	flag.Parse()
	if s.draws < leastDraws || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "simulate: fewer than %d draws cannot miss a goal; other arguments than flags are not known\n", leastDraws)
		os.Exit(2)
	}
	s.procedure = current()
	if *old {
		s.procedure = before()
	}
	missed, err := s.main(*folder, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(2)
	}
	if len(missed) > 0 {
		fmt.Printf("\n%d goals are missed:\n  %s\n", len(missed), strings.Join(missed, "\n  "))
		os.Exit(1)
	}
	fmt.Println("\nall goals are met")
}

// main loads the traces and prints the tables.
func (s simulation) main(folder, only string) ([]string, error) {
	traces, err := load(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	if only != "" {
		names = strings.Split(only, ",")
	}
	return s.run(os.Stdout, append([]trace{independent()}, traces...), names)
}
