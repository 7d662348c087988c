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

// placingFlags select the nodes that may be measured and configure pods to be scheduled there.
func placingFlags(f *pflag.FlagSet, a *results.Asked) {
	f.StringToStringVar(&a.NodeSelector, "node-selector", nil, "cluster: labels of the nodes that may be measured, as in pool=a,disk=ssd")
	f.StringSliceVar(&a.Tolerations, "tolerations", nil, "cluster: taints that the pods tolerate, as in key=value:NoSchedule, key:NoExecute or key")
	f.StringToStringVar(&a.Requests, "requests", nil, "cluster: resource requests of a pod (default cpu=50m,memory=64Mi)")
}

// place adapts the testbed's configuration to what was requested.
func place(c *cluster.Config, a *results.Asked) error {
	c.NodeSelector = a.NodeSelector
	for _, text := range a.Tolerations {
		t, err := toleration(text)
		if err != nil {
			return usageError{err}
		}
		c.Tolerations = append(c.Tolerations, t)
	}
	for name, text := range a.Requests {
		amount, err := resource.ParseQuantity(text)
		if err != nil {
			return usage("--requests %s=%s: %v", name, text, err)
		}
		if c.Requests == nil {
			c.Requests = core.ResourceList{}
		}
		c.Requests[core.ResourceName(name)] = amount
	}
	return nil
}

// toleration parses key[=value][:effect], the syntax of kubectl taint.
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
		return t, fmt.Errorf("--tolerations %s: there is no effect %q (of NoSchedule, PreferNoSchedule, NoExecute)", text, effect)
	}
	if key == "" {
		return t, fmt.Errorf("--tolerations %s has no key", text)
	}
	return t, nil
}
