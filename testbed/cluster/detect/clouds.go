package detect

import (
	"encoding/json"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// terwayMap holds Terway's configuration (Alibaba Cloud documentation, "Customize
// Terway configuration parameters", 2026-03).
var terwayMap = at{"kube-system", "eni-config"}

// exclusiveENI is the label of nodes whose pods each have a network interface of
// their own (docs of AliyunContainerService/terway).
const exclusiveENI = "k8s.aliyun.com/exclusive-mode-eni-type"

// terwayConf is the part of a CNI configuration that says how Terway connects pods.
type terwayConf struct {
	Type    string       `json:"type"`
	Virtual string       `json:"eniip_virtual_type"`
	Plugins []terwayConf `json:"plugins"`
}

// readTerway reads Terway's agents, configuration and nodes' labels.
func readTerway(s *state) *candidate {
	c := &candidate{family: terway}
	set, runs := s.setOf(terway)
	if runs {
		c.add(running, set.text())
	}
	data, there := s.maps[terwayMap]
	if there {
		c.add(configuration, terwayMap.configMap())
		c.mode = terwayMode(data)
		if data["disable_network_policy"] == "true" {
			c.mode.adds(words.NoPolicies)
		}
	} else {
		c.mode = mode{plugin: "terway-eniip"}
	}
	daemon, said := option(set.commandLine(), "daemon-mode")
	if runs && !said && set.Metadata.Name == "terway" && len(set.Spec.Template.Spec.Containers) > 0 && len(podNets(s.nodes)) > 0 {
		daemon = "VPC" // terwayd's default; the other modes take no pod CIDRs
	}
	exclusive, nodes := s.labelled(exclusiveENI, "eniOnly")
	if exclusive > 0 {
		c.add(annotation, words.NodeLabels)
	}
	switch {
	case c.rank == none:
		return nil
	case c.mode.plugin != "terway-eniip":
	case exclusive > 0 && exclusive < nodes:
		c.mode = mode{says: words.SaysDifferentThings.With(words.ListNames([]string{"terway-eni", "terway-eniip"})), settings: undeclared()}
	case strings.EqualFold(daemon, "VPC"):
		// Nodes have pod CIDRs, which the VPC's route table leads to them.
		c.mode.plugin = "vpc-route"
		c.mode.adds(words.Quote("Terway, daemon-mode VPC"))
	case exclusive > 0 || runs && set.Metadata.Name == "terway-eni" || strings.EqualFold(daemon, "ENIOnly"):
		c.mode.plugin = "terway-eni"
	}
	return c
}

// terwayMode reads how Terway connects pods. A list of plugins wins over a single
// one, as in the folder of CNI configurations, where it is read first (docs/cni-chain
// of AliyunContainerService/terway).
func terwayMode(data map[string]string) mode {
	for _, key := range []string{"10-terway.conflist", "10-terway.conf"} {
		text, there := data[key]
		if !there {
			continue
		}
		var conf terwayConf
		if err := json.Unmarshal([]byte(text), &conf); err != nil {
			return mode{says: words.DamagedKey.With(key), settings: undeclared()}
		}
		all := append([]terwayConf{conf}, conf.Plugins...)
		i := slices.IndexFunc(all, func(c terwayConf) bool { return c.Virtual != "" })
		chained := slices.ContainsFunc(all, func(c terwayConf) bool { return c.Type == "cilium-cni" })
		m := mode{plugin: "terway-eniip"}
		if i >= 0 {
			switch virtual := strings.ToLower(all[i].Virtual); virtual {
			case "veth", "":
			case "ipvlan":
				m.plugin = "terway-ipvlan"
			default:
				m = mode{plugin: slug("terway-" + virtual), says: words.Quote(results.Printable("Terway with " + all[i].Virtual)), settings: undeclared()}
			}
		}
		if chained {
			m.adds(words.CiliumInside)
		}
		return m
	}
	return mode{plugin: "terway-eniip"}
}

// readAmazon reads the agents of Amazon's plugin, and the label of EKS Auto Mode,
// whose nodes contain the plugin (AWS documentation, "EKS Auto Mode" [2]).
func readAmazon(s *state) *candidate {
	c := &candidate{family: amazon, mode: mode{plugin: "aws-vpc-cni"}}
	if set, runs := s.setOf(amazon); runs {
		c.add(running, set.text())
		for _, option := range []struct {
			name string
			says words.Text
		}{
			{"ENABLE_PREFIX_DELEGATION", words.PrefixDelegation},
			{"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", words.CustomNetworking},
			{"ENABLE_POD_ENI", words.PodSecurityGroups},
		} { // README.md of amazon-vpc-cni-k8s v1.23.2
			if value, _ := s.env(set, option.name); value == "true" {
				c.mode.adds(option.says)
			}
		}
	}
	if auto, nodes := s.labelled("eks.amazonaws.com/compute-type", "auto"); auto > 0 {
		c.mode.adds(words.Quote("EKS Auto Mode"))
		if auto == nodes {
			c.add(running, words.NodeLabels)
		} else {
			c.add(annotation, words.NodeLabels)
		}
	}
	if c.rank == none {
		return nil
	}
	return c
}

// readAzure reads the agents of Azure's plugin, and the labels of AKS's nodes
// (azure-container-networking/test and the AKS documentation, 2026-06).
func readAzure(s *state) *candidate {
	c := &candidate{family: azure, mode: mode{plugin: "azure-cni", says: words.Quote(string(azure)), settings: undeclared()}}
	if set, runs := s.setOf(azure); runs {
		c.add(running, set.text())
	}
	const podNetwork = "kubernetes.azure.com/podnetwork-type"
	modes := []struct {
		label  string
		values []string
		slug   string
		says   words.Text
	}{
		{podNetwork, []string{"overlay"}, "azure-cni-overlay", words.Quote("overlay")},
		{"kubernetes.azure.com/azure-cni-overlay", []string{"true"}, "azure-cni-overlay", words.Quote("overlay")},
		{podNetwork, []string{"vnet", "vnetblock"}, "azure-cni-podsubnet", words.PodSubnet},
		{"kubernetes.azure.com/ebpf-dataplane", []string{"cilium"}, "azure-cni-cilium", words.Text{}}, // companions says so
	}
	for _, m := range modes {
		some, nodes := s.labelled(m.label, m.values...)
		if some == 0 || some < nodes || c.mode.plugin == m.slug {
			continue
		}
		c.mode.plugin = m.slug
		if !m.says.Empty() {
			c.mode.adds(m.says)
		}
		if c.rank < running {
			c.rank = annotation
		}
	}
	if c.mode.plugin != "azure-cni" {
		c.places = append(c.places, words.NodeLabels)
	}
	if c.rank == none {
		return nil
	}
	return c
}

// annotated reports whether a node has an annotation whose key begins with a prefix.
func annotated(nodes []core.Node, prefix string) bool {
	return slices.ContainsFunc(nodes, func(n core.Node) bool {
		for key := range n.Annotations {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
		return false
	})
}
