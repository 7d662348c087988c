package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/stats"
)

// trace is a series of samples of identical networks, in the order in which they were
// taken. The folder of the traces documents how they were recorded.
type trace struct {
	name   string
	values []float64
	level  float64 // median of all values
}

// load reads the traces in a folder: files with one value per line.
func load(folder string) ([]trace, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.trace"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no *.trace file in %s (run simulate in the root of the repository, or name the folder with -traces)", folder)
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

// Bounds of what a trace may hold.
const (
	leastValues = 30
	mostValue   = 1e100
)

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
		if !(v > 0) || v > mostValue || v < 1/mostValue {
			return t, fmt.Errorf("value %v is not positive, or so large or small that ratios overflow", v)
		}
		t.values = append(t.values, v)
	}
	t.level = stats.Summarize(t.values).Median
	if len(t.values) < leastValues {
		return t, fmt.Errorf("it has %d values; a trace needs %d to tell noise from level", len(t.values), leastValues)
	}
	return t, lines.Err()
}

// noise returns the standard deviation of the values' logarithms.
func (t trace) noise() float64 {
	var sum, squares float64
	n := float64(len(t.values))
	for _, v := range t.values {
		sum += math.Log(v)
		squares += math.Log(v) * math.Log(v)
	}
	return math.Sqrt(max(squares/n-sum/n*sum/n, 0))
}

// walk takes a trace's samples one after the other, from a random position. At the end it continues
// from the beginning, so that every sample is as likely as any other.
type walk struct {
	trace
	rng *rand.Rand
	at  int
}

func newWalk(t trace, rng *rand.Rand) *walk { return &walk{t, rng, rng.IntN(len(t.values))} }

func (w *walk) next() float64 {
	v := w.values[w.at]
	w.at = (w.at + 1) % len(w.values)
	return v
}

// normal is the name of the trace of independent, normally distributed noise. It has no file.
const normal = "independent"

// independent returns a trace of independent noise of 2 %, whose level is 1.
func independent() trace {
	rng := rand.New(rand.NewPCG(17, 18))
	t := trace{name: normal}
	for range 20000 {
		t.values = append(t.values, math.Exp(0.02*rng.NormFloat64()))
	}
	t.level = 1
	return t
}
