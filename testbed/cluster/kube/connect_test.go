package kube

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestConnect reads kubeconfig files as found in practice, which kubectl accepts.
func TestConnect(t *testing.T) {
	for _, tt := range []struct {
		name, file, context string
		request             string // URL of a request for pods
		proxy, server       string // "" for no proxy, and for the server name in the URL
		wrong               string // "" for no error
	}{
		{"an auth-provider", "oidc.kubeconfig", "", "https://api.example.com:6443/api/v1/pods", "", "", ""},
		{"a path in the URL", "odd.kubeconfig", "", "https://rancher.example.com/k8s/clusters/c-m-1/api/v1/pods", "", "", ""},
		{"a proxy, another server name, and a program for the token", "odd.kubeconfig", "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
			"https://tp.example.com:443/api/v1/pods", "http://127.0.0.1:8888", "kube-teleport-proxy-alpn.tp.example.com", ""},
		{"a name with = and a comma, and SOCKS", "odd.kubeconfig", "me=dev,eu", "https://10.0.0.1:6443/api/v1/pods", "socks5://127.0.0.1:1080", "", ""},
		{"files beside it that are missing", "odd.kubeconfig", "default/api-example-com:6443/kube:admin", "", "", "", "testdata/pki/ca.crt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config, err := credentials(filepath.Join("testdata", tt.file), tt.context)
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if config.ServerName != tt.server {
				t.Errorf("server name %q", config.ServerName)
			}
			proxy := ""
			if config.Proxy != nil {
				at, err := config.Proxy(&http.Request{})
				if err != nil {
					t.Fatal(err)
				}
				proxy = at.String()
			}
			if proxy != tt.proxy {
				t.Errorf("proxy %q", proxy)
			}
			client, err := connectAPI(config)
			if err != nil {
				t.Fatal(err)
			}
			if to := client.CoreV1().RESTClient().Get().Resource("pods").URL().String(); to != tt.request {
				t.Errorf("request to %s", to)
			}
		})
	}
}
