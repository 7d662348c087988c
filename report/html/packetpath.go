package html

import (
	"strconv"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// pathView is the path of a plugin's packets from pod to pod as a drawing: the devices on both
// nodes, and the frame between them.
type pathView struct {
	Plugin, Topology string
	Arrived          bool
	From, To         []string // devices on the sender's node and on the receiver's
	// Frame holds the headers seen on the wire, outermost first. It is empty if nothing was captured.
	Frame []headerView
	// Missed reports whether a capture ran but did not see the packets.
	Missed bool
}

// headerView is a header of a frame.
type headerView struct {
	Name  string
	Bytes int
	Outer bool // added by the plugin
}

// packetPaths returns one drawing for each network whose devices are known.
func packetPaths(r *model.Report) []pathView {
	var all []pathView
	for _, h := range r.Hops {
		v := pathView{Plugin: h.Plugin, Topology: h.Topology.String(), Arrived: h.Arrived, Frame: frame(r, h.Plugin, h.Topology)}
		if e := r.Captured(h.Plugin, h.Topology); e != nil {
			v.Missed = facts.Missed(e)
		}
		first := ""
		for i, hop := range h.Devices {
			place, device, _ := strings.Cut(hop, "/")
			node, pod, inPod := strings.Cut(place, ":")
			if inPod {
				device = pod + " " + device
			}
			if i == 0 {
				first = node
			}
			if node == first {
				v.From = append(v.From, device)
			} else {
				v.To = append(v.To, device)
			}
		}
		all = append(all, v)
	}
	return all
}

// frame returns the headers that a capture showed, each recorded like "VXLAN 8". It returns nil
// without a capture.
func frame(r *model.Report, plugin string, topology results.Topology) []headerView {
	for _, e := range r.Encapsulation {
		if e.Plugin == plugin && e.Topology == topology && e.Frames > 0 {
			return headers(e)
		}
	}
	return nil
}

// headers parses the layers of a frame and marks the headers that the plugin added: all before the
// last IP header, except the frame's own Ethernet header.
func headers(e results.Encapsulation) []headerView {
	var all []headerView
	inner := 0
	for i, layer := range e.Layers {
		h := headerView{Name: layer}
		if name, size, ok := strings.Cut(layer, " "); ok {
			if n, err := strconv.Atoi(size); err == nil {
				h.Name, h.Bytes = name, n
			}
		}
		if strings.HasPrefix(h.Name, "IPv") {
			inner = i
		}
		all = append(all, h)
	}
	if n := len(all); n > 0 && all[n-1].Name == "WireGuard" {
		inner = n // the packet inside is encrypted
	}
	for i := range all {
		all[i].Outer = i > 0 && i < inner
	}
	return all
}
