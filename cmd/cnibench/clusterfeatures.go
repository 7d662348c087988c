package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// features returns what a run must be allowed to do for its probes, beyond measuring
// pods.
func features(specs []string) []kube.Feature {
	var all []kube.Feature
	for _, spec := range specs {
		if f, ok := featureOf(spec); ok && !slices.ContainsFunc(all, func(known kube.Feature) bool { return known.Role == f.Role }) {
			all = append(all, f)
		}
	}
	return all
}

// featureOf returns the feature that a probe needs, if it needs one. Names that no
// probe has are rejected later.
func featureOf(spec string) (f kube.Feature, ok bool) {
	probe, _, err := catalogue.Parse(spec)
	if err != nil || probe.Creates == "" {
		return f, false
	}
	return kube.Creating(probe.Creates)
}

// leaveOut removes those probes of the standard suite that the user has no permission
// for, in any of the clusters. It says so once, on stderr and in the record.
func (r *clusterRun) leaveOut(ctx context.Context) error {
	a := &r.o.asked
	for _, f := range features(a.Probes) {
		denied, err := r.denied(ctx, f)
		if err != nil {
			return err
		}
		if denied == nil {
			continue
		}
		var left []string
		a.Probes = slices.DeleteFunc(slices.Clone(a.Probes), func(spec string) bool {
			needs, ok := featureOf(spec)
			if out := ok && needs.Role == f.Role; out {
				left = append(left, spec)
				return true
			}
			return false
		})
		said := words.LeftOut.With(words.ListNames(left), denied)
		fmt.Fprintf(r.p.stderr, "warning: %s\n", said)
		r.o.detected = append(r.o.detected, results.Event{Name: results.EventLeftOut, Text: said})
	}
	return nil
}

// denied returns why one of the clusters does not allow a feature, or nil if all do.
func (r *clusterRun) denied(ctx context.Context, f kube.Feature) (denied *kube.DeniedError, err error) {
	for _, bed := range r.beds {
		if err := bed.Allows(ctx, f); err != nil && !errors.As(err, &denied) {
			return nil, err
		}
	}
	return denied, nil
}
