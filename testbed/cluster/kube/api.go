package kube

import (
	"errors"
	"fmt"

	"k8s.io/client-go/discovery"
	apps "k8s.io/client-go/kubernetes/typed/apps/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	batch "k8s.io/client-go/kubernetes/typed/batch/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	rbac "k8s.io/client-go/kubernetes/typed/rbac/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// API is the part of the Kubernetes API that a run uses. kubernetes.Interface
// satisfies it too, but would make the program, and so the image that each node
// pulls, a tenth larger.
type API interface {
	AppsV1() apps.AppsV1Interface
	AuthorizationV1() authorization.AuthorizationV1Interface
	BatchV1() batch.BatchV1Interface
	CoreV1() core.CoreV1Interface
	RbacV1() rbac.RbacV1Interface
	Discovery() discovery.DiscoveryInterface
}

// apiClient implements API for a real cluster.
type apiClient struct {
	apps          apps.AppsV1Interface
	authorization authorization.AuthorizationV1Interface
	batch         batch.BatchV1Interface
	core          core.CoreV1Interface
	rbac          rbac.RbacV1Interface
	discovery     discovery.DiscoveryInterface
}

func (a *apiClient) AppsV1() apps.AppsV1Interface                            { return a.apps }
func (a *apiClient) AuthorizationV1() authorization.AuthorizationV1Interface { return a.authorization }
func (a *apiClient) BatchV1() batch.BatchV1Interface                         { return a.batch }
func (a *apiClient) CoreV1() core.CoreV1Interface                            { return a.core }
func (a *apiClient) RbacV1() rbac.RbacV1Interface                            { return a.rbac }
func (a *apiClient) Discovery() discovery.DiscoveryInterface                 { return a.discovery }

// connectAPI creates the clients of all API groups. They share their connections
// and the limit on requests.
func connectAPI(config *rest.Config) (API, error) {
	shared := rest.CopyConfig(config)
	shared.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(config.QPS, config.Burst)
	over, err := rest.HTTPClientFor(shared)
	if err != nil {
		return nil, fmt.Errorf("creating a client for the cluster: %w", err)
	}
	var a apiClient
	var errs [6]error
	a.apps, errs[0] = apps.NewForConfigAndClient(shared, over)
	a.authorization, errs[1] = authorization.NewForConfigAndClient(shared, over)
	a.batch, errs[2] = batch.NewForConfigAndClient(shared, over)
	a.core, errs[3] = core.NewForConfigAndClient(shared, over)
	a.rbac, errs[4] = rbac.NewForConfigAndClient(shared, over)
	a.discovery, errs[5] = discovery.NewDiscoveryClientForConfigAndClient(shared, over)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("creating a client for the cluster: %w", err)
	}
	return &a, nil
}
