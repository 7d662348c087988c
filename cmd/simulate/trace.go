package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// trace is a series of samples of identical networks in the order in which they were taken. The
// README in the directory of the traces says how they were recorded.
type trace struct {
	name   string
	values []float64
}

// load reads the traces in a directory: files with one value per line.
func load(folder string) ([]trace, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.trace"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no *.trace file in %s: run simulate in the root of the repository, or set the directory with -traces", folder)
	}
	var all []trace
	for _, file := range files {
		t, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		all = append(all, t)
	}
	return all, nil
}

func read(file string) (trace, error) {
	t := trace{name: strings.TrimSuffix(filepath.Base(file), ".trace")}
	f, err := os.Open(file)
	if err != nil {
		return t, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		v, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return t, err
		}
		t.values = append(t.values, v)
	}
	return t, lines.Err()
}

// walk returns a trace's samples in order, starting at a random position. At the end it continues
// from another random position.
type walk struct {
	trace
	rng *rand.Rand
	at  int
}

func newWalk(t trace, rng *rand.Rand) *walk { return &walk{t, rng, rng.IntN(len(t.values))} }

func (w *walk) next() float64 {
	if w.at == len(w.values) {
		w.at = w.rng.IntN(len(w.values))
	}
	w.at++
	return w.values[w.at-1]
}

// world is a run for which the truth is known.
type world struct {
	*walk
	plugins []map[int]float64 // samples by block
	factors []float64         // factors that the plugins' samples are multiplied by
	blocks  int
}

// newWorld returns a world with one plugin per factor.
func newWorld(t trace, rng *rand.Rand, factors ...float64) *world {
	w := &world{walk: newWalk(t, rng), factors: factors}
	for range factors {
		w.plugins = append(w.plugins, map[int]float64{})
	}
	return w
}

// measure adds blocks: each takes one sample per plugin, assigned to the plugins in random order.
func (w *world) measure(blocks int) {
	for range blocks {
		for _, plugin := range w.rng.Perm(len(w.plugins)) {
			w.plugins[plugin][w.blocks] = w.next() * w.factors[plugin]
		}
		w.blocks++
	}
}
