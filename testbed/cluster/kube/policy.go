package kube

import (
	"context"
	"fmt"

	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"github.com/cnibench/cnibench/words"
)

// policies serves the NetworkPolicies of a namespace. The dynamic client is enough
// for them: a client of their API group would make the program larger.
func (c *Client) policies(namespace string) dynamic.ResourceInterface {
	return c.Dynamic.Resource(networking.SchemeGroupVersion.WithResource("networkpolicies")).Namespace(namespace)
}

// CreatePolicy creates a NetworkPolicy in the namespace that it names.
func (c *Client) CreatePolicy(ctx context.Context, p *networking.NetworkPolicy) error {
	p.TypeMeta = metav1.TypeMeta{APIVersion: networking.SchemeGroupVersion.String(), Kind: "NetworkPolicy"}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(p)
	if err == nil {
		_, err = c.policies(p.Namespace).Create(ctx, &unstructured.Unstructured{Object: fields}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("creating the NetworkPolicy %s: %w", p.Name, err)
	}
	return nil
}

// RemovePolicy deletes a NetworkPolicy, unless it is gone. If the API server does
// not answer, it asks again until the context ends.
func (c *Client) RemovePolicy(ctx context.Context, namespace, name string) error {
	return Await(ctx, words.Quote("the deletion of the NetworkPolicy "+name), func(ctx context.Context) error {
		err := c.policies(namespace).Delete(ctx, name, metav1.DeleteOptions{})
		switch {
		case err == nil, apierrors.IsNotFound(err):
			return nil
		case lostServer(err):
			return err
		}
		return Final(fmt.Errorf("deleting the NetworkPolicy %s: %w", name, err))
	})
}

// RemovePolicies deletes the NetworkPolicies that match a label selector. A user who
// may not list NetworkPolicies has not created any.
func (c *Client) RemovePolicies(ctx context.Context, namespace, selector string) (removed []string, err error) {
	list, err := c.policies(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for NetworkPolicies of runs: %w", err)
	}
	for _, p := range list.Items {
		if err := c.RemovePolicy(ctx, namespace, p.GetName()); err != nil {
			return removed, err
		}
		removed = append(removed, "networkpolicy "+namespace+"/"+p.GetName())
	}
	return removed, nil
}
