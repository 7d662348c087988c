package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster"
)

// placingFlags adds the flags that select the nodes to measure, and those for the
// tolerations and resources of the pods.
func placingFlags(f *pflag.FlagSet, a *results.Asked) {
	f.StringToStringVar(&a.NodeSelector, "node-selector", nil, "cluster: labels of the nodes that may be measured, as in pool=a,disk=ssd")
	f.StringSliceVar(&a.Tolerations, "tolerations", nil, "cluster: taints that the pods tolerate, as in key=value:NoSchedule, key:NoExecute or key")
	f.StringToStringVar(&a.Requests, "requests", nil, "cluster: resource requests of every pod (default cpu=50m,memory=64Mi)")
	f.StringToStringVar(&a.Limits, "limits", nil, "cluster: resource limits of every pod (default memory=64Mi); a limit of cpu may be measured instead of the network, so set one only if the namespace demands it")
}

// place puts what was asked for into the testbed's configuration.
func place(c *cluster.Config, a *results.Asked) error {
	c.NodeSelector = a.NodeSelector
	for _, text := range a.Tolerations {
		t, err := toleration(text)
		if err != nil {
			return usageError{err}
		}
		c.Tolerations = append(c.Tolerations, t)
	}
	var err error
	if c.Requests, err = amounts("requests", a.Requests); err == nil {
		c.Limits, err = amounts("limits", a.Limits)
	}
	return err
}

// amounts reads the amounts of resources that a flag sets.
func amounts(flag string, said map[string]string) (core.ResourceList, error) {
	var all core.ResourceList
	for name, text := range said {
		amount, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, usage("--%s %s=%s: %v", flag, name, text, err)
		}
		if all == nil {
			all = core.ResourceList{}
		}
		all[core.ResourceName(name)] = amount
	}
	return all, nil
}

// toleration reads key[=value][:effect], as kubectl taint writes taints.
func toleration(text string) (core.Toleration, error) {
	rest, effect, _ := strings.Cut(text, ":")
	key, value, hasValue := strings.Cut(rest, "=")
	t := core.Toleration{Key: key, Value: value, Operator: core.TolerationOpExists, Effect: core.TaintEffect(effect)}
	if hasValue {
		t.Operator = core.TolerationOpEqual
	}
	switch t.Effect {
	case "", core.TaintEffectNoSchedule, core.TaintEffectPreferNoSchedule, core.TaintEffectNoExecute:
	default:
		return t, fmt.Errorf("--tolerations %s: there is no effect %q (there are NoSchedule, PreferNoSchedule, NoExecute)", text, effect)
	}
	if key == "" {
		return t, fmt.Errorf("--tolerations %s names no taint", text)
	}
	return t, nil
}
