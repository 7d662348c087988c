// Package etcd runs the datastore in which flannel and Calico keep their state
// without Kubernetes.
package etcd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/cnibench/cnibench/plugins"
)

// Binary is the program's name in bin/.
const Binary = "etcd"

// Port is etcd's client port (IANA service etcd-client).
const Port = 2379

// Store is an etcd that runs on a host of the underlay.
type Store struct {
	Endpoint string // URL
	client   *http.Client
}

// Start runs etcd on the node, listening on its underlay address only, and returns
// once it answers. Its data is in the node's private memory and disappears with the
// node, so it need not be synced to a disk.
func Start(ctx context.Context, n plugins.Node) (*Store, error) {
	s := &Store{Endpoint: fmt.Sprintf("http://%s:%d", n.Addr().Addr(), Port), client: plugins.HTTP(n)}
	err := n.Start(plugins.Process{Name: Binary, Path: n.Bin(Binary), Args: []string{
		"--data-dir", "/var/lib/etcd",
		"--listen-client-urls", s.Endpoint,
		"--advertise-client-urls", s.Endpoint,
		"--listen-peer-urls", "http://127.0.0.1:2380",
		"--unsafe-no-fsync",
		// A single member elects itself after up to one election timeout. The
		// default of 1 s would be attributed to the plugin.
		"--heartbeat-interval", "50",
		"--election-timeout", "250",
		"--log-level", "warn",
	}})
	if err != nil {
		return nil, err
	}
	return s, plugins.Poll(ctx, "etcd to answer", func() error { return s.Put(ctx, "/cnibench/ready", "yes") })
}

// Put sets a key through etcd's JSON gateway (etcd v3.6 documentation,
// dev-guide/api_grpc_gateway).
func (s *Store) Put(ctx context.Context, key, value string) error {
	// The gateway takes keys and values in base64, as encoding/json encodes bytes.
	body, err := json.Marshal(struct {
		Key   []byte `json:"key"`
		Value []byte `json:"value"`
	}{[]byte(key), []byte(value)})
	if err != nil {
		return fmt.Errorf("encoding etcd key %s: %w", key, err)
	}
	if err := s.post(ctx, "/v3/kv/put", body); err != nil {
		return fmt.Errorf("setting etcd key %s: %w", key, err)
	}
	return nil
}

// Delete removes a key.
func (s *Store) Delete(ctx context.Context, key string) error {
	body, err := json.Marshal(struct {
		Key []byte `json:"key"`
	}{[]byte(key)})
	if err == nil {
		err = s.post(ctx, "/v3/kv/deleterange", body)
	}
	if err != nil {
		return fmt.Errorf("removing etcd key %s: %w", key, err)
	}
	return nil
}

func (s *Store) post(ctx context.Context, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	return nil
}
